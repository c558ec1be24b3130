# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build what senders get: notices, and messages of them."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    PUSH,
    RUN,
    SETUP,
    InPlace,
    Key,
    Message,
    Notice,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import BEGAN

NODE = "dunegpvm01.lab.example"
# What somebody may try: to end a header, a tag, a string or a line, to call everybody, to be taken for an encoded word.
ATTACKS = (
    "\r\nBcc: all@lab.example", "<script>alert(1)</script>", '"><img src=x onerror=y>', "</td></table>", "<!channel>",
    "@channel", "&lt;b&gt;", "=?utf-8?q?x?=", "=?utf-8?b?eA==?=", "\x1b[31m", "\x00", "\udcff", "\u202e", "\u2028",
    "{{ 7 * 7 }}", "{% raw %}", "%s%n", "\\", '"', "'", "*_~`", "\U0001f600", "&" * 300, "\n" * 50, "x" * 3000, "é",
)  # fmt: skip


def trouble(node: str = NODE, /, **changes: t.Any) -> Notice:
    """Give a push that failed three runs in a row."""
    values: dict[str, t.Any] = {
        "key": Key(PUSH, "dune_production", node),
        "experiment": "dune",
        "kind": "node_unreachable",
        "message": f"No ssh server answered at {node}.",
        "count": 3,
        "since": BEGAN - 7200,
        "in_place": InPlace(1, until=BEGAN + 10 + 31 * 3600),
    }
    return Notice(**{**values, **changes})


def setup_trouble(service: str = "dune_production", /, **changes: t.Any) -> Notice:
    """Give a service that could not be set up."""
    values: dict[str, t.Any] = {
        "key": Key(SETUP, service), "kind": "keytab_missing", "message": f"{service}: there is no keytab."
    }  # fmt: skip
    return trouble(**{**values, **changes})


def run_trouble(**changes: t.Any) -> Notice:
    """Give a run that failed as a whole."""
    values: dict[str, t.Any] = {
        "key": Key(RUN, "token-push"), "experiment": "", "kind": "bad_input", "message": "No experiment x.", "count": 0
    }  # fmt: skip
    return trouble(**{**values, **changes})


def end(node: str = "dunegpvm09.lab.example", /, **changes: t.Any) -> Notice:
    """Give the end of a trouble."""
    return trouble(node, **{"message": "", "count": 0, "is_recovery": True, **changes})


def message(*notices: Notice, **changes: t.Any) -> Message:
    """Give the administrators' message."""
    values: dict[str, t.Any] = {"experiment": "", "emails": ("admin@lab.example",), "notices": notices}
    return Message(**{**values, **changes})


def for_dune(*notices: Notice, **changes: t.Any) -> Message:
    """Give the message for an experiment's people."""
    return message(*notices, **{"experiment": "dune", "emails": ("a@lab.example", "b@lab.example"), **changes})


def many(number: int, **changes: t.Any) -> list[Notice]:
    """Give this many pairs that failed."""
    return [trouble(f"n{count}.lab.example", **changes) for count in range(number)]


def hostile_text() -> st.SearchStrategy[str]:
    """Give any text that is not empty, and often what an attacker would write."""
    parts = st.sampled_from(ATTACKS) | st.text(st.characters(), max_size=20)  # surrogates too
    return st.lists(parts, min_size=1, max_size=4).map(lambda found: "x" + "".join(found) + "x")


def hostile_notices(least: int = 0) -> st.SearchStrategy[list[Notice]]:
    """Give notices all of whose texts are hostile, at least so many."""
    words = hostile_text()
    return st.lists(
        st.builds(
            Notice,
            key=st.builds(Key, st.sampled_from((SETUP, PUSH, RUN)), words, words),
            experiment=words,
            kind=words | st.just("node_unreachable"),
            message=words,
            count=st.integers(0, 10**6),
            since=st.floats(),
            is_recovery=st.booleans(),
            in_place=st.none() | st.builds(InPlace, *(st.integers(0, 10**6),) * 3, st.floats()),
        ),
        min_size=least,
        max_size=5,
    )
