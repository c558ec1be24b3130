# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break what the token host and its servers offer: keytabs, vault, storers and credds."""

from __future__ import annotations

from pathlib import Path

from world import condor
from world.fault_record import active
from world.fault_targets import account, machine, service
from world.fault_words import Pair, seconds
from world.layout import PATHS
from world.namespaces import WorldError
from world.vault_state import BEHAVIOURS

CONTROL = Path(PATHS["control"])


def _hide_keytab(words: list[str]) -> None:
    keytab = Path(account(words[0])["keytab"])
    if keytab.exists():
        keytab.rename(keytab.with_suffix(".away"))


def _return_keytab(words: list[str]) -> None:
    keytab = Path(account(words[0])["keytab"])
    if keytab.with_suffix(".away").exists():
        keytab.with_suffix(".away").rename(keytab)


def listed(name: str) -> Pair:
    """Give what adds a service ("*", all, when none is named) to a control file, and what takes it out again."""
    path = CONTROL / name

    def change(words: list[str], *, is_broken: bool) -> None:
        wanted = set(words or ["*"])
        listed = set(path.read_text().split()) if path.exists() else set()
        path.write_text(" ".join(sorted(listed | wanted if is_broken else listed - wanted)))

    def make(words: list[str]) -> None:
        for word in words:
            service(word)
        change(words, is_broken=True)

    return make, lambda words: change(words, is_broken=False)


def word_in(name: str, allowed: tuple[str, ...] = ()) -> Pair:
    """Give what writes a word into a control file (seconds, if no words are `allowed` by name), and what removes it."""

    def make(words: list[str]) -> None:
        if allowed and words[0] not in allowed:
            raise WorldError(f"{name} cannot be {words[0]!r}: {', '.join(allowed)}.")
        if not allowed:
            seconds(name, words[0])
        (CONTROL / name).write_text(words[0])

    def mend(_words: list[str]) -> None:
        (CONTROL / name).unlink(missing_ok=True)
        for other, words in active():
            if other == name:
                make(words)

    return make, mend


def _behave(words: list[str]) -> None:
    behaviour, *of = words
    if behaviour not in BEHAVIOURS:
        raise WorldError(f"oidc cannot be {behaviour!r}: {', '.join(BEHAVIOURS)}.")
    (CONTROL / "-".join(["oidc", *(service(name)["name"] for name in of)])).write_text(behaviour)


def _behave_well(words: list[str]) -> None:
    (CONTROL / "-".join(["oidc", *words[1:]])).unlink(missing_ok=True)
    for name, other in active():
        if name == "oidc" and other[1:] == words[1:]:
            _behave(other)


def flag(name: str) -> Pair:
    """Give what makes an empty control file, and what removes it."""
    return lambda _words: (CONTROL / name).touch(), lambda _words: (CONTROL / name).unlink(missing_ok=True)


def _stop_credd(words: list[str]) -> None:
    condor.stop_master(machine(words[0], "credds")["name"])


def _start_credd(words: list[str]) -> None:
    condor.restart(machine(words[0], "credds")["name"])


OIDC: Pair = (_behave, _behave_well)
KEYTAB_MISSING: Pair = (_hide_keytab, _return_keytab)
CREDD_DOWN: Pair = (_stop_credd, _start_credd)
