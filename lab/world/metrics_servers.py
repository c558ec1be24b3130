# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a real Pushgateway and a real Prometheus of Debian, the second reading from the first every second."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from pathlib import Path

from world.layout import REPORT_PORTS, Layout
from world.namespaces import WorldError
from world.stand_ins import Starting, begin

USER = "prometheus"
DIRECTORY = Path("/srv/lab/prometheus")
READY_WITHIN_S = 20.0


def start(layout: Layout) -> list[Starting]:
    """Start both; Prometheus answers questions from `wait_until_ready` on.

    Raises: WorldError when they are not installed.
    """
    if not (shutil.which("prometheus") and shutil.which("prometheus-pushgateway")):
        raise WorldError("Prometheus and its Pushgateway are not installed: run lab/install (or do without --report).")
    DIRECTORY.mkdir()
    shutil.chown(DIRECTORY, USER, USER)
    gateway = layout.report_servers["pushgateway"]
    source = {
        "job_name": "pushgateway",
        "honor_labels": True,
        "static_configs": [{"targets": [f"{gateway.name}:{REPORT_PORTS['pushgateway']}"]}],
    }
    often = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    # JSON is YAML.
    (DIRECTORY / "prometheus.yml").write_text(json.dumps({"global": often, "scrape_configs": [source]}, indent=2))
    # Tests begin with an empty gateway, which its administrator's interface makes.
    return [
        _begin(layout, "pushgateway", "prometheus-pushgateway", "--web.enable-admin-api"),
        _begin(
            layout,
            "prometheus",
            "prometheus",
            "--web.enable-admin-api",
            f"--config.file={DIRECTORY}/prometheus.yml",
            f"--storage.tsdb.path={DIRECTORY}/data",
        ),
    ]


def wait_until_ready(layout: Layout) -> None:
    """Return when Prometheus answers questions, which is later than its port does.

    Raises: WorldError when it does not.
    """
    address = f"http://{layout.report_servers['prometheus'].address}:{REPORT_PORTS['prometheus']}/-/ready"
    # Straight to it, whatever the environment says of proxies.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            opener.open(address, timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise WorldError("Prometheus does not become ready; its log is prometheus.err among the logs.")


def _begin(layout: Layout, name: str, program: str, *options: str) -> Starting:
    address, port = layout.report_servers[name].address, REPORT_PORTS[name]
    privileges = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]
    listen = f"--web.listen-address={address}:{port}"
    return begin(name, address, port, ["setpriv", *privileges, "--", program, listen, *options])
