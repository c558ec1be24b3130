# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Slack gets is within its limits, calls nobody, and counts what it leaves out."""

from __future__ import annotations

import json
import re
import time
import typing as t

import pytest
from hypothesis import given

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import RUN, Key, Notice
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_origin import Origin
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._slack_posts import escaped, posts_of
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import any_run, bad_run
from ansible_collections.fife.managed_tokens.tests.unit.plugins.told_messages import (
    ATTACKS,
    NODE,
    end,
    hostile_notices,
    hostile_text,
    many,
    message,
    run_trouble,
    setup_trouble,
    trouble,
)

Post = dict[str, t.Any]
LASTS = "Tue 21:13 UTC (31 h)"
EFFECT = f"*Nothing fails for users yet: the tokens in place last until {LASTS}.*"
HISTORY = f"(3 runs in a row, since 2026-09-21 12:13 UTC; token until {LASTS})"
ORIGIN = Origin("push.lab.example", ("inventory",), "1.2.3")


def posts(*notices: Notice, suppressed: int = 0, environment: str = "production") -> list[Post]:
    told = message(*notices, suppressed=suppressed)
    settings = ReportSettings(environment=environment, status_page="/var/www/tokens.html")
    return posts_of(told, bad_run(origin=ORIGIN), settings)


def size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def marked_texts(post: Post) -> list[str]:
    """Give every text that Slack would mark up."""
    found = [block["text"] for block in post["blocks"] if block["type"] == "section"]
    found += [entry for block in post["blocks"] if block["type"] == "context" for entry in block["elements"]]
    assert all(entry["type"] == "mrkdwn" and entry["verbatim"] is True for entry in found)
    return [entry["text"] for entry in found]


def assert_acceptable(found: list[Post]) -> None:
    """Hold the posts against Slack's rules: https://docs.slack.dev/reference/block-kit/blocks."""
    assert 1 <= len(found) <= 5
    for post in found:
        assert json.loads(json.dumps(post).encode("ascii")) == post
        assert 1 <= size(post["text"]) <= 4000
        assert len(post["blocks"]) <= 50
        header = post["blocks"][0]
        assert header["type"] == "header"
        assert header["text"]["type"] == "plain_text"
        assert 1 <= size(header["text"]["text"]) <= 150
        texts = marked_texts(post)
        assert all(1 <= size(text) <= 3000 for text in texts)
        assert sum(map(size, texts)) <= 13_000
        for text in [post["text"], *texts]:
            # Every mark-up of Slack's that calls or links begins with one of these.
            assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", text)
            assert not re.search("@(?:channel|here|everyone)", text, re.IGNORECASE)
            assert not set(text) & set("\x00\x1b\u202e\r\u2028")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Let the machine's clock be the world's."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def test_posts_of_a_few_notices_is_one_post_that_says_it_all() -> None:
    (post,) = posts(run_trouble(), setup_trouble(), trouble(), end(), suppressed=1)
    assert_acceptable([post])
    assert post["blocks"][0]["text"]["text"].startswith("[managed tokens] token-push failed, dune_production failed, ")
    trouble_lines, tail, foot = marked_texts(post)
    assert trouble_lines.splitlines() == [
        EFFECT,
        f"• *token-push*: No experiment x. (since 2026-09-21 12:13 UTC; token until {LASTS})",
        f"• *dune_production*: there is no keytab. {HISTORY}",
        f"• *dune_production* on {NODE}: No ssh server answered at {NODE}. {HISTORY}",
    ]
    lines = tail.splitlines()
    assert lines[0] == "*What to do*"
    assert "• keytab_missing (1): Install the keytab at the path in the message. _operator_" in lines
    assert lines[-3:] == [
        "*Well again*",
        "• *dune_production* on dunegpvm09.lab.example",
        "1 more error has not happened often enough yet to be told.",
    ]
    assert foot.splitlines() == [
        "token-push, run 0123456789ab, 2026-09-21 14:13 UTC",
        "written by push.lab.example, inventory inventory, fife.managed_tokens 1.2.3, status page /var/www/tokens.html",
        (
            "Look further: `ansible-playbook -i inventory fife.managed_tokens.status "
            "-e managed_tokens_service=dune_production`"
        ),
    ]
    # Programs that know no blocks show the same.
    assert post["text"].splitlines()[1:] == [*trouble_lines.splitlines(), *lines]


def test_posts_of_what_is_not_production_say_so() -> None:
    (post,) = posts(trouble(), environment="test")
    assert post["text"].startswith(f"[managed tokens, test] {NODE} did not get its token")


@pytest.mark.parametrize("number", [30, 150, 3000])
def test_posts_of_many_notices_are_split_and_what_is_left_out_is_counted(number: int) -> None:
    found = posts(*many(number), *(end(f"w{count}") for count in range(1500)), suppressed=3)
    assert_acceptable(found)
    text = "\n".join(text for post in found for text in marked_texts(post))
    shown = text.count("No ssh server answered")
    assert text.count("*dune_production* on w") == 20
    left_out = [int(count.replace(",", "")) for count in re.findall(r"\.\.\. and ([\d,]+) more", text)]
    assert left_out == ([number - shown] if shown < number else []) + [1480]
    assert "3 more errors have not" in text
    heads = [post["blocks"][0]["text"]["text"] for post in found]
    parts = [f"({part} of {len(found)})" for part in range(1, len(found) + 1)]
    assert [head[-len("(1 of 1)") :] for head in heads] == parts or len(found) == 1


def test_posts_of_3000_notices_use_the_room_there_is() -> None:
    found = posts(*many(3000))
    assert len(found) == 5
    assert sum(text.count("No ssh server") for post in found for text in marked_texts(post)) > 300


def test_posts_of_longest_names_have_headers_that_fit() -> None:
    name = "n" * 60
    troubles = [run_trouble(key=Key(RUN, name)), setup_trouble(name), *many(3000)]
    found = posts(*troubles, environment=name)
    assert_acceptable(found)
    assert all(post["blocks"][0]["text"]["text"].startswith("[managed tokens, nnn") for post in found)


def test_posts_of_every_kind_of_error_advise_on_the_most_frequent() -> None:
    notices = [trouble(f"n{number}", kind=kind) for number, kind in enumerate(sorted(KINDS))]
    found = posts(*notices, trouble("again", kind="vault_unavailable"))
    tail = "\n".join(marked_texts(found[-1]))
    assert_acceptable(found)
    assert "*What to do*\n• vault_unavailable (2): " in tail
    assert f"... and {len(KINDS) - 8} more kinds of errors" in tail


@pytest.mark.parametrize("attack", ATTACKS)
def test_posts_of_worst_texts_are_acceptable(attack: str) -> None:
    worst = (attack * 1000)[:5000]
    notices = [trouble(worst + str(number), message=worst, kind=worst) for number in range(200)]
    ends = [end(worst + str(number)) for number in range(200)]
    assert_acceptable(posts(*notices, *ends, environment=worst))


@given(notices=hostile_notices(least=1), run=any_run(), environment=hostile_text())
def test_posts_of_any_texts_are_acceptable(notices: list[Notice], run: Collected, environment: str) -> None:
    assert_acceptable(posts_of(message(*notices), run, ReportSettings(environment=environment)))


def test_posts_hold_no_token() -> None:
    assert CANARY not in json.dumps(posts(trouble(CANARY, message=f"failed with {CANARY}", kind=CANARY)))


def test_escaped_is_escaped_once() -> None:
    assert escaped("a<b>&amp; @channel @Here you@lab") == "a&lt;b&gt;&amp;amp; @\u2060channel @\u2060Here you@lab"
