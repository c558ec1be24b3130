# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values are read as the Go service reads them; its templates and its programs' options become ours."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_values as values
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_programs import (
    PingOptions,
    read_copier_options,
    read_ping_options,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_ssh import SshOptions, read_ssh_options
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_templates import (
    PRINCIPAL_FIELDS,
    ROLE_FILE_FIELDS,
    translate,
)

DURATIONS: dict[str, float | None] = {
    "300s": 300,
    "1m30s": 90,
    "1h": 3600,
    "1.5m": 90,
    ".5s": 0.5,
    "1.s": 1,
    "250ms": 0.25,
    "1us": 1e-6,
    "1\u00b5s": 1e-6,
    "1\u03bcs": 1e-6,
    "7ns": 7e-9,
    "-5s": -5,
    "+5s": 5,
    "0": 0,
    "10": None,
    "": None,
    "s": None,
    ".s": None,
    "3d": None,
    "5 s": None,
    "1m 30s": None,
    "5S": None,
    "1e3s": None,
    "s5": None,
    "--5s": None,
}


@pytest.mark.parametrize("text", sorted(DURATIONS))
def test_duration_is_what_go_takes_it_for(text: str) -> None:
    wanted = DURATIONS[text]
    assert values.duration(text) == (None if wanted is None else pytest.approx(wanted))


@given(st.text("0123456789.+-nusmh\u00b5 ", max_size=30))
def test_duration_never_raises(text: str) -> None:
    found = values.duration(text)
    assert found is None or isinstance(found, float)


READ: tuple[tuple[t.Callable[..., t.Any], t.Any, t.Any], ...] = (
    (values.text_of, " a b ", "a b"),
    (values.names_of, "a  b\ta", ["a", "b"]),
    (values.names_of, ["a", " b ", ""], ["a", "b"]),
    (values.names_of, "a,b", ["a,b"]),
    (values.collectors_of, "a, b,,c", ["a", "b", "c"]),
    (values.truth_of, "T", True),
    (values.truth_of, "0", False),
    (values.truth_of, False, False),
    (values.whole_of, "3", 3),
    (values.whole_of, "2.0", 2),
    (values.whole_of, "1.9999999999", 2),
    (values.whole_of, "1.9", 1),
    (values.whole_of, "1e2", 100),
    (values.seconds_of, "1m", 60.0),
    *((reader, None, None) for reader in (values.text_of, values.names_of, values.truth_of, values.whole_of)),
)


@pytest.mark.parametrize(("reader", "value", "wanted"), READ)
def test_values_are_read(reader: t.Callable[..., t.Any], value: t.Any, wanted: t.Any) -> None:
    notes = Notes()
    assert reader("key", value, notes) == wanted
    assert notes == Notes()


REFUSED: tuple[tuple[t.Callable[..., t.Any], t.Any, str], ...] = (
    (values.text_of, ["a"], "key is a list; it has to be text on one line."),
    (values.text_of, True, "key is True; it has to be text on one line."),
    (values.text_of, "a\nb", "key is 'a\\nb'; it has to be text on one line."),
    (values.names_of, {"a": "b"}, "key is a dict; it has to be a list of texts, or one text with spaces between them."),
    (values.names_of, [["a"]], "key is a list; it has to be a list of texts, or one text with spaces between them."),
    (values.truth_of, "yes", "key is 'yes'; it has to be true or false."),
    (values.whole_of, "many", "key is 'many'; it has to be a whole number of at least 0."),
    (values.whole_of, "-1", "key is '-1'; it has to be a whole number of at least 0."),
    (values.whole_of, "1e300", "key is '1e300'; it has to be a whole number of at least 0."),
    (values.whole_of, True, "key is True; it has to be a whole number of at least 0."),
    (values.seconds_of, "0s", "key is '0s'; it has to be a duration of more than 0 s and at most 1000000 s."),
    (values.seconds_of, "-1s", "key is '-1s'; it has to be a duration of more than 0 s and at most 1000000 s."),
)


@pytest.mark.parametrize(("reader", "value", "problem"), REFUSED)
def test_values_of_another_kind_are_problems(reader: t.Callable[..., t.Any], value: t.Any, problem: str) -> None:
    notes = Notes()
    assert reader("key", value, notes) is None
    assert notes == Notes(problems=[problem])


def test_seconds_of_what_go_does_not_understand_is_a_warning_as_there() -> None:
    notes = Notes()
    assert values.seconds_of("key", "10", notes) is None
    assert notes.warnings == ["key is '10'; it has to be a duration like 90s or 1m30s. It does not count."]


TEMPLATES = {
    "{{.Account}}/x@R": "{account}/x@R",
    "{{ .Account }}@R": "{account}@R",
    "{{/* who */}}{{.Account}}": "{account}",
    '{{"x"}}/{{`y`}}': "x/y",
    "{{(.Account)}}": "{account}",
    "plain": "plain",
    "": "",
}


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_translate_gives_our_placeholders(template: str) -> None:
    notes = Notes()
    assert translate("key", template, PRINCIPAL_FIELDS, notes) == TEMPLATES[template]
    assert notes == Notes()


def test_translate_trims_as_go_does() -> None:
    assert translate("key", "a {{- .Account -}}  b", PRINCIPAL_FIELDS, Notes()) == "a{account}b"
    assert translate("key", "a {{-.Account}}", PRINCIPAL_FIELDS, Notes()) is None


def test_translate_every_field_of_the_role_file() -> None:
    template = "/{{.Account}}{{.DesiredUID}}{{.Experiment}}{{.Role}}{{.Name}}{{.UserPrincipal}}"
    assert (
        translate("key", template, ROLE_FILE_FIELDS, Notes()) == "/{account}{uid}{experiment}{role}{service}{principal}"
    )


@pytest.mark.parametrize(
    ("template", "quoted"),
    [
        ("{{.Acount}}", "{{.Acount}}"),
        ("{{.DesiredUID}}", "{{.DesiredUID}}"),
        ('a{{printf "%s" .Account}}', '{{printf "%s" .Account}}'),
        ("{{.Account | html}}", "{{.Account | html}}"),
        ("{{if .Account}}x{{end}}", "{{if .Account}}"),
        ("{{.Account", "{{.Account"),
        ("{account}", "{account}"),
        ("{{.Account}}}", "}"),
        ('{{"{"}}', '{{"{"}}'),
        ("{{.A.B}}", "{{.A.B}}"),
        ("{{}}", "{{}}"),
    ],
)
def test_translate_quotes_what_it_cannot(template: str, quoted: str) -> None:
    notes = Notes()
    assert translate("key", template, PRINCIPAL_FIELDS, notes) is None
    assert notes.problems == [f"key holds {quoted!r}, which cannot be translated; {{{{.Account}}}} can be."]


@given(st.text('{}.-`"\\ Acount/*|@x', max_size=60))
def test_translate_gives_a_usable_template_or_a_problem(template: str) -> None:
    notes = Notes()
    found = translate("key", template, PRINCIPAL_FIELDS, notes)
    assert (found is None) == bool(notes.problems)
    assert found is None or not set(found.replace("{account}", "")) & {"{", "}"}


SSH: dict[str, tuple[SshOptions, list[str]]] = {
    "-o ConnectTimeout=10 -o GSSAPIAuthentication=yes": (SshOptions(connect_timeout=10), []),
    "-o Port=2222": (SshOptions(port=2222), []),
    "-o port=2222 -o StrictHostKeyChecking=yes": (SshOptions(port=2222), []),
    "-o UserKnownHostsFile='/a /b' -o GlobalKnownHostsFile=/c": (SshOptions(known_hosts=("/a", "/b", "/c")), []),
    "-o KexAlgorithms=a,b": (SshOptions(kex_algorithms=("a", "b")), []),
    "-o KexAlgorithms=+a": (SshOptions(), ["o KexAlgorithms"]),
    "-o StrictHostKeyChecking=no": (SshOptions(), ["o StrictHostKeyChecking"]),
    "-o UserKnownHostsFile=/dev/null": (SshOptions(), ["o UserKnownHostsFile (host keys are always verified)"]),
    "-o ServerAliveInterval=5 -o ServerAliveInterval=5": (SshOptions(), ["o ServerAliveInterval"]),
    "-p 22": (SshOptions(), ["o -p (the Go service drops it too)", "o 22 (the Go service drops it too)"]),
    "-oPort=1": (SshOptions(), ["o -oPort (the Go service drops it too)"]),
    "": (SshOptions(), []),
}


@pytest.mark.parametrize("text", sorted(SSH))
def test_read_ssh_options(text: str) -> None:
    notes = Notes()
    found = read_ssh_options("o", text, notes)
    assert (found, notes.not_applicable, notes.problems) == (*SSH[text], [])


@pytest.mark.parametrize("text", ["-o Port=x", "-o Port=0", "-o Port=65536", "-o ConnectTimeout=0", "-o 'Port=1"])
def test_read_ssh_options_that_are_wrong_are_problems(text: str) -> None:
    notes = Notes()
    read_ssh_options("o", text, notes)
    assert len(notes.problems) == 1


PING: dict[str, tuple[PingOptions, list[str]]] = {
    "-W 2 -c 2": (PingOptions(("-W", "2", "-c", "2"), 1.0), []),
    "-c5 -i 0.5": (PingOptions(("-c5", "-i", "0.5"), 2.0), []),
    "-4 -W5": (PingOptions(("-4", "-W5"), 0.0), []),
    "host -4": (PingOptions(("-4",), 0.0), ["o 'host' (no option of ping)"]),
    "-4 host": (PingOptions(("-4",), 0.0), ["o 'host' (no option of ping)"]),
    "--": (PingOptions(), ["o '--' (no option of ping)"]),
    "": (PingOptions(), []),
}


@pytest.mark.parametrize("text", sorted(PING))
def test_read_ping_options(text: str) -> None:
    notes = Notes()
    found = read_ping_options("o", text, notes)
    assert (found, notes.not_applicable, notes.problems) == (*PING[text], [])


def test_read_ping_options_without_a_value_and_with_open_quotes_are_problems() -> None:
    notes = Notes()
    read_ping_options("o", "-W", notes)
    read_ping_options("o", "'", notes)
    assert notes.problems == [
        "o ends with -W, which needs a value.",
        "o cannot be split into words: no closing quotation.",
    ]


def test_without_count_keeps_all_the_rest() -> None:
    assert read_ping_options("o", "-W 2 -c 9 -i 3 -4 -c8", Notes()).without_count().words == ("-W", "2", "-4")


def test_read_copier_options_notes_what_asks_for_more_than_mode_0400() -> None:
    notes = Notes()
    read_copier_options("o", "--perms --chmod=u=r,go= -p --chmod=F0400", notes)
    assert notes == Notes()
    read_copier_options("o", "--chmod=a=r --bwlimit=100 -z", notes)
    assert notes.not_applicable == ["o --chmod", "o --bwlimit", "o -z"]
