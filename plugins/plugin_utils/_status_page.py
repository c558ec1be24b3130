# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Write a page for browsers that says whether everything is well: one file that needs nothing else."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import duration_of, lifetime_seconds
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STATE
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_look import look
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_verdict import decide
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_view import view_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collection_version import collection_version
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._public_file import replace_public
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_templates import filled_in

TEMPLATE = "status.html.j2"
DEFAULTS = ReportSettings()
DID_NOTHING = "The run that has just ended did nothing."


@dataclass(frozen=True, slots=True)
class Ages:
    """How long ago the last success may be, and the confirmation of a UID, and how long a stored token lives at least,
    in seconds."""

    max_age: float
    uid_max_age: float
    min_life: float

    @classmethod
    def of(cls, settings: ReportSettings) -> Ages:
        """Read the settings.

        Raises: BadInput.
        """
        return cls(
            float(duration_of("status_max_age", settings.status_max_age)),
            float(duration_of("uid_max_age", settings.uid_max_age)),
            float(lifetime_seconds(settings.min_token_lifetime)),
        )


def write_after(state: State | None, collected: Collected, settings: ReportSettings, trouble: str = "") -> str:
    """Replace the page after a run, from what the database knows now; gives what went wrong in one sentence or more,
    "" when it is written or no page is wanted.

    `trouble` says why there is no `state` although there should be one.
    """
    if not settings.status_page:
        return ""
    problems: list[str] = []
    try:
        ages = Ages.of(settings)
    except BadInput as err:
        problems.append(err.msg)
        ages = Ages.of(DEFAULTS)
    status = look(state, now=time.time(), untold=[(kind, _hidden(text, settings)) for kind, text in _untold(collected)])
    if trouble and state is None:
        status = replace(status, trouble=one_line(_hidden(trouble, settings)))
    verdict = decide(status, **asdict(ages))
    view = view_of(status, verdict, max_age=ages.max_age, environment=settings.environment)
    problems.append(write(settings.status_page, page(asdict(view), settings.template_dir, problems)))
    return " ".join(problem for problem in problems if problem)


def page(view: t.Mapping[str, t.Any], template_dir: str, problems: list[str]) -> str:
    """Give the page of a plain C(View); what is wrong with an operator's own template is added to `problems`."""
    return filled_in(TEMPLATE, {"page": view, "version": collection_version()}, template_dir, problems)


def write(path: str, content: str) -> str:
    """Replace the file at `path` (mode 0644), atomically; gives the problem in one sentence, "" when it is written."""
    shown = one_line(path, 200)
    try:
        replace_public(Path(path), content.encode("utf-8", "replace"))
    except OSError as err:
        if not Path(path).parent.is_dir():
            return f"The status page {shown} cannot be written: its directory does not exist."
        return f"The status page {shown} cannot be written: {one_line(err.strerror or type(err).__name__, 100)}."
    except ValueError:
        return f"The status page {shown} cannot be written: no file has such a name."
    return ""


def _untold(collected: Collected) -> t.Iterator[tuple[str, str]]:
    """Give what went wrong with the run that the database does not hold."""
    for refusal in collected.refusals:
        yield refusal.kind or "failed", refusal.message
    for outcome in collected.failures:
        if outcome.stage == STATE:
            yield outcome.kind, outcome.message
    if not collected.outcomes and not collected.refusals:
        yield "failed", DID_NOTHING


def _hidden(text: str, settings: ReportSettings) -> str:
    for secret in settings.secrets:
        text = text.replace(secret, "[hidden]")
    return text
