# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Check the settings of the later stages before the first one begins, so that a bad one costs nothing.

Each stage checks its own options as well; what is here are the same checks, in one place and early.
"""

from __future__ import annotations

import functools
import os
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words, seconds_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput

LONGEST_MINIMUM_S = 7 * 86400
AT_LEAST_ONE = ("kinit_concurrency", "store_concurrency", "ping_concurrency", "push_concurrency", "push_per_node")
NOT_NEGATIVE = ("push_retries", "push_retry_delay")

# What has to be a duration, and the least it may be.
DURATIONS = {"uid_max_age": 1, "forget_after": 86400, "store_reuse": 0, "status_max_age": 60}


def lifetime_seconds(text: str) -> int:
    """Read a duration as htgettoken writes it: a number with s, m, h or d; less than the 7 days that the token itself
    gets.

    Raises: BadInput.
    """
    seconds = seconds_of(text) or 0
    if not 0 < seconds < LONGEST_MINIMUM_S:
        raise BadInput(
            f"managed_tokens_min_token_lifetime is {text!r}; it has to be a duration like 12h or 3d, less than 7d."
        )
    return seconds


def check_numbers(settings: t.Mapping[str, t.Any]) -> list[str]:
    """Give one sentence for each number that is too small."""
    problems = []
    for names, least in ((AT_LEAST_ONE, 1), (NOT_NEGATIVE, 0)):
        for name in names:
            value = settings.get(name)
            try:
                is_enough = value is None or float(value) >= least
            except (TypeError, ValueError, OverflowError):
                is_enough = True  # no number at all: the stage's own option says so in its words
            if not is_enough:
                problems.append(f"managed_tokens_{name} is {value}; it has to be at least {least}.")
    return problems


def duration_of(name: str, text: str) -> int:
    """Give the seconds of a setting in C(DURATIONS).

    Raises: BadInput when it is no duration, or too short.
    """
    seconds = seconds_of(text)
    least = DURATIONS[name]
    if seconds is None or seconds < least:
        raise BadInput(
            f"managed_tokens_{name} is {text!r}; it has to be a duration like 90s, 12h or 30d"
            + (f", at least {in_words(least)}." if least > 1 else ".")
        )
    return seconds


def later_problems(settings: t.Mapping[str, t.Any]) -> list[str]:
    """Give one sentence for each setting of a later stage, named without its prefix, that the stage would refuse."""
    problems = check_numbers(settings)
    if settings.get("min_token_lifetime") is not None:
        problems += _said(lambda: lifetime_seconds(str(settings["min_token_lifetime"])))
    for name in DURATIONS:
        if settings.get(name) is not None:
            problems += _said(functools.partial(duration_of, name, str(settings[name])))
    for name in _listed(settings.get("known_hosts")):
        path = os.path.expanduser(name)
        if not os.path.isfile(path) or not os.access(path, os.R_OK):
            problems.append(f"managed_tokens_known_hosts: {path} is no file that can be read.")
    if settings.get("vault_ca") and not os.path.exists(os.path.expanduser(str(settings["vault_ca"]))):
        problems.append(f"managed_tokens_vault_ca: {settings['vault_ca']} does not exist.")
    algorithms = _listed(settings.get("kex_algorithms"))
    if algorithms:
        # Only here, because loading the ssh library takes longer than everything else in the first stage.
        from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import check_kex_algs

        problems += _said(lambda: check_kex_algs(algorithms))
    return problems


def _listed(value: t.Any) -> list[str]:
    # As Ansible reads an option that is a list: one text, as from the command line, holds commas.
    items = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else ()
    return [text for item in items if (text := str(item).strip())]


def _said(check: t.Callable[[], object]) -> list[str]:
    try:
        check()
    except BadInput as err:
        return list(err.problems)
    return []
