# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Lead a stage from the options of its door to the result that the door gives back.

A stage is a function of validated options and a context; it knows neither modules nor action plugins. The module's
surface that is used here is written down as a protocol, so that nothing else can creep in.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadInput,
    InterruptedRun,
    StageOrder,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import Progress
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import Interrupted, interruptible
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service


def _silent(done: int, total: int, failed: int) -> None:
    return


@dataclass(frozen=True, slots=True)
class Context:
    """What a stage is told by its door: `owner` is the process whose end is the end of the run, None when it is not
    on this machine. `pushes` is the progress of what is pushed beside a stage's own work."""

    check_mode: bool = False
    diff: bool = False
    warn: t.Callable[[str], None] = lambda _text: None
    progress: Progress = _silent
    pushes: Progress = _silent
    owner: int | None = None


Stage = t.Callable[[t.Mapping[str, t.Any], Context], dict[str, t.Any]]


class ModuleSurface(t.Protocol):
    """The members of an Ansible module that are used here."""

    params: dict[str, t.Any]
    check_mode: bool
    _diff: bool

    def warn(self, warning: str) -> None: ...
    def exit_json(self, **kwargs: t.Any) -> t.NoReturn: ...
    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn: ...


def answer(module: ModuleSurface, stage: Stage) -> t.NoReturn:
    """Run `stage` for a module and end the module with its result, or with the sentence and kind of an expected
    error."""
    context = Context(check_mode=module.check_mode, diff=module._diff, warn=module.warn)
    try:
        with interruptible():
            result = stage(module.params, context)
    except TokensError as err:
        module.fail_json(msg=err.msg, kind=err.kind)
    except Interrupted as err:
        module.fail_json(msg=f"The run was interrupted by {err}.", kind=InterruptedRun.kind)
    module.exit_json(**result)


def services_option(params: t.Mapping[str, t.Any]) -> list[Service]:
    """Read the services option.

    Raises: BadInput when it is not what an earlier stage returned, StageOrder when there is none: no earlier stage
    returns that.
    """
    if not params.get("services"):
        raise StageOrder(
            "There are no services: the stage before this one has not run; "
            "start the whole play, without --start-at-task and --skip-tags, or up to one stage with --tags."
        )
    try:
        return [Service.from_dict(plain) for plain in params.get("services") or ()]
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise BadInput(
            f"The services option is not the services list that service_info or a later stage returned: {err!r}."
        ) from err


def run_option(params: t.Mapping[str, t.Any]) -> Run:
    """Read the run option; see C(Run.from_dict)."""
    return Run.from_dict(params.get("run"))


SERVICES_SPEC: dict[str, t.Any] = {"type": "list", "elements": "dict", "required": True}
RUN_SPEC: dict[str, t.Any] = {"type": "dict"}
