# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets: what libkrb5's words mean, and that no call holds up the run."""

from __future__ import annotations

import sys
import threading
import types
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    KerberosRefused,
    KeytabMissing,
    KeytabUnreadable,
    KeytabUnsafe,
    TimedOut,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import (
    ccache_path,
    check_keytab,
    keytab_remark,
    meaning_of,
    take_ticket,
    ticket_problem,
    within,
)

KEYTAB = Path("/srv/keytabs/dunepro.keytab")
GSS = "Major (851968): Unspecified GSS failure.  Minor code may provide more information, Minor (2529638919): {}"
WORDS: tuple[tuple[str, str], ...] = (
    ("Client 'dunepro@LAB.EXAMPLE' not found in Kerberos database", "principal_unknown"),
    ("Cannot contact any KDC for realm 'LAB.EXAMPLE'", "kdc_unreachable"),
    ('Cannot find KDC for realm "LAB.EXAMPLE"', "kdc_unreachable"),
    ('Cannot resolve servers for KDC in realm "LAB.EXAMPLE"', "kdc_unreachable"),
    ("Keytab contains no suitable keys for dunepro@LAB.EXAMPLE", "keytab_unreadable"),
    ("Unsupported key table format version number", "keytab_unreadable"),
    ("Preauthentication failed", "kerberos_refused"),
    ("Client's entry in database has expired", "kerberos_refused"),
    ("Clock skew too great", "kerberos_refused"),
    ("Client's credentials have been revoked", "kerberos_refused"),
)


@pytest.mark.parametrize(("words", "kind"), WORDS)
def test_meaning_of_words_is_a_kind_and_only_their_end_is_told(words: str, kind: str) -> None:
    error = meaning_of(GSS.format(words), "dunepro@LAB.EXAMPLE", KEYTAB)
    assert error.kind == kind
    assert error.msg == f"No ticket for dunepro@LAB.EXAMPLE from {KEYTAB}: {words}."


def test_meaning_of_words_without_a_minor_part_are_told_whole() -> None:
    assert meaning_of("Something\nodd.", "p", KEYTAB).msg == f"No ticket for p from {KEYTAB}: Something odd."


def test_meaning_of_a_keytab_without_the_principal() -> None:
    error = meaning_of(GSS.format("No credentials cache found (filename: /run/x/krb5cc_dune)"), "p@R", KEYTAB)
    assert (error.kind, error.msg) == ("keytab_unreadable", f"The keytab {KEYTAB} holds no key for p@R.")


def test_check_keytab_missing_and_unreadable_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(KeytabMissing, match="does not exist"):
        check_keytab(tmp_path / "a")
    with pytest.raises(KeytabUnreadable, match="cannot be read by UID"):
        check_keytab(tmp_path)
    (tmp_path / "a").touch(0o600)
    check_keytab(tmp_path / "a")


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o444])
def test_check_keytab_takes_what_only_its_owner_can_write(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "a").chmod(mode)
    check_keytab(tmp_path / "a")


@pytest.mark.parametrize("mode", [0o420, 0o402, 0o660, 0o666])
def test_check_keytab_refuses_what_others_can_write(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "a").chmod(mode)
    with pytest.raises(KeytabUnsafe) as caught:
        check_keytab(tmp_path / "a")
    assert caught.value.msg == (f"The keytab {tmp_path}/a can be written by others than its owner (mode {mode:04o}).")


