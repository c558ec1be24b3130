# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pushgateway gets everything at once or a sentence says why not, and its login is never shown."""

from __future__ import annotations

import base64
import os
import ssl
import stat
import typing as t
from pathlib import Path

import prometheus_client
import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_push import job_of, push, write_textfile
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import Snapshot
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_metrics import render
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import (
    Answer,
    Posted,
    closed_port,
    receiver,
    silent,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki, plain_server

REGISTRY = render(Snapshot(1.0))
WORDS = prometheus_client.generate_latest(REGISTRY)
PASSWORD = "s3cret-pässword"


def settings(url: str, /, **more: t.Any) -> ReportSettings:
    return ReportSettings(**{"pushgateway": url, "send_retries": 0, **more})


def authorization_of(put: Posted) -> str:
    return put.headers.get("Authorization", "")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


# -- what is pushed, and where ---------------------------------------------------------


def test_push_puts_everything_at_once() -> None:
    with receiver((200, b"")) as server:
        assert push(REGISTRY, settings(server.url)) == ""
    [put] = server.posted
    assert (put.method, put.path, authorization_of(put), put.body) == ("PUT", "/metrics/job/managed_tokens", "", WORDS)


JOB = "/metrics/job/managed_tokens"
PATHS: tuple[tuple[str, dict[str, t.Any], str], ...] = (
    ("/", {}, "/metrics/job/managed_tokens"),
    ("/behind/a/proxy/", {}, "/behind/a/proxy/metrics/job/managed_tokens"),
    ("", {"environment": "integration"}, "/metrics/job/managed_tokens_integration"),
    ("", {"environment": "", "pushgateway_job": "a b"}, "/metrics/job@base64/YSBi"),
    ("", {"pushgateway_grouping": {"site": "fnal", "instance": ""}}, f"{JOB}/instance@base64/=/site/fnal"),
    ("", {"pushgateway_grouping": {"number": 3, "x": "a/b%?#"}}, f"{JOB}/number/3/x@base64/YS9iJT8j"),
)  # fmt: skip


@pytest.mark.parametrize(("path", "more", "asked"), PATHS)
def test_push_group_is_job_and_grouping(path: str, more: dict[str, t.Any], asked: str) -> None:
    with receiver((200, b"")) as server:
        assert push(REGISTRY, settings(server.url + path, **more)) == ""
    assert [put.path for put in server.posted] == [asked]


def test_job_of_production_is_the_job_alone() -> None:
    assert job_of(ReportSettings()) == "managed_tokens"
    assert job_of(ReportSettings(pushgateway_job="x", environment="dev")) == "x_dev"


@pytest.mark.parametrize(
    ("login", "more", "sent"),
    [
        ("", {"pushgateway_user": "me", "pushgateway_password": PASSWORD}, basic("me", PASSWORD)),
        ("you:there@", {}, basic("you", "there")),
        ("you:there@", {"pushgateway_user": "me", "pushgateway_password": PASSWORD}, basic("me", PASSWORD)),
    ],
)
def test_push_logs_in(login: str, more: dict[str, str], sent: str) -> None:
    with receiver((200, b"")) as server:
        assert push(REGISTRY, settings(f"http://{login}{server.host}", **more)) == ""
    assert [authorization_of(put) for put in server.posted] == [sent]


def test_push_takes_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    with receiver((200, b"")) as server:
        assert push(REGISTRY, settings(server.url)) == ""
    assert authorization_of(server.posted[0]) == ""


def test_push_over_tls_is_verified_with_the_ca_that_is_set_and_logs_in(pki: Pki, server_tls: ssl.SSLContext) -> None:
    with receiver(context=server_tls) as server:
        login = {"pushgateway_user": "me", "pushgateway_password": PASSWORD}
        assert push(REGISTRY, settings(server.url, pushgateway_ca=str(pki.ca), **login)) == ""
    assert [(authorization_of(put), put.body) for put in server.posted] == [(basic("me", PASSWORD), WORDS)]


def test_push_over_tls_with_the_system_s_cas(
    pki: Pki, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca))
    with receiver(context=server_tls) as server:
        assert push(REGISTRY, settings(server.url)) == ""
    assert len(server.posted) == 1


# -- what goes wrong ---------------------------------------------------------


def test_push_to_a_server_whose_certificate_is_not_trusted(pki: Pki, server_tls: ssl.SSLContext) -> None:
    with receiver(context=server_tls) as server:
        problem = push(REGISTRY, settings(server.url, pushgateway_ca=str(pki.stranger_cert), send_retries=3))
    assert problem.startswith("The Pushgateway at 127.0.0.1 port ")
    assert " has a certificate that is not verified: " in problem
    assert server.posted == []


NO_URLS = ("gateway:9091", "gateway.lab.example", "ftp://x", "http://", "http://x:y/", "https://x/?a=b", "unix:/x", " ")


@pytest.mark.parametrize("url", NO_URLS)
def test_push_to_what_is_no_url_is_one_sentence(url: str) -> None:
    assert push(REGISTRY, settings(url)) == (
        "The metrics were not pushed: managed_tokens_pushgateway has to be a URL that begins with http:// or https:// "
        "and has no query."
    )


def test_push_to_a_url_that_http_cannot_carry_is_a_sentence() -> None:
    assert push(REGISTRY, settings(f"http://me:{PASSWORD}@a..b/")) == (
        "The Pushgateway at a..b port 80 was not asked: its URL or headers hold what HTTP cannot carry."
    )


