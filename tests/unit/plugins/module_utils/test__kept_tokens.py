# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a token, which of two is the better one, and what is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import TokenInvalid
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import (
    Chosen,
    checked_token,
    choose_kept,
    is_better,
    keep,
    look,
    prepare_directories,
    token_text,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life, nothing_known
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, TOKEN, service


@pytest.mark.parametrize("content", [TOKEN, TOKEN.strip(), b" \n" + TOKEN + b"\n\n", b"s." + b"a" * 24])
def test_checked_token_gives_one_line(content: bytes) -> None:
    assert checked_token(content, "x") == content.strip() + b"\n"


NO_TOKENS: tuple[tuple[bytes | None, str], ...] = (
    (None, "x: the token file is missing."),
    (b"", "x: the token file is empty."),
    (b" \n", "x: the token file is empty."),
    (b"hvs.short", "x: the file holds no vault token (9 bytes; a token begins with hvs. or s.)."),
    (b"eyJhbGciOiJSUzI1NiJ9", "x: the file holds no vault token (20 bytes; a token begins with hvs. or s.)."),
    (TOKEN[:20] + b" " + TOKEN[20:], "x: the file holds no vault token"),
    (TOKEN + TOKEN, "x: the file holds no vault token"),
    (b"hvs." + b"a" * 5000, "x: the file holds no vault token"),
    (b"hvs.\xc3\xa4" + b"a" * 24, "x: the file holds no vault token"),
    (b"hvs.aaaaaa\x00" + b"a" * 24, "x: the file holds no vault token"),
    (b"hvs.aaaaaa\x1b[0m" + b"a" * 24, "x: the file holds no vault token"),
)


@pytest.mark.parametrize(("content", "words"), NO_TOKENS)
def test_checked_token_of_anything_else_is_invalid_and_not_quoted(content: bytes | None, words: str) -> None:
    with pytest.raises(TokenInvalid) as caught:
        checked_token(content, "x")
    assert caught.value.msg.startswith(words)
    assert "aaa" not in caught.value.msg
    assert "Canary" not in caught.value.msg


def test_token_text_is_bare() -> None:
    assert token_text(TOKEN) == CANARY


# found, kept, is found the better one
LIVES: tuple[tuple[Life, Life | None, bool], ...] = (
    (Life(200.0), Life(150.0), True),
    (Life(150.0), Life(200.0), False),
    (Life(150.0), Life(150.0), False),
    (Life(150.0), None, True),
    (Life(90.0), None, False),
    (Life(), None, False),
    # What vault did not say anything of may have days left.
    (Life(150.0), Life(), False),
    (Life(150.0), Life(remark="HTTP 503"), False),
    (Life(), Life(150.0), False),
    (Life(), Life(), False),
    (Life(90.0), Life(), False),
    (Life(150.0), Life(500.0, refused=True), True),
    (Life(500.0, refused=True), Life(), False),
    (Life(remark="silent"), Life(refused=True), False),
)


@pytest.mark.parametrize(("found", "kept", "wanted"), LIVES)
def test_is_better_only_what_is_known_to_live_longer(found: Life, kept: Life | None, wanted: bool) -> None:
    assert is_better(found, kept, now=100.0) is wanted


def test_look_and_keep_go_round(tmp_path: Path) -> None:
    owner = service(token_dir=str(tmp_path))
    kept = look(owner, "credd1")
    assert (kept.content, kept.remark) == (None, "")
    keep(kept, TOKEN)
    assert look(owner, "credd1").content == TOKEN
    assert look(owner, "credd2").content is None
    assert kept.path == tmp_path / f"vt_u{os.getuid()}-credd1-dune_production"


def test_look_unusable_file_is_a_remark(tmp_path: Path) -> None:
    owner = service(token_dir=str(tmp_path))
    look(owner, "credd1").path.write_bytes(b"rubbish")
    look(owner, "credd2").path.symlink_to("/etc/hostname")
    for credd, words in (("credd1", "holds no vault token"), ("credd2", "Cannot read")):
        assert look(owner, credd).content is None
        assert words in look(owner, credd).remark


def test_prepare_directories_makes_them_and_removes_old_leftovers(tmp_path: Path) -> None:
    directory = tmp_path / "tokens"
    assert prepare_directories([service(token_dir=str(directory))]) == {}
    old, young, other = (directory / name for name in (".vt_u1-a.1.tmp", ".vt_u1-a.2.tmp", "vt_u1-a"))
    for path in (old, young, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (1000, 1000))
    prepare_directories([service(token_dir=str(directory))])
    assert not old.exists()
    assert young.exists()
    assert other.exists()


def test_prepare_directories_errors_are_told_by_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    errors = prepare_directories([service(token_dir=str(tmp_path / "file")), service(token_dir=str(tmp_path / "fine"))])
    assert errors.keys() == {str(tmp_path / "file")}
    assert (tmp_path / "fine").is_dir()


# What vault says of the tokens kept for credds a, b and c, written in this order, and which is chosen with what to say.
SILENT = Life(remark="silent")
REFUSED = Life(refused=True, remark="not accepted")
KEPT: tuple[tuple[dict[str, Life], str, str, str], ...] = (
    ({}, "", "", ""),
    ({"a": SILENT, "b": SILENT}, "b", "silent", ""),
    ({"a": Life(900.0), "b": Life(800.0)}, "a", "", ""),
    ({"a": Life(900.0), "b": SILENT}, "a", "", ""),
    ({"a": Life(700.0), "b": REFUSED}, "a", "", ""),
    ({"a": SILENT, "b": REFUSED}, "a", "silent", ""),
    ({"a": Life(700.0), "b": Life(600.0), "c": Life(500.0)}, "a", "", ""),
    ({"a": Life(90.0), "b": Life(101.0)}, "b", "", ""),
    ({"a": REFUSED}, "", "", "not accepted"),
    ({"a": Life(100.0)}, "", "", "its life is over"),
)


@pytest.mark.parametrize(("known", "chosen", "remark", "refused"), KEPT)
def test_choose_kept_takes_what_lives_longest_and_else_what_is_newest(
    tmp_path: Path, known: dict[str, Life], chosen: str, remark: str, refused: str
) -> None:
    owner = service(token_dir=str(tmp_path), credds=(Credd("a"), Credd("b"), Credd("c"), Credd("rubbish")))
    tokens = {f"hvs.{name * 20}": life for name, life in known.items()}
    for age, name in enumerate([*known, "rubbish"]):
        path = look(owner, name).path
        path.write_text(f"hvs.{name * 20}\n" if name in known else "nothing", encoding="ascii")
        os.utime(path, (1000 + age, 1000 + age))

    def lives(server: str, token: str) -> Life:
        assert server == "vault.lab.example"
        return tokens[token]

    wanted = str(look(owner, chosen).path) if chosen else ""
    expires = (known[chosen].expires or 0.0) if chosen else 0.0
    assert choose_kept(owner, lives, now=100.0) == Chosen(wanted, remark, expires, refused)


def test_choose_kept_without_credds_takes_the_service_s_own(tmp_path: Path) -> None:
    owner = service(token_dir=str(tmp_path), credds=())
    keep(look(owner, ""), TOKEN)
    assert choose_kept(owner, nothing_known, now=100.0) == Chosen(str(look(owner, "").path))
