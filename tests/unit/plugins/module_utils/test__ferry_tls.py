# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the connections trust and who they are; every bad file is told, and nobody is asked for a passphrase."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _ferry_tls as tls
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki


def context_of(ca: object = "", cert: object = "", key: object = "") -> tuple[ssl.SSLContext, list[str]]:
    problems: list[str] = []
    return tls.client_context(str(ca), str(cert), str(key), problems), problems


def subjects(context: ssl.SSLContext) -> list[str]:
    """Give the names of the CAs that a context trusts."""
    return [dict(part[0] for part in ca["subject"])["commonName"] for ca in context.get_ca_certs()]  # type: ignore[misc]


def test_client_context_trusts_the_named_file_only_and_checks_names(pki: Pki) -> None:
    context, problems = context_of(pki.ca)
    assert problems == []
    assert subjects(context) == ["loopback CA"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_client_context_directory_needs_no_links_and_may_hold_other_files(pki: Pki, tmp_path: Path) -> None:
    shutil.copy(pki.ca, tmp_path / "one.crt")
    shutil.copy(pki.stranger_cert, tmp_path / "two.pem")
    shutil.copy(pki.client_key, tmp_path / "key.pem")
    shutil.copy(pki.server_cert, tmp_path / "not-meant.txt")
    context, problems = context_of(tmp_path)
    assert problems == []
    assert sorted(subjects(context)) == ["loopback CA", "stranger"]


def test_client_context_without_a_setting_trusts_the_systems(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "system_ca", lambda: str(pki.stranger_cert))
    context, problems = context_of()
    assert problems == []
    assert subjects(context) == ["stranger"]


@pytest.mark.parametrize(("cert", "key"), [("client", ""), ("client_cert", "client_key"), ("client", "client_key")])
def test_client_context_takes_certificate_and_key_in_one_file_or_two(pki: Pki, cert: str, key: str) -> None:
    assert context_of(pki.ca, getattr(pki, cert), getattr(pki, key) if key else "")[1] == []


BAD: tuple[tuple[str, str, str], ...] = (
    ("missing", "", "managed_tokens_ferry_cert: {missing} does not exist."),
    ("directory", "", "managed_tokens_ferry_cert: {directory} is no file that can be read."),
    ("client", "missing", "managed_tokens_ferry_key: {missing} does not exist."),
    (
        "client_cert",
        "stranger_key",
        (
            "managed_tokens_ferry_key: {stranger_key} holds a key that does not belong to the certificate "
            "in {client_cert}."
        ),
    ),
    (
        "client_cert",
        "client_encrypted",
        "managed_tokens_ferry_key: {client_encrypted} holds an encrypted key; it has to be one without a passphrase.",
    ),
    (
        "client_cert",
        "",
        (
            "managed_tokens_ferry_cert: {client_cert} holds no key in PEM form that can be used; "
            "name the key's file in managed_tokens_ferry_key."
        ),
    ),
    (
        "client_cert",
        "garbage",
        "managed_tokens_ferry_key: {garbage} holds no key in PEM form that can be used.",
    ),
    ("garbage", "client_key", "managed_tokens_ferry_cert: {garbage} holds no certificate in PEM form."),
    ("client_key", "client_key", "managed_tokens_ferry_cert: {client_key} holds no certificate in PEM form."),
)


@pytest.mark.parametrize(("cert", "key", "words"), BAD)
def test_client_context_bad_identity_is_told(pki: Pki, tmp_path: Path, cert: str, key: str, words: str) -> None:
    (tmp_path / "garbage").write_text("hello")
    own = {"missing": tmp_path / "missing", "directory": tmp_path, "garbage": tmp_path / "garbage"}
    paths = {name: own.get(name) or getattr(pki, name) for name in (cert, key) if name}
    assert context_of(pki.ca, paths[cert], paths[key] if key else "")[1] == [words.format(**paths)]


BAD_CAS: tuple[tuple[str, str], ...] = (
    ("missing", "does not exist."),
    ("garbage.txt", "holds no certificate in PEM form."),
    ("empty", "holds no *.pem or *.crt files."),
    ("keys", "holds no certificate in PEM form."),
)


@pytest.mark.parametrize(("name", "words"), BAD_CAS)
def test_client_context_bad_ca_is_told(pki: Pki, tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "garbage.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "keys").mkdir()
    shutil.copy(pki.client_key, tmp_path / "keys" / "key.pem")
    assert context_of(tmp_path / name)[1] == [f"managed_tokens_ferry_ca: {tmp_path / name} {words}"]


def test_client_context_all_problems_are_told_together(pki: Pki, tmp_path: Path) -> None:
    problems = context_of(tmp_path / "a", tmp_path / "b", tmp_path / "c")[1]
    assert [problem.partition(":")[0] for problem in problems] == [
        "managed_tokens_ferry_ca",
        "managed_tokens_ferry_cert",
        "managed_tokens_ferry_key",
    ]
