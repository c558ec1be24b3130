# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail says what matters, whatever texts it is made of; and it arrives, or one sentence says why not."""

from __future__ import annotations

import email
import email.policy
import time
import typing as t
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_mail as report_mail
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import Message, Notice
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_mail import compose
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_origin import Origin
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    BEGAN,
    any_run,
    bad_run,
    good_run,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_mail import FROM, mail_settings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.told_messages import (
    NODE,
    end,
    for_dune,
    hostile_notices,
    hostile_text,
    many,
    message,
    setup_trouble,
    trouble,
)

HEADERS = [
    "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"
]  # fmt: skip


LASTS = "Tue 21:13 UTC (31 h)"
ORIGIN = Origin("push.lab.example", ("inventory",), "1.2.3")
FOOT = [
    "written by push.lab.example, inventory inventory, fife.managed_tokens 1.2.3",
    "status page /var/www/tokens.html",
    (
        "Look further:\n  ansible-playbook -i inventory fife.managed_tokens.status \\\n"
        "    -e managed_tokens_service=dune_production\n"
    ),
]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Let the machine's clock be the world's."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def composed(told: Message, run: Collected | None = None, /, **changes: t.Any) -> EmailMessage:
    return compose(told, run or bad_run(), mail_settings(**changes))


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content


