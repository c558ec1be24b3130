# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Hold what a play has told of a run: outcomes, contacts, stages that could not begin. The report knows no more."""

from __future__ import annotations

import typing as t
import uuid
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_origin import Origin


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a service (by its configured name) belongs to: its experiment, that one's e-mail addresses, and whether
    anybody is told of its failures."""

    experiment: str
    emails: tuple[str, ...] = ()
    notify: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stage that could not begin: the task's title, the error's kind ("" when it has none) and its sentence."""

    task: str
    kind: str
    message: str


@dataclass(slots=True)
class Collected:
    """One run as seen from outside; times in seconds since the epoch.

    `report` names this report from its beginning; `run` is "" until the run has begun, or when it could not.
    `unreachable` and `failed` are hosts as Ansible counts them; `origin` is where all this is written.
    """

    program: str = TOKEN_PUSH
    run: str = ""
    report: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: float = 0.0
    ended: float = 0.0
    deadline: float = 0.0
    check_mode: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    contacts: dict[str, Contact] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    hosts: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    was_recorded: bool = False
    msg: str = ""
    origin: Origin = Origin()

    @property
    def seconds(self) -> float:
        return max(0.0, self.ended - self.started)

    @property
    def failures(self) -> list[Outcome]:
        """The outcomes that failed; a ping that was not answered is none, the push to that node tells."""
        return [outcome for outcome in self.outcomes if outcome.is_failure and outcome.stage != "ping"]

    @property
    def is_well(self) -> bool:
        """Tell whether nothing failed; a run without any outcome is never well."""
        return bool(self.outcomes) and not (self.failures or self.refusals or self.unreachable or self.failed)

    @property
    def did_nothing(self) -> bool:
        """Tell whether nothing was done: the run was refused, or ended before its first stage said anything."""
        return not self.outcomes

    def experiment_of(self, service: str) -> str:
        contact = self.contacts.get(service)
        return contact.experiment if contact is not None else service.partition("_")[0]

    def summary(self) -> t.Mapping[str, int]:
        """Count services and pairs: known, and wholly well."""
        services = {outcome.config_service for outcome in self.outcomes} - {""}
        bad = {outcome.config_service for outcome in self.failures} - {""}
        pushes = [outcome for outcome in self.outcomes if outcome.stage == "push"]
        return {
            "services": len(services),
            "services_failed": len(bad),
            "pairs": len(pushes),
            "pairs_failed": sum(outcome.status not in ("ok", "changed") for outcome in pushes),
        }
