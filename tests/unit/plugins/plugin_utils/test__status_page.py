# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page says the verdict first, loads nothing, survives hostile text and very many services."""

from __future__ import annotations

import base64
import hashlib
import re
import stat
import time
import typing as t
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    INTERRUPTED,
    ServiceStatus,
    Status,
    clean,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_view import View, view_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._status_page import page, write, write_after
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, node, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    bad_run,
    collected,
    good_run,
    refused_run,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import token_push
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at
from ansible_collections.fife.managed_tokens.tests.unit.plugins.status_scenes import (
    MAX_AGE_S,
    NOW,
    failing,
    judged,
    run_status,
    service_status,
    status,
    target,
)

BAD = service_status("nova_production", nodes=(failing("n3.lab.example"),))


class Structure(HTMLParser):
    """A page's tags with the names of their attributes, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.values: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _value in attrs)))
        self.values += [value or "" for _name, value in attrs]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def viewed(found: Status, **more: t.Any) -> View:
    return view_of(found, judged(found), **{"max_age": MAX_AGE_S, "environment": "production", **more})


def html_of(found: Status, **more: t.Any) -> str:
    return page(asdict(viewed(found, **more)), "", [])


@pytest.mark.parametrize(
    ("found", "title", "colour"),
    [
        (status(service_status()), "Tokens: all well", "green"),
        (status(service_status(uid_age=1e7)), "Tokens: 1 warning", "yellow"),
        (status(BAD, service_status()), "Tokens: 1 problem", "red"),
        (Status(NOW), "Tokens: 1 warning", "yellow"),
        (Status(NOW, trouble="locked"), "Tokens: 1 problem", "red"),
    ],
)
def test_page_begins_with_the_verdict(found: Status, title: str, colour: str) -> None:
    html = html_of(found)
    assert f"<title>{title}</title>" in html
    assert f'<header class="{colour}">' in html
    assert f"<h1>{title}</h1>" in html


def test_page_puts_problems_with_advice_and_since_when_before_the_services() -> None:
    texts = Structure(html_of(status(service_status(), BAD))).texts
    problem, advice, since, services = (
        texts.index(text)
        for text in (
            "nova_production on n3.lab.example",
            "Look at the node's sshd log; MaxStartups and an overloaded node are the usual causes.",
            "since 2026-09-21 13:43 UTC, 30 min ago; 2 runs in a row",
            "Services",
        )
    )
    assert advice < problem < since < services
    assert "dune_production on n3.lab.example: The connection was lost." in texts


def test_page_folds_what_is_well_and_puts_it_last() -> None:
    html = html_of(status(service_status(), BAD))
    assert re.findall(r"<details( open)?>\n<summary><span class=\"dot (\w+)\"></span>(\w+) ", html) == [
        (" open", "bad", "nova"),
        ("", "ok", "dune"),
    ]


def test_page_tells_how_each_place_stands() -> None:
    nodes = (
        target("a.lab.example"),
        failing("b.lab.example", told=NOW - 60),
        target("c.lab.example", ago=MAX_AGE_S + 1),
        target("d.lab.example", attempted=0.0, succeeded=0.0),
        target("e.one.example"),
        target("e.two.example"),
    )
    (section,) = viewed(status(service_status(nodes=nodes, held_by="run r9 (push)"))).sections
    (line,) = section.lines
    assert [(spot.name, spot.state, spot.words) for spot in line.nodes] == [
        ("a", "ok", "60 s"),
        ("b", "bad", "30 min"),
        ("c", "late", "3 h"),
        ("d", "never", "not yet"),
        ("e.one.example", "ok", "60 s"),
        ("e.two.example", "ok", "60 s"),
    ]
    assert (line.words, line.held_by) == ("failing for 30 min", "run r9 (push)")


def test_page_needs_nothing_else_and_lets_only_its_own_script_run() -> None:
    html = html_of(status(service_status(), BAD))
    assert not re.findall(r"(?:src|href|action)=\"(?!data:)", html)
    assert "url(" not in html
    assert "@import" not in html
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    (allowed,) = re.findall(r"script-src 'sha256-([^']+)'", html)
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() == allowed
    assert '<meta http-equiv="refresh"' in html
    assert "prefers-color-scheme: dark" in html


def hostile(words: str) -> Status:
    text = clean(words)
    message = clean(words, 400)
    odd = replace(
        service_status(nodes=(failing(text, kind=text, message=f"x{message}"), target(text))),
        name=f"a{text}",
        experiment=text,
        account=f"a{text}",
        held_by=f"a{text}",
    )
    run = run_status(INTERRUPTED, id=text, program=text, words=f"a{message}")
    return status(odd, recent=(run,), last=(run,), untold=((text, f"x{message}"),), label=f"a{text}")


@given(
    words=st.text(st.characters(), max_size=40)
    | st.sampled_from(("<script>", "\"'><b>", "{{ 1 }}", "--><!--", "</style>"))
)
@settings(max_examples=50)
def test_page_of_hostile_texts_has_the_tags_of_a_harmless_one(words: str) -> None:
    ours, harmless = (Structure(html_of(hostile(text), environment=f"x{text}")) for text in (words, "harmless"))
    assert ours.tags == harmless.tags


def test_page_of_a_megabyte_of_hostile_text_stays_small_and_shows_no_token() -> None:
    html = html_of(hostile(f"\x1b[31m<b onclick='x'>{CANARY}\r\n\u202e" + "<i>" * 350_000 + CANARY))
    assert len(html) < 40_000
    assert CANARY not in html
    assert "<b onclick" not in html
    assert not set(html) & set("\x1b\r\u202e")


def many(number: int) -> list[ServiceStatus]:
    return [
        service_status(
            f"exp{index // 10:03}_role{index % 10}",
            nodes=tuple(target(f"exp{index // 10:03}gpvm{one:02}.lab.example") for one in range(3)),
        )
        for index in range(number)
    ]


def test_page_of_a_thousand_services_on_three_nodes_is_whole_and_not_large() -> None:
    html = html_of(status(*many(1000)))
    found = Structure(html)
    assert found.tags.count(("details", ())) == 100
    assert sum("exp" in text and "_role" in text for text in found.texts) == 1000
    assert len(html) < 1_500_000


def test_page_of_thousands_of_failures_shows_some_and_counts_the_rest() -> None:
    bad = [replace(item, nodes=tuple(failing(one.name) for one in item.nodes)) for item in many(1000)]
    found = Structure(html_of(status(*bad)))
    assert "Tokens: 3,000 problems" in found.texts
    assert "... and 2,950 more" in found.texts


def test_page_an_operators_own_template_wins_and_a_broken_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "status.html.j2").write_text("{{ page.title }}, {{ page.sections[0].name }}")
    view, problems = asdict(viewed(status(replace(service_status(), experiment="<b>")))), []  # type: ignore[var-annotated]
    assert page(view, str(tmp_path), problems) == "Tokens: all well, &lt;b&gt;"
    assert problems == []
    (tmp_path / "status.html.j2").write_text("{{ page.nothing }}")
    assert page(view, str(tmp_path), problems).startswith("<!DOCTYPE html>")
    (problem,) = problems
    assert "status.html.j2" in problem


# -- written ------------------------------------------------------------------------


def test_write_replaces_the_page_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    assert write(str(path), "n\u00fc \udcff") == ""
    assert path.read_text() == "n\u00fc ?"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nowhere/page.html", "its directory does not exist"),
        ("", "cannot be written"),
        ("a\0b", "no file has such a name"),
    ],
)
def test_write_what_cannot_be_written_is_one_sentence(tmp_path: Path, path: str, why: str) -> None:
    problem = write(str(tmp_path / path) if path else str(tmp_path), "x")
    assert why in problem
    assert problem.count(". ") == 0


DUNE = service(nodes=(node("n1"),))


def written(tmp_path: Path, run: t.Any, /, trouble: str = "", **more: t.Any) -> tuple[str, str]:
    """Give the problem and the title of the page that is written after a run."""
    state = None if trouble else state_at(tmp_path / "state.db")
    own = ReportSettings(status_page=str(tmp_path / "page.html"), **more)
    problem = write_after(state, run, own, trouble)
    return problem, re.findall(r"<title>(.*)</title>", (tmp_path / "page.html").read_text())[0]


def test_write_after_a_good_run_is_green_and_after_a_failed_one_red(tmp_path: Path) -> None:
    state = state_at(tmp_path / "state.db")
    token_push(state, [DUNE], bad={("push", "dune_production", "n1")})
    assert written(tmp_path, bad_run()) == ("", "Tokens: 1 problem")
    token_push(state, [DUNE])
    assert written(tmp_path, good_run()) == ("", "Tokens: all well")


def test_write_after_what_the_database_cannot_know_is_never_green(tmp_path: Path) -> None:
    token_push(state_at(tmp_path / "state.db"), [DUNE])
    assert written(tmp_path, refused_run())[1] == "Tokens: 1 problem"
    assert written(tmp_path, collected([]))[1] == "Tokens: 1 problem"
    assert written(tmp_path, good_run(), trouble="The state database is another.")[1] == "Tokens: 1 problem"
    assert "The state database is another." in (tmp_path / "page.html").read_text()


def test_write_after_hides_secrets(tmp_path: Path) -> None:
    written(tmp_path, good_run(), trouble="No login with CanaryPassword.", database_password="CanaryPassword")
    text = (tmp_path / "page.html").read_text()
    assert "No login with [hidden]." in text


def test_write_after_a_wrong_age_is_told_and_the_default_counts(tmp_path: Path) -> None:
    token_push(state_at(tmp_path / "state.db"), [DUNE], ago=3600)
    problem, title = written(tmp_path, good_run(), status_max_age="soon")
    assert "managed_tokens_status_max_age is 'soon'" in problem
    assert title == "Tokens: all well"
    assert written(tmp_path, good_run(), status_max_age="30m")[1] == "Tokens: 1 problem"


def test_write_after_without_a_page_does_nothing(tmp_path: Path) -> None:
    assert write_after(state_at(tmp_path / "state.db"), good_run(), ReportSettings()) == ""
    assert list(tmp_path.iterdir()) == []


def test_page_is_as_young_as_the_run(tmp_path: Path) -> None:
    written(tmp_path, good_run())
    (epoch,) = re.findall(r'data-epoch="(\d+)"', (tmp_path / "page.html").read_text())
    assert abs(time.time() - int(epoch)) < 60