def read_back(mail: EmailMessage) -> EmailMessage:
    """Give the mail as its reader's program gets it."""
    parsed = email.message_from_bytes(mail.as_bytes(policy=email.policy.SMTP), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


class Structure(HTMLParser):
    """The tags of a page with their attributes, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, t.Any]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((tag, None))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", data))


def test_compose_experiment_mail_says_where_what_since_when_what_to_do_and_what_is_well() -> None:
    told = for_dune(trouble(), trouble("n2.lab.example"), end(), suppressed=2)
    mail = composed(told, bad_run(origin=ORIGIN), status_page="/var/www/tokens.html")
    assert mail["Subject"] == "[managed tokens] dune: 2 nodes did not get their token (3 runs in a row); 1 well again"
    assert (mail["From"], mail["To"]) == (FROM, "a@lab.example, b@lab.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@lab.example>")
    assert mail["Date"].datetime.timestamp() == int(BEGAN + 10)
    text = text_of(mail)
    order = [
        f"Nothing fails for users yet: the tokens in place last until {LASTS}.",
        "NODE",
        "ERROR",
        NODE,
        "No ssh server",
    ]
    order += ["(3 runs in a row,", "12:13 UTC); token in", f"until {LASTS}", "n2.lab"]
    order += ["What to do", "* node_unreachable (2 errors)", "Check that the node is up", "Who: node administrators"]
    order += ["Well again", "dune_production on dunegpvm09.lab.example", "2 more errors have not", "0123456789ab"]
    order += ["written by push.lab.example, inventory inventory, fife.managed_tokens 1.2.3"]
    assert_in_order(" ".join(text.replace("|", " ").split()), order)
    assert max(map(len, text.splitlines())) <= 78
    # They are on other machines.
    assert "ansible-playbook" not in text
    assert "/var/www" not in text
    html = Structure(text_of(mail, "html"))
    assert [text for text in html.texts if text in (NODE, "NODE", "ERROR", f"No ssh server answered at {NODE}.")] == [
        "NODE", "ERROR", NODE, f"No ssh server answered at {NODE}."
    ]  # fmt: skip


MESSAGES: tuple[tuple[Notice, str, str], ...] = (
    (trouble("n1", message="dune_production on n1: no answer"), "n1", "no answer"),
    (trouble("n1", message="dune_production: no answer"), "n1", "no answer"),
    (trouble("n1", message="dune_production on n2: no answer"), "n1", "dune_production on n2: no answer"),
    (setup_trouble(message="dune_production: no keytab"), "set-up", "no keytab"),
    (setup_trouble(message="dune_production on credd c1: no"), "set-up", "dune_production on credd c1: no"),
    (setup_trouble(message="nova_production: no keytab"), "set-up", "nova_production: no keytab"),
)


@pytest.mark.parametrize(("told", "place", "error"), MESSAGES)
def test_compose_says_nothing_twice_in_a_row_of_the_table(told: Notice, place: str, error: str) -> None:
    lines = text_of(composed(message(told))).splitlines()
    (row,) = [line for line in lines if f"{place} " in line.partition("|")[0] and "|" in line]
    assert row.partition("|")[2].strip().startswith(f"{error} (3 runs")


def test_compose_administrators_mail_names_stages_and_the_size_of_the_trouble() -> None:
    told = message(setup_trouble(message="store: no."), trouble("n2.lab.example"), suppressed=1)
    run = bad_run()
    run.outcomes.append(run.outcomes[1].__class__("store", "failed", "x", "dune_production", message="store: no."))
    run.origin = ORIGIN
    mail = composed(told, run, status_page="/var/www/tokens.html")
    assert mail["Reply-To"] is None
    assert mail["To"] == "admin@lab.example"
    order = [
        "Nothing fails for users yet",
        "Failed in this run: 1 of 1 service, 1 of 2 pushes.",
        "dune_production",
        "STAGE",
    ]
    order += ["token store", "store: no.", "push to n2.lab.example", "keytab_missing (1 error)", "1 more error has not"]
    order += ["--", "token-push, run 0123456789ab", *FOOT]
    assert_in_order(text_of(mail), order)
    assert max(map(len, text_of(mail).splitlines())) <= 80
    assert_in_order(" ".join(Structure(text_of(mail, "html")).texts), [order[0], *FOOT[:2]])
    head = [
        text
        for text in Structure(text_of(mail, "html")).texts
        if text.isupper() and text.isascii() and "UTC" not in text
    ]
    assert head == ["SERVICE", "STAGE", "ERROR", "RUNS IN A ROW", "SINCE", "TOKEN IN PLACE"]


REPLIES: tuple[tuple[Message, tuple[str, ...], str | None], ...] = (
    (for_dune(trouble()), ("x@lab.example", "no address", "A B <y@lab.example>"), "x@lab.example, A B <y@lab.example>"),
    (for_dune(trouble()), (), None),
    (message(trouble()), ("x@lab.example",), None),
)


@pytest.mark.parametrize(("told", "admins", "reply"), REPLIES)
def test_compose_experiments_people_answer_to_the_administrators(
    told: Message, admins: tuple[str, ...], reply: str | None
) -> None:
    assert composed(told, admin_emails=admins)["Reply-To"] == reply


def test_compose_experiments_people_are_told_who_the_operator_is() -> None:
    admins = ("x@lab.example", "y@lab.example")
    known = trouble(kind="host_key_unknown"), trouble("n2", kind="node_unreachable")
    text = text_of(composed(for_dune(*known), admin_emails=admins))
    assert "Who: operator (x@lab.example, y@lab.example)\n" in text
    assert "Who: node administrators\n" in text
    assert "Who: operator\n" in text_of(composed(message(*known), admin_emails=admins))


def assert_in_order(text: str, parts: t.Sequence[str]) -> None:
    place = 0
    for part in parts:
        found = text.find(part, place)
        assert found >= 0, f"{part!r} does not come in its place"
        place = found


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize("told", [message, for_dune])
def test_compose_long_list_is_cut_and_counted(told: t.Callable[..., Message], kind: str) -> None:
    text = text_of(composed(told(*many(3000), *(end(f"w{number}") for number in range(1500)))), kind)
    assert text.count("No ssh server answered at n") == 200
    assert "... and 2,800 more errors that are not shown." in text
    assert text.count("dune_production on w") == 200
    assert "... and 1,300 more." in text
    assert "(3,000 errors)" in text
    assert len(text) < 100_000


def test_compose_run_that_could_not_begin_and_nothing_known_of_times() -> None:
    told = message(trouble(count=0, since=0.0, kind="no such kind", message=""))
    text = text_of(composed(told, Collected(ended=BEGAN)))
    assert "Something failed that has no kind of its own." in text
    assert "in a row" not in text
    assert "since" not in text
    assert "which could not begin" in text


def test_compose_default_sender_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_mail, "this_host", lambda: "push.lab.example")
    problems: list[str] = []
    mail = compose(message(trouble()), bad_run(), mail_settings(mail_from=""), problems)
    assert (mail["From"], problems) == ("managed-tokens@push.lab.example", [])
    mail = compose(message(trouble()), bad_run(), mail_settings(mail_from="no\r\nBcc: x@y"), problems)
    assert mail["From"] == "managed-tokens@push.lab.example"
    assert problems == ["managed_tokens_mail_from is no e-mail address, so the default was used."]
    monkeypatch.setattr(report_mail, "this_host", lambda: "no host")
    assert composed(message(trouble()), mail_from="")["From"] == "managed-tokens@localhost"


def test_compose_recipients_each_once_and_only_addresses() -> None:
    problems: list[str] = []
    emails = ("a@lab.example", "b", "A B <a@lab.example>", "c@lab.example, d@lab.example", "a@lab.example", "", "é@b.c")
    mail = compose(message(trouble(), emails=emails), bad_run(), mail_settings(), problems)
    assert [address.addr_spec for address in mail["To"].addresses] == ["a@lab.example"]
    assert problems == ["No e-mail address: b, c@lab.example, d@lab.example, (empty) and 1 more."]


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\x00", "\x1b", "\u2028", "\u202e"])
def test_compose_recipient_with_a_line_break_or_control_character_is_none(break_: str) -> None:
    problems: list[str] = []
    emails = (f"A{break_}B <a@lab.example>", "b@lab.example")
    mail = compose(message(trouble(), emails=emails), bad_run(), mail_settings(), problems)
    assert mail["To"] == "b@lab.example"
    assert len(problems) == 1


@given(
    notices=hostile_notices(),
    run=any_run(),
    experiment=st.just("") | hostile_text(),
    emails=st.lists(hostile_text() | st.just("a@lab.example"), max_size=3),
    environment=hostile_text(),
    mail_from=hostile_text(),
)
def test_compose_any_texts_break_neither_headers_nor_html(
    notices: list[t.Any], run: Collected, experiment: str, emails: list[str], environment: str, mail_from: str
) -> None:
    told = message(*notices, experiment=experiment, emails=(*emails, "b@lab.example"))
    mail = compose(told, run, mail_settings(environment=environment, mail_from=mail_from))
    assert mail.keys() == HEADERS
    assert len(mail["Subject"]) < 100
    again = read_back(mail)
    # A header may begin with a fold; the space that comes of it is none of the text's.
    assert [str(again[name]).strip() for name in HEADERS[:6]] == [str(mail[name]) for name in HEADERS[:6]]
    assert again.keys() == HEADERS
    assert again["To"].addresses == mail["To"].addresses
    # Only what was an address as a whole, alone or behind a name.
    entries = {entry.strip().rpartition("<")[2].rstrip(">") for entry in told.emails}
    assert {"b@lab.example"} <= {address.addr_spec for address in again["To"].addresses} <= entries
    allowed = {"html", "head", "meta", "title", "style", "body", "p", "b", "br", "h3", "ul", "li"}
    allowed |= {"table", "tr", "th", "td"}
    page = Structure(text_of(again, "html"))
    assert {tag for tag, _attributes in page.tags} <= allowed
    assert {name for _tag, attributes in page.tags for name, _value in attributes or ()} <= {
        "lang", "charset", "style", "border", "cellpadding", "align", "valign", "nowrap"
    }  # fmt: skip
    assert not set(text_of(again).replace("\r\n", "\n")) & set("\x00\x1b\u202e\u2028\r")


@given(words=hostile_text())
def test_compose_hostile_page_has_the_tags_of_a_harmless_one(words: str) -> None:
    def page(word: str) -> Structure:
        told = for_dune(trouble(word, kind=word, message=word), end(word, kind=word), experiment=word)
        return Structure(text_of(composed(told, good_run(run=word, program=word), environment=word), "html"))

    assert page(words).tags == page("harmless").tags


def test_compose_no_token_gets_into_a_mail() -> None:
    mail = composed(message(trouble(CANARY), trouble(message=f"failed with {CANARY}", kind=CANARY)))
    assert CANARY not in mail.as_string()
    assert CANARY not in text_of(mail)
    assert CANARY not in text_of(mail, "html")


OWN_TEMPLATES: tuple[tuple[str, str, str], ...] = (
    ("{{ content.groups[0].service }} of {{ subject }}", "dune_production of [managed tokens]", ""),
    ("{% include 'experiment.txt.j2' %} signed", "signed", ""),
    ("one\n{% if %}", "What to do", "admin.txt.j2, line 2, is broken (Expected an expression"),
    ("one\n\n{{ content.no }}", "What to do", "line 3, is broken ('"),
    ("{{ ''.__class__.__mro__ }}", "What to do", "line 1, is broken (access to attribute '__class__'"),
    ("{{ 1 / 0 }}", "What to do", "line 1, is broken (division by zero)"),
    ("{% include 'other' %}", "What to do", "line 1, is broken (other"),
    ("{% extends 'admin.txt.j2' %}", "What to do", "is broken ("),
)


@pytest.mark.parametrize(("source", "shown", "problem"), OWN_TEMPLATES)
def test_compose_own_template_wins_unless_it_is_broken(tmp_path: Path, source: str, shown: str, problem: str) -> None:
    (tmp_path / "admin.txt.j2").write_text(source)
    problems: list[str] = []
    mail = compose(message(trouble()), bad_run(), mail_settings(template_dir=str(tmp_path)), problems)
    assert shown in text_of(mail)
    assert "What to do" in text_of(mail, "html")
    assert len(problems) == bool(problem)
    if problem:
        assert problem in problems[0]
        assert problems[0].startswith(f"The template {tmp_path}/admin.txt.j2")
        assert problems[0].endswith("so the built-in one was used.")


def test_compose_own_html_is_escaped_and_unreadable_templates_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "admin.html.j2").write_text("{{ content.groups[0].rows[0].error }}")
    (tmp_path / "admin.txt.j2").write_bytes(b"\xff")
    problems: list[str] = []
    own = mail_settings(template_dir=str(tmp_path))
    mail = compose(message(trouble(message="<b>")), bad_run(), own, problems)
    assert text_of(mail, "html") == "&lt;b&gt;\n"
    assert [problem.partition(" (")[0] for problem in problems] == [f"The template {tmp_path}/admin.txt.j2 is broken"]
    problems = []
    compose(message(trouble()), bad_run(), mail_settings(template_dir=str(tmp_path / "none")), problems)
    assert problems == [f"There is no directory {tmp_path}/none for templates, so the built-in ones were used."]