def test_keytab_remark_names_each_that_others_can_read_once(tmp_path: Path) -> None:
    for name, mode in (("b", 0o440), ("a", 0o604), ("own", 0o400), ("mine", 0o600)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    paths = [str(tmp_path / name) for name in ("b", "a", "b", "own", "mine", "missing")]
    assert keytab_remark(paths) == (
        "Others than their owners may read these keytabs, and whoever does can have the services' tokens: "
        f"{tmp_path}/a (0604), {tmp_path}/b (0440). Mode 0400 is enough."
    )
    assert keytab_remark([*paths[3:], "\0"]) == ""


def test_keytab_remark_of_very_many_names_some(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number:02}").touch()
        (tmp_path / f"{number:02}").chmod(0o444)
    assert "/09 (0444) and 50 more. Mode" in keytab_remark(map(str, tmp_path.iterdir()))


class GssError(Exception):
    """What a fake gssapi raises."""


def fake_gssapi(monkeypatch: pytest.MonkeyPatch, answer: Exception | tuple[str, float | None]) -> list[dict[str, str]]:
    """Put a library in gssapi's place that gives a ticket of this name and life, or fails; give the stores it saw."""
    stores: list[dict[str, str]] = []

    def credentials(*, usage: str, store: dict[str, str], name: str = "") -> types.SimpleNamespace:
        stores.append(store)
        assert usage == "initiate"
        if isinstance(answer, Exception):
            raise answer
        return types.SimpleNamespace(name=answer[0], lifetime=answer[1])

    def context(*, name: str, creds: object, usage: str) -> types.SimpleNamespace:
        assert (name, usage) == ("host@n1.lab", "initiate")
        return types.SimpleNamespace(step=lambda: b"token")

    library = types.SimpleNamespace(
        Name=lambda principal, _kind: principal,
        NameType=types.SimpleNamespace(kerberos_principal=1, hostbased_service=2),
        Credentials=credentials,
        SecurityContext=context,
        exceptions=types.SimpleNamespace(GSSError=GssError),
    )
    monkeypatch.setitem(sys.modules, "gssapi", t.cast("types.ModuleType", library))
    return stores


@pytest.fixture
def keytab(tmp_path: Path) -> Path:
    """Give a keytab that can be read."""
    (tmp_path / "k").touch(0o600)
    return tmp_path / "k"


def test_take_ticket_gives_its_life_and_uses_the_cache_it_was_given(
    monkeypatch: pytest.MonkeyPatch, keytab: Path
) -> None:
    monkeypatch.setenv("KRB5CCNAME", "FILE:/tmp/krb5cc_somebody")
    stores = fake_gssapi(monkeypatch, ("p@R", 3600))
    assert take_ticket("p@R", keytab, Path("/run/x/cc")) == 3600.0
    assert stores == [{"client_keytab": f"FILE:{keytab}", "ccache": "FILE:/run/x/cc"}]


BAD_ANSWERS: tuple[tuple[Exception | tuple[str, float | None], str, str], ...] = (
    (GssError(GSS.format("Preauthentication failed")), "kerberos_refused", "Preauthentication failed."),
    (("other@R", 3600), "kerberos_refused", "is for other@R, not for p@R."),
    (("p@R", 0), "kerberos_refused", "has no life left"),
    (("p@R", None), "kerberos_refused", "has no life left"),
)


@pytest.mark.parametrize(("answer", "kind", "words"), BAD_ANSWERS)
def test_take_ticket_that_is_none_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
    keytab: Path,
    answer: Exception | tuple[str, float | None],
    kind: str,
    words: str,
) -> None:
    fake_gssapi(monkeypatch, answer)
    with pytest.raises(TokensError) as caught:
        take_ticket("p@R", keytab, Path("/run/x/cc"))
    assert caught.value.kind == kind
    assert words in caught.value.msg


NODE_TICKETS: tuple[tuple[str, str, bool], ...] = (
    ("Server host/n1.lab@R not found in Kerberos database", "node_ticket_refused", False),
    ("Ticket expired", "node_ticket_refused", False),
    ("Cannot contact any KDC for realm 'R'", "kdc_unreachable", True),
)


@pytest.mark.parametrize(("words", "kind", "is_retryable"), NODE_TICKETS)
def test_ticket_problem_is_told_of_the_node(
    monkeypatch: pytest.MonkeyPatch, words: str, kind: str, is_retryable: bool
) -> None:
    stores = fake_gssapi(monkeypatch, GssError(GSS.format(words)))
    found = ticket_problem("FILE:/run/x/cc", "n1.lab")
    assert found is not None
    assert (found.kind, found.retryable) == (kind, is_retryable)
    assert found.msg == f"No ticket for the ssh server n1.lab: {words}."
    assert stores == [{"ccache": "FILE:/run/x/cc"}]


def test_ticket_problem_is_none_when_the_ticket_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_gssapi(monkeypatch, ("p@R", 3600))
    assert ticket_problem("FILE:/run/x/cc", "n1.lab") is None


def test_ccache_path_is_the_services_own() -> None:
    assert ccache_path(Path("/run/x"), "a_b") != ccache_path(Path("/run/x"), "a_c")


def test_within_gives_the_answer_or_the_error_of_the_call() -> None:
    def refuse() -> t.NoReturn:
        raise KerberosRefused("no.")

    assert within(5.0, "it", lambda: None) is None
    with pytest.raises(KerberosRefused, match=r"^no\.$"):
        within(5.0, "it", refuse)


def test_within_call_that_hangs_is_left_and_told() -> None:
    released = threading.Event()
    try:
        with pytest.raises(TimedOut, match=r"^the KDC's answer took longer than 0.01 s\.$"):
            within(0.01, "the KDC's answer", released.wait)
    finally:
        released.set()
