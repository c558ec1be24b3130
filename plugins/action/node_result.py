# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(node_result) with the host's own slice of the batch."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StageOrder, TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_verdict import (
    NODE_RESULT_SPEC,
    has_well_node,
    run_node_result,
    run_verdict_sentence,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._batches import with_outcomes
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import Door


class ActionModule(Door):
    """The in-process door; it never connects to the node."""

    SPEC = NODE_RESULT_SPEC
    STAGE = staticmethod(run_node_result)

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Take the node's name and outcomes from the host and the registered batch.

        The batch is read by name and not templated: its size times the number of hosts would be a run's largest cost.

        Raises: StageOrder when the batch has not run in this play.
        """
        node = options.setdefault("node", task_vars.get("inventory_hostname"))
        if options.get("outcomes") is None:
            batch = task_vars.get(options.get("batch") or "")
            if not isinstance(batch, t.Mapping) or "nodes" not in batch:
                raise StageOrder(
                    "There is no batch result in this run: start the whole play, "
                    "without --start-at-task and --skip-tags, and with the push stage."
                )
            options["outcomes"] = [batch["outcomes"][position] for position in batch["nodes"].get(node, ())]
        return options

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give the node's result.

        As the role calls it, for every node, there is nothing to validate, and nothing to clean up when it is
        interrupted; then all that is left out.
        """
        task_vars = task_vars or {}
        if not self._task.args.keys() <= {"batch", "batches"}:
            return super().run(tmp, task_vars)
        result: dict[str, t.Any] = ActionBase.run(self, tmp, task_vars)
        try:
            options = self.complete(dict(self._task.args), task_vars)
            result.update(run_node_result(options, Context()))
            if options.get("batches") and (result.get("failed") or result.get("unreachable")):
                result["msg"] += self._verdict(options, task_vars)
        except TokensError as err:
            result.update(failed=True, msg=err.msg, kind=err.kind)
        return result

    def _verdict(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> str:
        # Ansible goes on with hosts that are well only. When none is, the verdict has no place but here.
        hosts = task_vars.get("ansible_play_hosts_all") or ()
        batch = task_vars[options["batch"]]
        if options["node"] != (hosts[0] if hosts else "") or has_well_node(hosts, batch["nodes"], batch["outcomes"]):
            return ""
        every = with_outcomes({"batches": options["batches"]}, task_vars)
        return f" The whole run: {run_verdict_sentence(every['outcomes'])}"

    def _is_in_process(self) -> bool:
        return True