@pytest.mark.parametrize(
    ("grouping", "words"),
    [
        ({"a-b": "x"}, "names 'a-b', which is no name of a label."),
        ({"": "x"}, "names '', which is no name of a label."),
        ({"__x": "x"}, "names '__x', which is no name of a label."),
        ({"ok": "x", "service": "x"}, "names 'service', which is a label that the metrics have themselves."),
        ({"job": "x"}, "names 'job', which is a label that the metrics have themselves."),
        ({"site": ".."}, ".site is '..', which cannot be part of a URL."),
    ],
)
def test_push_refuses_a_group_that_would_spoil_the_metrics(grouping: dict[str, str], words: str) -> None:
    with receiver((200, b"")) as server:
        problem = push(REGISTRY, settings(server.url, pushgateway_grouping=grouping))
    assert problem.startswith("The metrics were not pushed: managed_tokens_pushgateway_grouping")
    assert problem.endswith(words)
    assert server.posted == []


def test_push_with_a_ca_that_does_not_exist_says_so() -> None:
    assert push(REGISTRY, settings("https://x", pushgateway_ca="/no/ca.pem")) == (
        "The metrics were not pushed: managed_tokens_pushgateway_ca is /no/ca.pem, which does not exist."
    )


@pytest.mark.parametrize(
    ("answers", "requests", "words"),
    [
        (
            [Answer(400, b"pushed metrics are\n\x1b[31minvalid")],
            1,
            "answered with HTTP 400 (pushed metrics are invalid).",
        ),
        ([Answer(401)], 1, "answered with HTTP 401."),
        ([Answer(302, b"x" * 100, (("Location", "/elsewhere"),))], 1, f"answered with HTTP 302 ({'x' * 100})."),
        ([Answer(503, b"busy."), Answer(200)], 2, ""),
        ([Answer(503), Answer(500), Answer(202)], 3, ""),
        ([Answer(503, b"busy.")], 3, "answered with HTTP 503 (busy)."),
        ([Answer(0)], 3, "closed the connection without an answer."),
    ],
)
def test_push_tries_again_what_can_pass(answers: list[Answer], requests: int, words: str) -> None:
    with receiver(*answers) as server:
        problem = push(REGISTRY, settings(server.url, send_retries=2))
    assert problem == (f"The Pushgateway at 127.0.0.1 port {server.port} {words}" if words else "")
    assert len(server.posted) == requests


def test_push_to_a_closed_port_is_a_sentence() -> None:
    port = closed_port()
    problem = push(REGISTRY, settings(f"http://127.0.0.1:{port}", send_retries=2))
    assert problem == f"The Pushgateway at 127.0.0.1 port {port} cannot be reached: Connection refused."


def test_push_to_a_server_that_says_nothing_is_over_in_time() -> None:
    with silent() as url:
        problem = push(REGISTRY, settings(url, send_timeout=0.2, send_retries=9))
    assert problem.endswith(" did not answer within 0.2 s.")


def test_push_to_something_else_is_a_sentence() -> None:
    with plain_server(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        problem = push(REGISTRY, settings(f"http://127.0.0.1:{port}"))
    assert problem == f"The Pushgateway at 127.0.0.1 port {port} answered with something that is no HTTP."


def test_push_over_tls_to_a_server_without_it_is_a_sentence() -> None:
    with plain_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        problem = push(REGISTRY, settings(f"https://127.0.0.1:{port}"))
    assert problem == f"The Pushgateway at 127.0.0.1 port {port} and this machine do not agree on TLS."


SHOWN_NEVER = (PASSWORD, basic("me", PASSWORD).rpartition(" ")[2])


@pytest.mark.parametrize(
    "answer", [Answer(401, echoes=True), Answer(400, f"wrong: {PASSWORD}".encode()), Answer(0), Answer(500)]
)
@pytest.mark.parametrize("in_url", [False, True])
def test_push_never_shows_the_login(answer: Answer, in_url: bool) -> None:
    with receiver(answer) as server:
        problem = push(
            REGISTRY,
            settings(f"http://me:{PASSWORD}@{server.host}")
            if in_url
            else settings(server.url, pushgateway_user="me", pushgateway_password=PASSWORD),
        )
    assert problem.startswith("The Pushgateway at 127.0.0.1 port ")
    assert [secret for secret in SHOWN_NEVER if secret in problem] == []


# -- the file ---------------------------------------------------------


def test_write_textfile_is_readable_by_everybody(tmp_path: Path) -> None:
    path = tmp_path / "managed_tokens.prom"
    path.write_text("old")
    before = os.umask(0o077)
    try:
        assert write_textfile(REGISTRY, str(path)) == ""
    finally:
        os.umask(before)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (WORDS, 0o644)
    assert os.listdir(tmp_path) == ["managed_tokens.prom"]


@pytest.mark.parametrize("name", ["metrics", "metrics.prom.txt", "metrics.PROM", ".prom", "x/.prom"])
def test_write_textfile_refuses_what_node_exporter_would_not_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert write_textfile(REGISTRY, str(path)) == (
        f"The metrics were not written: managed_tokens_textfile is {path}; its name has to end in .prom."
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no/x.prom", "its directory does not exist"),
        ("dir.prom", "Is a directory"),
        (f"{'x' * 300}.prom", "File name too long"),
    ],
)
def test_write_textfile_that_cannot_is_a_sentence(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "dir.prom").mkdir()
    problem = write_textfile(REGISTRY, str(tmp_path / name))
    assert problem.startswith("The metrics were not written to ")
    assert problem.endswith(f": {reason}.")
    assert os.listdir(tmp_path) == ["dir.prom"]


def test_write_textfile_with_a_nul_in_its_name_is_a_sentence(tmp_path: Path) -> None:
    assert write_textfile(REGISTRY, f"{tmp_path}/x\0.prom").endswith("x.prom: no file has such a name.")
