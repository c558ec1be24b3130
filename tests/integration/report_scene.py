# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A laboratory in which the report is on, and what was told in it."""

from __future__ import annotations

import typing as t

from laboratory import Done, Laboratory
from report_sinks import ReportSinks

ENABLED = {"ANSIBLE_CALLBACKS_ENABLED": "fife.managed_tokens.report"}
SQLITE = "/srv/lab/state/report.db"


class Scene:
    """A laboratory with one kind of database; the report is on."""

    def __init__(self, laboratory: Laboratory, database: str) -> None:
        self.lab = laboratory
        self.sinks = ReportSinks(laboratory)
        self.database = database

    def run(self, *options: str, play: str = "token_push", env: t.Mapping[str, str] | None = None) -> Done:
        chosen = ("-e", f"managed_tokens_database={self.database}") if self.database else ()
        # Quicker, and all the same to the report.
        quick = ("-e", "managed_tokens_token_getter=htgettoken")
        return self.lab.play(f"fife.managed_tokens.{play}", *chosen, *quick, *options, env={**ENABLED, **(env or {})})

    def fault(self, *words: str) -> None:
        self.lab.lab("fault", *words)

    def told(self) -> list[tuple[str, str]]:
        """Give recipients and subject of every mail since the last look, and forget all that was sent."""
        found = [(str(mail["X-Envelope-To"]), " ".join(str(mail["Subject"]).split())) for mail in self.sinks.mails()]
        self.sinks.clear()
        return sorted(found)


def begin(scene: Scene) -> None:
    """Let all be well: what failed before is over, and its end has been told."""
    scene.lab.lab("heal")
    assert scene.run().status == 0
    scene.sinks.clear()
