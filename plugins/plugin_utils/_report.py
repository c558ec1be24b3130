# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Report a run: decide whom to tell, tell them, remember that, export what there is to export, show a summary.

Nothing here changes the result of the run. Everything together takes at most `send_timeout` seconds, beside waits for
the database: what is independent of each other goes at once, and what comes after shares what is left.
"""

from __future__ import annotations

import functools
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ansible.utils.display import Display

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import ONBOARDING
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import is_only_a_look
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _dead_man as dead_man
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _last_run as last_run
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_log as run_log
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_loki as loki
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_mail as mail
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_metrics as metrics
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_policy as policy
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_slack as slack
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_state as report_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_summary as summary
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_traces as traces
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _status_page as status_page
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _tokens_in_place as tokens_in_place
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._child_process import in_child
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._effect_on_users import effect_on_users
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    SERVICE_EMAIL,
    SLACK,
    Delivery,
    Message,
    Untold,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._quiet_summary import quiet
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_origin import here
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import OFF, QUIET, ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings_check import problems_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_text import page_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_trial import with_trial
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_troubles import troubles_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._tokens_in_place import TokensInPlace

# Shares of the time: what people are told gets most. A little is left for all that is not waiting.
START_SHARE, FIRST_SHARE, LAST_SHARE = 0.1, 0.55, 0.3


class Show(t.Protocol):
    """Show a line, or a warning."""

    def __call__(self, text: str, *, is_warning: bool = False) -> None: ...


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling people."""

    deliveries: tuple[Delivery, ...]
    words: tuple[str, ...]
    problems: tuple[str, ...]


def _warn(text: str) -> None:
    Display().warning(text)


def begin_report(settings: ReportSettings, collected: Collected, warn: t.Callable[[str], None] = _warn) -> None:
    """Tell what is wrong with the settings of the report, and the dead man's switch that a run has begun.

    When this returns, nothing of it goes on in this process, of which Ansible is about to fork its workers.
    """
    for problem in problems_of(settings, sends_nothing=collected.check_mode):
        warn(_clean(problem, settings))
    if settings.ping_url and not collected.check_mode and _is_regular(collected):
        seconds = settings.send_timeout * START_SHARE
        limited = replace(settings, send_timeout=seconds)
        in_child(seconds, lambda: dead_man.ping(limited, "start", collected.report, ""))


def _is_regular(collected: Collected) -> bool:
    """Tell whether the dead man's switch waits for such runs: an onboarding comes when somebody starts it."""
    return collected.program != ONBOARDING


def report(collected: Collected, settings: ReportSettings, show: Show, bad_settings: t.Sequence[str] = ()) -> None:
    """Report the run; each problem of the report itself is one warning, `bad_settings` included. A run that only looked
    is nobody's affair."""
    if is_only_a_look(collected.outcomes) and not collected.refusals:
        return
    state, problems = _state(settings, collected)
    trouble = problems[0] if problems else ""
    # A callback has said so when the run began, and Ansible says the same thing once; a task has not.
    problems = [*bad_settings, *problems, *problems_of(settings, sends_nothing=collected.check_mode)]
    counters, before, unknown = report_state.look(state)
    problems += [unknown] if unknown else []
    decision = with_trial(policy.decide(collected, counters, before, settings), collected, settings)
    collected = replace(collected, origin=here())
    # A database that did not answer once is not waited for again.
    readable = None if collected.is_well or unknown else state
    tokens = tokens_in_place.look(readable, collected, now=collected.ended)
    decision = replace(decision, messages=tuple(_with_tokens(message, tokens) for message in decision.messages))
    troubles = [replace(item, in_place=tokens.of(item.key)) for item in troubles_of(collected, counters)]
    effect = effect_on_users(troubles, collected.ended)
    told = (
        Told((), _would_be_told(decision, settings), ())
        if collected.check_mode
        else _tell(collected, settings, decision, state)
    )
    problems += told.problems
    if not collected.check_mode:
        problems += _export(collected, settings, told, decision.untold, state, trouble, effect)
    lines: list[str] = []
    if settings.summary == QUIET:
        lines = quiet(collected, told.words, effect, page_of(settings))
    elif settings.summary != OFF:
        lines = summary.table(collected, told.words, now=collected.ended)
    for line in lines:
        show(line)
    for problem in dict.fromkeys(problems):
        show(_clean(problem, settings), is_warning=True)


