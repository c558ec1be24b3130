# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags that leave nothing to do are refused; those that choose a stage, or stand at the whole role, are not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_tags import (
    STAGES,
    is_ping_alone,
    refuse_idle_tags,
)

STAGES_FILE = Path(__file__).parents[4] / "roles/token_push/tasks/stages.yml"
LISTED = "The tags of a run's stages are tickets, store, ping, push."
WITHOUT_TICKETS = "that leaves out the tickets, which the other stages need. Choose stages with --tags."

# The run's tags, the skipped ones, those of the role's own.
FINE: tuple[tuple[list[str], list[str], list[str]], ...] = (
    (["all"], [], []),
    (["tagged"], [], []),
    (["push"], [], []),
    (["tickets", "store"], [], []),
    (["store", "firewall"], [], []),
    (["shipping", "ping"], [], []),
    (["all"], ["ping"], []),
    (["all"], ["firewall"], []),
    (["tokens"], [], ["tokens"]),
    (["pushes"], [], ["pushes"]),
)
REFUSED: tuple[tuple[list[str], list[str], list[str], str], ...] = (
    (["psuh"], [], [], "--tags psuh: no stage of a run has this tag; did you mean push?"),
    (["tickets", "pusch"], [], [], "--tags pusch: no stage of a run has this tag; did you mean push?"),
    (["all"], ["stores"], [], "--skip-tags stores: no stage of a run has this tag; did you mean store?"),
    (["firewall"], [], [], f"--tags firewall: nothing would be done. {LISTED}"),
    (["always"], [], [], f"--tags always: nothing would be done. {LISTED}"),
    (["all"], ["store", "ping", "push"], [], f"--skip-tags ping,push,store: nothing would be done. {LISTED}"),
    (["store"], ["store"], [], f"--tags store --skip-tags store: nothing would be done. {LISTED}"),
    (["all"], ["store", "push"], [], f"--skip-tags push,store: nothing would be done. {LISTED}"),
    (["all"], ["push"], [], f"--skip-tags push: {WITHOUT_TICKETS}"),
    (["all"], ["store"], [], f"--skip-tags store: {WITHOUT_TICKETS}"),
    (["all"], ["tagged"], [], f"--skip-tags tagged: nothing would be done. {LISTED}"),
    (["all"], ["tokens"], ["tokens"], f"--skip-tags tokens: nothing would be done. {LISTED}"),
)


@pytest.mark.parametrize(("run", "skipped", "own"), FINE)
def test_refuse_idle_tags_takes_what_leaves_a_stage(run: list[str], skipped: list[str], own: list[str]) -> None:
    refuse_idle_tags(run, skipped, own)


@pytest.mark.parametrize(("run", "skipped", "own", "words"), REFUSED)
def test_refuse_idle_tags_says_which_and_what_was_meant(
    run: list[str], skipped: list[str], own: list[str], words: str
) -> None:
    with pytest.raises(BadInput) as caught:
        refuse_idle_tags(run, skipped, own)
    assert caught.value.msg == words


def test_stages_have_the_tags_that_the_role_gives_them() -> None:
    tasks = yaml.safe_load(STAGES_FILE.read_text(encoding="utf-8"))
    of_stages = [tuple(task["tags"]) for task in tasks if task["tags"] != ["always"]]
    assert sorted(of_stages) == sorted(STAGES.values())


@pytest.mark.parametrize(
    ("tags", "is_alone"), [(["ping"], True), (["ping", "always"], True), (["ping", "push"], False), ([], False)]
)
def test_is_ping_alone(tags: list[str], is_alone: bool) -> None:
    assert is_ping_alone(tags) is is_alone
