# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send something harmless to everything that the report is sent to, with plain clients. Runs inside a laboratory.

Its arguments are a timeout in seconds and names of servers; it prints what each said: a status, or what went wrong.
"""

from __future__ import annotations

import concurrent.futures
import json
import smtplib
import ssl
import sys
import time
import typing as t
from pathlib import Path

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

AUTHORITY = "/srv/lab/pki/ca.pem"
TIMEOUT_S = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
PROTOBUF, JSON = {"Content-Type": "application/x-protobuf"}, {"Content-Type": "application/json"}
GATEWAY = "http://pushgateway.lab.example:9091/metrics/job/probe"


def mail(port: int) -> str:
    """Send a mail with STARTTLS, or with TLS from the start at port 465."""
    context = ssl.create_default_context(cafile=AUTHORITY)
    if port == smtplib.SMTP_SSL_PORT:
        client: smtplib.SMTP = smtplib.SMTP_SSL("mail.lab.example", port, timeout=TIMEOUT_S, context=context)
    else:
        client = smtplib.SMTP("mail.lab.example", port, timeout=TIMEOUT_S)
    with client:
        if port != smtplib.SMTP_SSL_PORT:
            client.starttls(context=context)
        recipients = ["one@lab.example", "two@lab.example"]
        refused = client.sendmail("probe@lab.example", recipients, "Subject: probe\r\n\r\nprobe\r\n")
    return f"250 but {', '.join(sorted(refused))}" if refused else "250"


def post(address: str, body: bytes | str, headers: dict[str, str]) -> str:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(address, data=body, headers=headers, timeout=TIMEOUT_S, verify=AUTHORITY)
    later = answer.headers.get("Retry-After")
    return f"{answer.status_code}{f' after {later}' if later else ''}"


def address_in(file: str) -> str:
    return Path(file).read_text().strip()


def spans() -> bytes:
    export = ExportTraceServiceRequest()
    export.resource_spans.add().scope_spans.add().spans.add(name="probe")
    return bytes(export.SerializeToString())


def line() -> str:
    stream = {"stream": {"job": "probe"}, "values": [[str(time.time_ns()), "probe"]]}
    return json.dumps({"streams": [stream]})


PROBES: dict[str, t.Callable[[], str]] = {
    "mail": lambda: mail(25),
    "mail_tls": lambda: mail(smtplib.SMTP_SSL_PORT),
    "slack": lambda: post(address_in("/srv/lab/slack.url"), '{"text": "probe"}', JSON),
    "pushgateway": lambda: post(GATEWAY, "probe_metric 1\n", {"Content-Type": "text/plain"}),
    "otlp": lambda: post("http://otlp.lab.example:4318/v1/traces", spans(), PROTOBUF),
    "loki": lambda: post("http://loki.lab.example:3100/loki/api/v1/push", line(), JSON),
    "ping": lambda: post(address_in("/srv/lab/ping.url"), b"probe", {}),
}


def outcome(name: str) -> str:
    """Give what the server said, or in one word why it said nothing."""
    try:
        return PROBES[name]()
    except smtplib.SMTPRecipientsRefused as err:
        return str(min(code for code, _text in err.recipients.values()))
    except smtplib.SMTPServerDisconnected as err:
        return "timeout" if isinstance(err.__context__, TimeoutError) else "disconnected"
    except (ssl.SSLCertVerificationError, requests.exceptions.SSLError):
        return "untrusted"
    except (TimeoutError, requests.Timeout):
        return "timeout"
    except (ConnectionRefusedError, requests.ConnectionError):
        return "refused"


if __name__ == "__main__":
    names = sys.argv[2:] or list(PROBES)
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        print(json.dumps(list(pool.map(outcome, names))))
