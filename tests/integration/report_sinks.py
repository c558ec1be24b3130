# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what has arrived where the report is sent: mails, messages, lines, spans, pings and metrics."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from email.message import EmailMessage

    from laboratory import Laboratory

LOG = "/srv/lab/log"
CLEAR = f"""
rm -f /srv/lab/mail/*.eml
truncate --size=0 {LOG}/slack.jsonl {LOG}/otlp.jsonl {LOG}/loki.jsonl {LOG}/ping.jsonl
curl --silent --show-error --fail --request PUT http://pushgateway.lab.example:9091/api/v1/admin/wipe
"""
MAILS = """
import base64, json, pathlib
files = sorted(pathlib.Path("/srv/lab/mail").glob("*.eml"), key=lambda path: int(path.stem))
print(json.dumps([base64.b64encode(path.read_bytes()).decode() for path in files]))
"""


@dataclass(frozen=True)
class ReportSinks:
    """The other side of the report, in a laboratory that was started with --report."""

    laboratory: Laboratory

    def clear(self) -> None:
        """Forget everything that has arrived; the numbers of mails go on, and what Prometheus has read stays there."""
        self.laboratory.run("sh", "-e", "-c", CLEAR, user="root")

    def raw_mails(self) -> list[bytes]:
        """Give the mails in the order of arrival, each with the X-Envelope headers that the server has put in front."""
        listed = self.laboratory.run("/usr/bin/python3", "-c", MAILS).output
        return [base64.b64decode(text) for text in json.loads(listed)]

    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw_mails()]

    def slack(self) -> list[dict[str, t.Any]]:
        return self._lines("slack")

    def spans(self) -> list[dict[str, t.Any]]:
        return self._lines("otlp")

    def loki(self) -> list[dict[str, t.Any]]:
        return self._lines("loki")

    def pings(self) -> list[dict[str, t.Any]]:
        return self._lines("ping")

    def pushed(self) -> str:
        """Give what the Pushgateway holds, as Prometheus reads it."""
        return self._get("http://pushgateway.lab.example:9091/metrics")

    def query(self, question: str) -> list[tuple[dict[str, str], float]]:
        """Give labels and value of every series that Prometheus answers with."""
        address = "http://prometheus.lab.example:9090/api/v1/query"
        answer = json.loads(self._get(address, "--get", "--data-urlencode", f"query={question}"))
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    def _lines(self, name: str) -> list[dict[str, t.Any]]:
        return [json.loads(line) for line in self.laboratory.run("cat", f"{LOG}/{name}.jsonl").output.splitlines()]

    def _get(self, address: str, *options: str) -> str:
        return self.laboratory.run("curl", "--silent", "--show-error", "--fail", *options, address).output
