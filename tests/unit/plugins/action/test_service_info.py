# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage refuses, in the role's own play, what cannot be meant; elsewhere it is nobody's affair."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.action.service_info import KEEPING_ROLE, ActionModule
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput


def check(role: str | None, tags: tuple[str, ...] = (), **task_vars: t.Any) -> None:
    """Let the action look at a play with this role."""
    owner = None if role is None else types.SimpleNamespace(get_name=lambda: role)
    task = types.SimpleNamespace(action="service_info", run_once=True, tags=["always", *tags], _role=owner)
    connection = types.SimpleNamespace(transport="local", _shell=types.SimpleNamespace(tmpdir=None))
    fakes: list[t.Any] = [task, connection, None, None, None, None]
    ActionModule(*fakes).check_play({"ansible_run_tags": ["all"], **task_vars})


REFUSED: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"ansible_run_tags": ["psuh"]}, "did you mean push"),
    ({"ansible_skip_tags": ["store"]}, "that leaves out the tickets"),
    ({"managed_tokens_node": "n1"}, "belongs to the playbook offboarding"),
)


@pytest.mark.parametrize(("task_vars", "words"), REFUSED)
def test_check_play_refuses_what_cannot_be_meant_and_only_in_the_roles_play(
    task_vars: dict[str, t.Any], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        check(KEEPING_ROLE, **task_vars)
    check("fife.managed_tokens.onboarding", **task_vars)
    check(None, **task_vars)


def test_check_play_takes_a_tag_of_the_whole_role() -> None:
    check(KEEPING_ROLE, ("tokens",), ansible_run_tags=["tokens"])
