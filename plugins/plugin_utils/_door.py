# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Run a stage inside Ansible's own process where that is possible, and as a module elsewhere.

On a local connection the engine runs in the worker process itself: no module transfer, no second interpreter, live
progress. Over any other connection (a task delegated to a token host) the module of the same name runs there with the
same options.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import InterruptedRun, StageOrder, TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import (
    Interrupted,
    interruptible,
    owner_pid,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import (
    blank_passwords,
    split_password,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._live_progress import LiveProgress
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._outside_settings import with_database
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._preload import preload
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._token_host import LOCAL, check_token_host

# Ansible loads an action in its main process before it forks the first worker for it: nothing else comes so early.
preload()


class Door(ActionBase):
    """Validate the options and lead to the stage; subclasses name `STAGE` and `SPEC`."""

    STAGE: t.ClassVar[staticmethod[[t.Mapping[str, t.Any], Context], dict[str, t.Any]]]
    SPEC: t.ClassVar[dict[str, t.Any]]
    TITLE: t.ClassVar[str] = ""
    _supports_check_mode = True
    _supports_diff = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give the stage's result; an expected error becomes a failed result with one sentence and its kind."""
        task_vars = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        try:
            self.check_play(task_vars)
            given = with_database(dict(self._task.args), self.SPEC)
            options = _hide_password(self.complete(given, task_vars))
            if not self._is_in_process():
                result.update(
                    self._execute_module(module_name=self._task.action, module_args=options, task_vars=task_vars)
                )
                return result
            with interruptible():
                result.update(self.run_stage(self._validated(options), self._context(result)))
        except TokensError as err:
            result.update(failed=True, msg=err.msg, kind=err.kind)
        except Interrupted as err:
            result.update(failed=True, msg=f"The run was interrupted by {err}.", kind=InterruptedRun.kind)
        return result

    def check_play(self, task_vars: dict[str, t.Any]) -> None:
        """Refuse a play in which the stage cannot do its work as a whole."""

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Add what the action knows and the task need not say."""
        return options

    def run_stage(self, params: dict[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Give the stage's result."""
        return type(self).STAGE(params, context)

    def _is_in_process(self) -> bool:
        return self._transport() == LOCAL

    def _transport(self) -> str:
        return str(getattr(self._connection, "transport", LOCAL))

    def _validated(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        checked = ArgumentSpecValidator(self.SPEC).validate(options)
        if checked.error_messages:
            # ansible-core leaves it to the caller to say what the names of unsupported options are.
            messages = [
                f"Unsupported options for {self._task.action}: {error.msg}"
                if isinstance(error, UnsupportedError)
                else error.msg
                for error in checked.errors
            ]
            raise AnsibleActionFail(" ".join(f"{message.rstrip('.')}." for message in messages))
        parameters: dict[str, t.Any] = checked.validated_parameters
        return parameters

    def _context(self, result: dict[str, t.Any]) -> Context:
        def warn(text: str) -> None:
            result.setdefault("warnings", []).append(text)

        return Context(
            check_mode=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            warn=warn,
            progress=LiveProgress(self.TITLE or self._task.get_name()),
            pushes=LiveProgress("Pushes"),
            owner=owner_pid(),
        )


def _hide_password(options: dict[str, t.Any]) -> dict[str, t.Any]:
    # Options are shown with -vvv and in a failed module's result; the one for passwords is not.
    if isinstance(options.get("database"), str):
        plain, password = split_password(options["database"])
        # What stands among parameters is refused by the stage; until then it is not shown either.
        options["database"] = blank_passwords(plain)
        if password and not options.get("database_password"):
            options["database_password"] = password
    return options


class OnceDoor(Door):
    """The door of a stage that works on all services and nodes of the play at once."""

    # Makes the linear strategy start the task for one host only, and the free strategy refuse it.
    BYPASS_HOST_LOOP = True

    def check_play(self, task_vars: dict[str, t.Any]) -> None:
        """Refuse to work in pieces, and elsewhere than on the machine that was named: everything at once is what makes
        limits, locks and reports right.

        Raises: StageOrder, BadInput.
        """
        check_token_host(getattr(self._task, "delegate_to", None), self._transport(), task_vars.get("groups") or {})
        hosts = task_vars.get("ansible_play_hosts") or ()
        batch = task_vars.get("ansible_play_batch") or ()
        if len(batch) < len(hosts):
            raise StageOrder(
                f"{self._task.action} works on all {len(hosts)} hosts of the play at once, and this batch has only "
                f"{len(batch)} of them: remove serial from the play. "
                "The stages have a concurrency of their own (managed_tokens_push_concurrency and others)."
            )
        if len(hosts) > 1 and not self._task.run_once:
            raise StageOrder(
                f"{self._task.action} works on all hosts of the play at once: add run_once: true to the task."
            )


class OwnProcessDoor(OnceDoor):
    """The door of a stage that works in Ansible's own process only, wherever its task is delegated to, with the
    variables of the play."""

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Keep the variables for the stage."""
        self._variables = task_vars
        return options

    def _is_in_process(self) -> bool:
        return True
