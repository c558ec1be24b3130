# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Refuse tags with which a run would do nothing, or less than was meant: to Ansible any word is a tag."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput

# Which tags, as the role gives them, choose which stage.
STAGES = {
    "tickets": ("tickets", "store", "push"),
    "store": ("store",),
    "ping": ("ping", "push"),
    "push": ("push",),
}
NEARNESS = 0.75
EVERYTHING = ("all", "tagged")
_OF_ANSIBLE = (*EVERYTHING, "untagged", "always", "never")


def refuse_idle_tags(run: t.Collection[str], skipped: t.Collection[str], own: t.Collection[str] = ()) -> None:
    """Refuse tags of a run (`--tags`, `--skip-tags`) that leave no stage, or one without the tickets that it needs, or
    that are nearly a stage's.

    `own` are tags that the whole role has in its play: they choose all stages.

    Raises: BadInput.
    """
    for option, tags in (("--tags", run), ("--skip-tags", skipped)):
        for tag in tags:
            # Not too readily: other roles of the play have tags as well.
            meant = [] if tag in (*STAGES, *_OF_ANSIBLE, *own) else difflib.get_close_matches(tag, STAGES, 1, NEARNESS)
            if meant:
                raise BadInput(f"{option} {tag}: no stage of a run has this tag; did you mean {meant[0]}?")
    chosen = {name for name, tags in STAGES.items() if _is_chosen({*tags, *own}, set(run), set(skipped))}
    given = " ".join(f"{option} {','.join(tags)}" for option, tags in _given(run, skipped))
    if not chosen:
        raise BadInput(f"{given}: nothing would be done. The tags of a run's stages are {', '.join(STAGES)}.")
    if "tickets" not in chosen and chosen & {"store", "push"}:
        raise BadInput(f"{given}: that leaves out the tickets, which the other stages need. Choose stages with --tags.")


def is_ping_alone(run: t.Collection[str]) -> bool:
    """Tell whether these tags of a run let it look which nodes answer, and nothing else."""
    return bool(run) and set(run) <= {"ping", "always"}


def _is_chosen(tags: set[str], run: set[str], skipped: set[str]) -> bool:
    return bool(run & {*tags, *EVERYTHING}) and not skipped & {*tags, *EVERYTHING}


def _given(run: t.Collection[str], skipped: t.Collection[str]) -> list[tuple[str, list[str]]]:
    given = [("--tags", sorted(set(run) - {"all"})), ("--skip-tags", sorted(skipped))]
    return [(option, tags) for option, tags in given if tags]
