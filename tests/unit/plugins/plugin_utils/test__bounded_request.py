# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is posted arrives whole, what can pass is tried again, and no problem holds a secret."""

from __future__ import annotations

import ssl
import threading
import time
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
    saying,
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


OK, BUSY = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 503 Busy\r\n"
NO_HTTP = "The sink answered with something that is no HTTP."
# What a server says, and what it goes on saying without end.
STRANGE: dict[str, tuple[bytes, bytes, str]] = {
    "body is cut": (OK + b"Content-Length: 100\r\n\r\nabc", b"", ""),
    "no chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nsecret\r\nabc", b"", ""),
    "chunk is cut": (OK + b"Transfer-Encoding: chunked\r\n\r\n10\r\nabc", b"", ""),
    "refusal's chunk is cut": (
        BUSY + b"Transfer-Encoding: chunked\r\n\r\n10\r\nabc",
        b"",
        "The sink answered with HTTP 503.",
    ),
    "body without end": (OK + b"\r\n", b"x" * 65536, ""),
    "chunks without end": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n", ""),
    "claims to be packed": (OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", b"", ""),
    "two lengths": (OK + b"Content-Length: 3, 4\r\n\r\nabc", b"", NO_HTTP),
    "headers without end": (OK, b"X-A: " + b"x" * 60000 + b"\r\n", NO_HTTP),
}


@pytest.mark.parametrize("name", STRANGE)
def test_post_answers_that_are_strange_are_bounded_and_raise_nothing(name: str) -> None:
    said, on_and_on, problem = STRANGE[name]
    with saying(said, on_and_on=on_and_on) as (url, _heard):
        reply = sent(url)
    assert reply.problem == problem
    assert len(reply.body) <= bounded_request.ANSWER_LIMIT


@pytest.mark.parametrize(("said", "drop"), [(OK + b"Content-Length: 9999\r\n\r\n", b"x"), (OK, b"X-A: b\r\n")])
def test_post_to_one_who_answers_in_drips_ends(said: bytes, drop: bytes) -> None:
    with saying(said, on_and_on=drop, pause=0.02) as (url, _heard):
        assert sent(url, SHORT).problem == "The sink did not answer within 0.2 s."


def test_post_that_was_taken_is_not_sent_again_for_a_broken_answer() -> None:
    with saying(STRANGE["no chunk"][0]) as (url, heard):
        assert sent(url, Limits(20.0, 5)).problem == ""
    assert len(heard) == 1


def test_post_to_one_who_never_answers_ends() -> None:
    with silent() as url:
        assert sent(url, SHORT).problem == "The sink did not answer within 0.2 s."


def test_post_that_shares_its_time_ends_with_it_and_names_the_whole() -> None:
    with silent() as url:
        limits = Limits(60.0, 3, time.monotonic() + 0.2)
        assert sent(url, limits).problem == "The sink did not answer within 60 s."


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


def test_post_over_tls_trusts_only_the_cas_given(pki: Pki, server_tls: ssl.SSLContext) -> None:
    with receiver((200, b""), context=server_tls) as sink:
        assert sent(sink.url, ca=str(pki.ca)).problem == ""
        problem = sent(sink.url, ca=str(pki.stranger_cert)).problem
        assert problem.startswith("The sink has a certificate that is not verified: ")
    assert len(sink.posted) == 1


def test_post_without_readable_cas_says_which(tmp_path: Path, pki: Pki) -> None:
    missing = tmp_path / "missing.pem"
    for ca, reason in ((missing, "No such file or directory"), (pki.ca_key, "")):
        problem = sent("https://127.0.0.1:1", ca=str(ca)).problem
        assert problem.startswith(f"The sink was not asked: the CA certificates in {ca} cannot be read ({reason}")