def _with_tokens(message: Message, tokens: TokensInPlace) -> Message:
    """Give the message with what is known of the tokens that its troubles leave in place."""
    return replace(message, notices=tuple(replace(item, in_place=tokens.of(item.key)) for item in message.notices))


def _state(settings: ReportSettings, collected: Collected) -> tuple[State | None, list[str]]:
    try:
        state = open_state(settings.database, settings.database_password, settings.database_timeout)
    except TokensError as err:
        return None, [err.msg]
    if state is not None and collected.was_recorded and report_state.is_another(state, collected.run):
        # A file on the controller, while the run has been recorded on the token host: nobody would ever be told.
        text = (
            f"The state database {state.label} of this machine does not know the run, which was recorded on the "
            "token host: everything that failed is told of at once. Use PostgreSQL, which both can reach."
        )
        return None, [text]
    return state, []


def _tell(collected: Collected, settings: ReportSettings, decision: policy.Decision, state: State | None) -> Told:
    limited = replace(settings, send_timeout=settings.send_timeout * FIRST_SHARE)
    work: list[t.Callable[[], Delivery | None]] = []
    for message in decision.messages:
        for channel in policy.channels_of(message, settings):
            send = slack.send if channel == SLACK else mail.send
            work.append(functools.partial(send, message, collected, limited))
    deliveries = tuple(item for item in _at_once(work) if item is not None)
    problems = [text for delivery in deliveries for text in (delivery.problem, delivery.remark) if text]
    # What went to test targets has been told to nobody: the next run without them starts where this one did.
    real = [item for item in deliveries if not settings.test or item.channel == SERVICE_EMAIL]
    if real and state is not None:
        trouble = report_state.settle(state, real, decision, collected.run, time.time())
        problems += [trouble] if trouble else []
    return Told(deliveries, _in_words(deliveries, decision, settings), tuple(problems))


def _export(
    collected: Collected,
    settings: ReportSettings,
    told: Told,
    untold: Untold,
    state: State | None,
    trouble: str,
    effect: str,
) -> list[str]:
    limited = replace(settings, send_timeout=settings.send_timeout * LAST_SHARE)
    verdict = "ok" if collected.is_well else "fail"
    body = "\n".join(quiet(collected, (), effect, page_of(settings)))
    work: list[t.Callable[[], str]] = [
        lambda: metrics.export(state, collected, limited),
        lambda: traces.send(collected, limited),
        lambda: run_log.write(collected, limited, told.deliveries),
        lambda: loki.push(collected, limited, told.deliveries),
        lambda: last_run.write(collected, limited.last_run_file, told.deliveries, untold),
        lambda: status_page.write_after(state, collected, settings, trouble),
        lambda: dead_man.ping(limited, verdict, collected.report, body) if _is_regular(collected) else "",
    ]
    return [problem for problem in _at_once([functools.partial(_harmless, item) for item in work]) if problem]


def _harmless(work: t.Callable[[], str]) -> str:
    """Do it; what nobody expected is a problem like any other, and takes nothing away from the others."""
    try:
        return work()
    except Exception as err:  # noqa: BLE001 - see above
        return f"A part of the report could not be finished: {type(err).__name__}. Please report this."


Found = t.TypeVar("Found")


def _at_once(work: t.Sequence[t.Callable[[], Found]]) -> list[Found]:
    if not work:
        return []
    with ThreadPoolExecutor(min(8, len(work)), thread_name_prefix="report") as pool:
        return [future.result() for future in [pool.submit(item) for item in work]]


def _would_be_told(decision: policy.Decision, settings: ReportSettings) -> tuple[str, ...]:
    would = [
        Delivery(channel, message.experiment, tuple(notice.key for notice in message.notices), 0.0, 0.0)
        for message in decision.messages
        for channel in policy.channels_of(message, settings)
    ]
    page = one_line(settings.status_page, 200)
    written = (f"browsers: the status page {page} would be written",) if page else ()
    return (*_in_words(would, decision, settings), *written)


def _in_words(deliveries: t.Sequence[Delivery], decision: policy.Decision, settings: ReportSettings) -> tuple[str, ...]:
    return tuple(
        summary.deliveries_in_words(deliveries, decision.untold, settings.threshold, is_test=settings.has_test_targets)
    )


def _clean(text: str, settings: ReportSettings) -> str:
    for secret in settings.secrets:
        text = text.replace(secret, "[hidden]")
    return one_line(text, 500)
