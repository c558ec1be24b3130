# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is posted arrives whole, what can pass is tried again, and no problem holds a secret."""

from __future__ import annotations

import ssl
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _bounded_request as bounded_request
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._bounded_request import (
    Limits,
    Reply,
    Request,
    send,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import (
    closed_port,
    receiver,
    silent,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki

LIMITS = Limits(20.0, 1)
SHORT = Limits(0.2, 3)


def sent(url: str, limits: Limits = LIMITS, headers: t.Mapping[str, str] | None = None, **more: t.Any) -> Reply:
    """Post x."""
    address = Address.of(url)
    assert address is not None
    return send(Request(address, b"x", headers or {}, **more), limits, name="The sink")


def test_post_sends_body_headers_and_login_and_gives_the_answer() -> None:
    with receiver((200, b"thanks")) as sink:
        reply = sent(sink.url.replace("//", "//user:word@") + "/p?q=1", headers={"Content-Type": "text/x"})
    assert reply == Reply("", b"thanks")
    assert [(item.path, item.body) for item in sink.posted] == [("/p?q=1", b"x")]
    headers = sink.posted[0].headers
    assert (headers["Content-Type"], headers["Authorization"]) == ("text/x", "Basic dXNlcjp3b3Jk")


ANSWERS: tuple[tuple[list[tuple[int, bytes]], str, int], ...] = (
    ([(503, b"busy"), (204, b"")], "", 2),
    ([(429, b"slow down."), (429, b"slow down.")], "The sink answered with HTTP 429 (slow down).", 2),
    ([(500, b"")], "The sink answered with HTTP 500.", 2),
    ([(0, b""), (200, b"")], "", 2),
    ([(0, b"")], "The sink closed the connection without an answer.", 2),
    ([(400, b"\x1b[1mno\r\n<b>\x00" + CANARY.encode())], "The sink answered with HTTP 400 (no <b>[redacted]).", 1),
    ([(302, b"")], "The sink answered with HTTP 302.", 1),
    ([(404, b"you sent Basic dXNlcjp3b3Jk")], "The sink answered with HTTP 404.", 1),
)


@pytest.mark.parametrize(("replies", "problem", "attempts"), ANSWERS)
def test_post_repeats_only_what_can_pass(replies: list[tuple[int, bytes]], problem: str, attempts: int) -> None:
    with receiver(*replies) as sink:
        assert sent(sink.url.replace("//", "//user:word@")).problem == problem
    assert len(sink.posted) == attempts


def test_post_to_nobody_says_so() -> None:
    assert sent(f"http://127.0.0.1:{closed_port()}/secret").problem == "The sink cannot be reached: Connection refused."


def test_post_to_one_who_never_answers_ends() -> None:
    with silent() as url:
        assert sent(url, SHORT).problem == "The sink did not answer within 0.2 s."


def test_post_when_the_name_service_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = threading.Event()

    def once(*_arguments: t.Any, **_options: t.Any) -> Reply:
        hangs.wait(60)
        return Reply()

    monkeypatch.setattr(bounded_request, "_once", once)
    assert sent("http://h", SHORT).problem == "The sink did not answer within 0.2 s."
    hangs.set()


@pytest.mark.parametrize("retries", [0, -1])
def test_post_without_retries_tries_once(retries: int) -> None:
    with receiver((503, b"")) as sink:
        assert sent(sink.url, Limits(20.0, retries)).problem == "The sink answered with HTTP 503."
    assert len(sink.posted) == 1


@pytest.mark.parametrize(
    ("url", "headers"), [("http://h/a b secret", {}), ("http://h/", {"A": "secret\nB: c"}), ("http://h..x/", {})]
)
def test_post_what_http_cannot_carry_is_refused_without_quoting_it(url: str, headers: dict[str, str]) -> None:
    problem = sent(url, headers=headers).problem
    assert problem.startswith("The sink was not asked: its URL")
    assert "secret" not in problem


def test_post_to_what_is_no_web_server_says_so() -> None:
    with receiver((200, b"")) as sink:
        reply = sent(sink.url.replace("http", "https"), Limits(20.0))
    assert reply.problem == "The sink and this machine do not agree on TLS."


def test_post_over_tls_trusts_only_the_cas_given(pki: Pki) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server)
    with receiver((200, b""), context=context) as sink:
        assert sent(sink.url, ca=str(pki.ca)).problem == ""
        problem = sent(sink.url, ca=str(pki.stranger_cert)).problem
        assert problem.startswith("The sink has a certificate that is not verified: ")
    assert len(sink.posted) == 1


def test_post_without_readable_cas_says_which(tmp_path: Path, pki: Pki) -> None:
    missing = tmp_path / "missing.pem"
    for ca, reason in ((missing, "No such file or directory"), (pki.ca_key, "")):
        problem = sent("https://127.0.0.1:1", ca=str(ca)).problem
        assert problem.startswith(f"The sink was not asked: the CA certificates in {ca} cannot be read ({reason}")
