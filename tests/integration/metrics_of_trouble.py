# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the metrics that follow when some things went well and of each sort something failed; a program of its own.

Usage: metrics_of_trouble.py DATABASE FILE
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import PING, PUSH, STORE, TICKETS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_state as report_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_push import write_textfile
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    SERVICE_EMAIL,
    SLACK,
    Delivery,
    Key,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_metrics import render
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_policy import Decision
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import (
    refresh_uids,
    six_services,
    snapshot_in,
    token_push,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

NODE = "exp03gpvm01.lab.example"
FAULTS = {
    (TICKETS, "exp02_production"),
    (STORE, "exp03_analysis", "credd1.lab.example"),
    (STORE, "none_production", ""),
    (PUSH, "exp03_production", NODE),
    (PING, NODE),
}


def main() -> None:
    """Make the database, and write its metrics."""
    state = state_at(Path(sys.argv[1]))
    # One without credds has metrics of its own.
    services = [*six_services(), service("none_production", nodes=(), credds=())]
    services.append(replace(services[-1], name="well_production", config_name="well_production"))
    token_push(state, services, ago=3600, bad=FAULTS)
    token_push(state, services, bad=FAULTS)
    refresh_uids(state, {f"exp0{number}pro": 50000 + number for number in range(3)})
    refresh_uids(state, {"exp00pro": 50000, "exp01pro": 50001}, bad=["exp01pro"])
    now = time.time()
    keys = (Key("push", "exp03_production", NODE),)
    deliveries = [
        Delivery(EMAIL, "", (), now, 0.2),
        Delivery(SLACK, "", (), now, 0.2, "It was refused."),
        Delivery(SERVICE_EMAIL, "exp03", keys, now, 0.2),
        Delivery(SERVICE_EMAIL, "exp03", keys, now, 0.2, "It was refused."),
    ]
    report_state.settle(state, deliveries, Decision(), "r", now)
    # The problem in one sentence, or none.
    sys.exit(write_textfile(render(snapshot_in(state)), sys.argv[2]) or None)


if __name__ == "__main__":
    main()
