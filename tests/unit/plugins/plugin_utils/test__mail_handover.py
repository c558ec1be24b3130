# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail arrives, or one sentence says why not."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_mail as report_mail
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import EMAIL, SERVICE_EMAIL, Delivery, Message
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_mail import send
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import (
    AUTO,
    NONE,
    STARTTLS,
    TLS,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    BEGAN,
    bad_run,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_mail import (
    PASSWORD,
    USER,
    MailServer,
    greeter,
    mail_server,
    mail_settings,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import closed_port, silent
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki
from ansible_collections.fife.managed_tokens.tests.unit.plugins.told_messages import (
    NODE,
    for_dune,
    message,
    setup_trouble,
    trouble,
)


def sent(server: MailServer | int, told: Message | None = None, /, **changes: t.Any) -> Delivery:
    port = server if isinstance(server, int) else server.port
    return send(told or for_dune(trouble()), bad_run(), mail_settings(smtp_port=port, **changes))


# How the server speaks, how we shall, whether it arrives encrypted; or what is wrong.
SECURITY: tuple[tuple[str, str, bool | str], ...] = (
    ("plain", NONE, False),
    ("plain", AUTO, False),
    ("plain", STARTTLS, "offers no STARTTLS."),
    ("plain", TLS, "do not agree on TLS; compare port and managed_tokens_smtp_security."),
    ("starttls", NONE, False),
    ("starttls", AUTO, True),
    ("starttls", STARTTLS, True),
    ("tls", TLS, True),
)


@pytest.mark.parametrize(("spoken", "security", "result"), SECURITY)
def test_send_with_each_kind_of_security(
    pki: Pki, server_tls: ssl.SSLContext, spoken: str, security: str, result: bool | str
) -> None:
    context = None if spoken == "plain" else server_tls
    with mail_server(context, is_tls=spoken == "tls") as server:
        delivery = sent(server, smtp_security=security, smtp_ca=str(pki.ca))
    if isinstance(result, str):
        assert delivery.problem.startswith("The mail server 127.0.0.1 port ")
        assert delivery.problem.endswith(result)
        assert server.taken == []
        return
    assert delivery.problem == ""
    (taken,) = server.taken
    assert taken.sender == "tokens@lab.example"
    assert taken.recipients == ("a@lab.example", "b@lab.example")
    assert taken.is_encrypted is result
    assert taken.mail["Subject"] == f"[managed tokens] dune: {NODE} did not get its token (3 runs in a row)"


@pytest.mark.parametrize("security", [AUTO, STARTTLS, TLS])
def test_send_unverified_server_gets_nothing(pki: Pki, server_tls: ssl.SSLContext, security: str) -> None:
    with mail_server(server_tls, is_tls=security == TLS) as server:
        delivery = sent(server, smtp_security=security, smtp_user=USER, smtp_password=PASSWORD)
    assert "has a certificate that is not verified" in delivery.problem
    assert (server.taken, server.attempts) == ([], 0)


def test_send_verifies_by_a_directory_of_cas(pki: Pki, server_tls: ssl.SSLContext, tmp_path: Path) -> None:
    command = ["openssl", "x509", "-in", str(pki.ca), "-noout", "-hash"]
    name = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    with mail_server(server_tls) as server:
        unverified = sent(server, smtp_security=STARTTLS, smtp_ca=str(tmp_path))
        shutil.copy(pki.ca, tmp_path / f"{name}.0")
        verified = sent(server, smtp_security=STARTTLS, smtp_ca=str(tmp_path))
    assert "has a certificate that is not verified" in unverified.problem
    assert verified.problem == ""


def test_send_unusable_ca_is_said(tmp_path: Path) -> None:
    delivery = sent(closed_port(), smtp_ca=str(tmp_path / "ca.pem"))
    assert delivery.problem.endswith(f"certificates in {tmp_path}/ca.pem are no use (No such file or directory).")
    (tmp_path / "ca.pem").write_text("no certificate")
    assert (
        f"certificates in {tmp_path}/ca.pem are no use" in sent(closed_port(), smtp_ca=str(tmp_path / "ca.pem")).problem
    )


@pytest.mark.parametrize("security", [AUTO, STARTTLS])
def test_send_logs_in(pki: Pki, server_tls: ssl.SSLContext, security: str) -> None:
    login = {"smtp_security": security, "smtp_ca": str(pki.ca), "smtp_user": USER}
    with mail_server(server_tls, has_login=True) as server:
        assert sent(server, **login, smtp_password=PASSWORD).problem == ""
        wrong = sent(server, **login, smtp_password="wrong-" + PASSWORD)
    assert [taken.is_logged_in for taken in server.taken] == [True]
    assert wrong.problem.endswith("did not let us log in (535).")


LOGIN_TROUBLES: tuple[tuple[bool, dict[str, str], str], ...] = (
    (True, {"smtp_security": AUTO}, "offers no STARTTLS, and the password is not sent without it."),
    (False, {"smtp_security": NONE}, "offers no login that is known here (managed_tokens_smtp_user)."),
    (True, {"smtp_security": NONE, "smtp_password": "pä\x00"}, "holds what SMTP cannot carry."),
)


@pytest.mark.parametrize(("has_login", "changes", "problem"), LOGIN_TROUBLES)
def test_send_login_trouble_is_said_without_the_password(
    has_login: bool, changes: dict[str, str], problem: str
) -> None:
    with mail_server(has_login=has_login) as server:
        delivery = sent(server, **{"smtp_user": USER, "smtp_password": PASSWORD, **changes})
    assert delivery.problem.endswith(problem)
    assert PASSWORD not in delivery.problem
    assert server.taken == []


def test_send_accepted_by_one_recipient_is_accepted_and_names_the_others() -> None:
    with mail_server() as server:
        server.refused["b@lab.example"] = "550 5.1.1 no such\x1b[31m user"
        delivery = sent(server)
        assert delivery.is_accepted
        assert delivery.remark == (
            f"The mail server 127.0.0.1 port {server.port} did not take the mail for b@lab.example "
            "(550 5.1.1 no such user)."
        )
        assert [taken.recipients for taken in server.taken] == [("a@lab.example",)]
        server.refused["a@lab.example"] = "550 gone"
        delivery = sent(server)
        assert not delivery.is_accepted
        assert "took no recipient: a@lab.example (550 gone); b@lab.example" in delivery.problem
        assert (len(server.taken), delivery.remark) == (1, "")


# What the server says to the whole mail, how many further attempts there may be, and what comes of it.
RETRIES: tuple[tuple[list[str], int, str, int], ...] = (
    (["451 try later", "250"], 1, "", 2),
    (["451 try later", "452 full", "250"], 1, "did not take the mail (452 full).", 2),
    (["451 try later"], 0, "did not take the mail (451 try later).", 1),
    (["554 spam"], 3, "did not take the mail (554 spam).", 1),
)


@pytest.mark.parametrize(("answers", "retries", "problem", "attempts"), RETRIES)
def test_send_tries_again_what_can_pass(answers: list[str], retries: int, problem: str, attempts: int) -> None:
    with mail_server() as server:
        server.answers = list(answers)
        delivery = sent(server, send_retries=retries)
    assert delivery.problem.endswith(problem)
    assert (delivery.is_accepted, server.attempts) == (not problem, attempts)
    assert len({taken.mail["Message-ID"] for taken in server.taken}) == len(server.taken) == (not problem)


@pytest.mark.parametrize(("answer", "attempts"), [("450 4.2.1 later", 3), ("550 5.1.1 no such user", 1)])
def test_send_tries_again_when_recipients_are_refused_for_a_while(answer: str, attempts: int) -> None:
    with mail_server() as server:
        server.refused = {"a@lab.example": answer, "b@lab.example": answer}
        delivery = sent(server, send_retries=2)
    assert delivery.problem.endswith(f"took no recipient: a@lab.example ({answer}); b@lab.example ({answer}).")
    assert server.attempts == attempts


@contextlib.contextmanager
def saying(words: bytes) -> t.Iterator[tuple[int, list[bytes]]]:
    """Give the port of a server that says this to one client and listens to the end, and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _address = listening.accept()
            with connection:
                connection.sendall(words)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    heard.append(piece)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join()


# What the server says after its greeting, how we shall speak, and what is wrong.
REFUSALS: tuple[tuple[bytes, str, str, str], ...] = (
    (b"250 STARTTLS\r\n454 not now\r\n", STARTTLS, USER, "did not take the mail (454 not now)."),
    (b"250 STARTTLS\r\n454 not now\r\n", AUTO, USER, "did not take the mail (454 not now)."),
    (b"250 AUTH X-OURS\r\n", NONE, USER, "offers no login that is known here (managed_tokens_smtp_user)."),
    (b"250 8BITMIME\r\n550 no\r\n250 ok\r\n", NONE, "", "takes no mail from tokens@lab.example (550 no)."),
)


@pytest.mark.parametrize(("words", "security", "user", "problem"), REFUSALS)
def test_send_is_refused_before_anything_is_given_away(words: bytes, security: str, user: str, problem: str) -> None:
    with saying(b"220 mail.lab.example\r\n250-mail.lab.example\r\n" + words) as (port, heard):
        delivery = sent(port, smtp_security=security, smtp_user=user, smtp_password=PASSWORD, send_retries=0)
    assert delivery.problem.endswith(problem)
    said = b"".join(heard)
    assert said.startswith(b"ehlo ")
    assert not any(word in said.lower() for word in (b"auth", b"rcpt", b"subject"))


GREETINGS: tuple[tuple[bytes, str], ...] = (
    (b"", "closed the connection."),
    (b"HTTP/1.1 400 no\r\n\r\n", "answered with something that is no SMTP."),
    (b"554 5.7.1 no entry\r\n", "did not take the mail (554 5.7.1 no entry)."),
    (b"421 busy " + b"x" * 400 + b"\r\n", "xxx)."),
    (b"220 " + b"x" * 100_000, "did not take the mail (500 Line too long)."),
)


@pytest.mark.parametrize(("words", "problem"), GREETINGS)
def test_send_to_what_is_no_good_server(words: bytes, problem: str) -> None:
    with greeter(words) as port:
        delivery = sent(port)
    assert "\n" not in delivery.problem
    assert len(delivery.problem) < 400
    assert delivery.problem.endswith(problem)


def test_send_to_nobody_and_to_somebody_silent() -> None:
    assert sent(closed_port()).problem.endswith("cannot be reached: Connection refused.")
    with silent() as url:
        delivery = sent(int(url.rpartition(":")[2]), send_timeout=0.2, send_retries=3)
    assert delivery.problem.endswith("did not answer within 0.2 s.")
    assert sent(1, smtp_host="no.host.invalid").problem.startswith("The mail server no.host.invalid port 1 ")
    assert sent(1, smtp_host="bad\0host").problem != ""


def test_send_says_whom_and_of_what() -> None:
    with mail_server() as server:
        experiment, administrators = sent(server), sent(server, message(trouble(), setup_trouble()))
    assert (experiment.channel, experiment.target) == (SERVICE_EMAIL, "dune")
    assert experiment.keys == (trouble().key,)
    assert (administrators.channel, administrators.target) == (EMAIL, "")
    assert administrators.keys == (trouble().key, setup_trouble().key)
    assert administrators.started > BEGAN
    assert administrators.seconds > 0


def test_send_without_a_recipient_asks_no_server() -> None:
    delivery = sent(closed_port(), for_dune(trouble(), emails=("nobody",)))
    assert delivery.problem == "No mail to the people of dune: none of the recipients is an e-mail address."


def test_send_broken_template_is_a_remark(tmp_path: Path) -> None:
    (tmp_path / "experiment.html.j2").write_text("{% nonsense %}")
    with mail_server() as server:
        delivery = sent(server, template_dir=str(tmp_path))
    assert delivery.is_accepted
    assert f"The template {tmp_path}/experiment.html.j2, line 1, is broken" in delivery.remark


def test_send_own_mistake_is_a_problem_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> t.NoReturn:
        raise KeyError(PASSWORD)

    monkeypatch.setattr(report_mail, "content_of", broken)
    delivery = sent(closed_port())
    assert delivery.problem.endswith("dune could not be written (KeyError; please report this).")


def test_send_server_that_quotes_secrets_is_not_quoted() -> None:
    secret = "hush-hush-hush"
    with mail_server() as server:
        server.answers = [f"554 I know {secret}"]
        delivery = sent(server, ping_url=secret)
    assert delivery.problem.endswith("did not take the mail (554).")


def test_send_hides_secrets_in_remarks() -> None:
    told = for_dune(trouble(), emails=("a@lab.example", PASSWORD))
    with mail_server() as server:
        delivery = sent(server, told, smtp_password=PASSWORD)
    assert (delivery.problem, delivery.remark) == ("", "No e-mail address: [hidden].")


def test_send_trouble_of_the_server_is_said_in_the_same_words_for_everybody() -> None:
    port = closed_port()
    told = (for_dune(trouble()), for_dune(trouble(), experiment="nova"), message(trouble()))
    assert len({sent(port, each).problem for each in told}) == 1


def test_send_names_three_of_many_refused() -> None:
    emails = tuple(f"p{number}@lab.example" for number in range(9))
    with mail_server() as server:
        server.refused.update(dict.fromkeys(emails[1:], "550 no"))
        delivery = sent(server, for_dune(trouble(), emails=emails))
    assert delivery.is_accepted
    assert delivery.remark.endswith("p2@lab.example (550 no); p3@lab.example (550 no); and 5 more.")
