# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a configuration of the Go service for the laboratory, in its own format and with its own keys."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from world.accounts import own_by_service_account
from world.layout import FERRY_PORT, PATHS, REALM, REPORT_PORTS, SERVICE_ACCOUNT, TOKEN_HOST, Layout

DIRECTORY = Path("/srv/lab/legacy")
STATE = Path(PATHS["database"]).parent / "legacy"
# A key of its own for the tokens' experiment, as sites have it that serve one experiment in two ways.
RENAMED = {"mu2e": "mu2e_grid"}


def write(layout: Layout) -> None:
    """Write managedTokens.yml, and make the directory for its database; JSON is YAML."""
    DIRECTORY.mkdir()
    STATE.mkdir()
    own_by_service_account(STATE, 0o755)
    path = DIRECTORY / "managedTokens.yml"
    path.write_text(json.dumps(_configuration(layout), indent=2) + "\n")
    # It holds secrets when there is a report.
    own_by_service_account(path, 0o400)


def _configuration(layout: Layout) -> dict[str, t.Any]:
    pki = PATHS["pki"]
    return {
        "keytabPath": PATHS["keytabs"],
        "condorCollectorHost": layout.collector.name,
        "vaultServer": layout.vault.name,
        "serviceCreddVaultTokenPathRoot": str(STATE / "service-credd-vault-tokens"),
        "kerberosPrincipalPattern": f"{{{{.Account}}}}/managed-tokens/{TOKEN_HOST}@{REALM}",
        "dbLocation": str(STATE / "managed-tokens.db"),
        "errorCountToSendMessage": 3,
        "defaultRoleFileDestinationTemplate": "/tmp/default_role_{{ .Experiment }}_{{.DesiredUID}}",
        "pingOptions": "-W 2 -c 1",
        "fileCopierOptions": "--perms --chmod=u=r,go=",
        "sshOptions": f"-o ConnectTimeout=8 -o GSSAPIAuthentication=yes -o UserKnownHostsFile={PATHS['known_hosts']}",
        "minTokenLifetime": "3d",
        "timeouts": {
            "globalTimeout": "300s",
            "kerberosTimeout": "20s",
            "vaultStorerTimeout": "1m",
            "pingTimeout": "10s",
            "pushTimeout": "30s",
        },
        "workerType": {"pushTokens": {"numRetries": 1, "retrySleep": "1s"}},
        "ferry": {
            "host": f"https://{layout.ferry.name}",
            "port": FERRY_PORT,
            "caPath": f"{pki}/ca",
            "hostCert": f"{pki}/{SERVICE_ACCOUNT}.crt",
            "hostKey": f"{pki}/{SERVICE_ACCOUNT}.key",
        },
        "experiments": _experiments(layout),
        **(_report(layout) if layout.report else {}),
    }


def _experiments(layout: Layout) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for service in layout.services:
        nodes = [node.name for node in layout.nodes if service.experiment in node.experiments]
        renamed = RENAMED.get(service.experiment, "")
        # Upper and lower case make no difference there.
        experiment = found.setdefault(
            renamed or service.experiment.upper(), {"emails": f"{service.experiment}@lab.example", "roles": {}}
        )
        if renamed:
            experiment["experimentOverride"] = service.experiment
        role: dict[str, t.Any] = {
            "account": service.account,
            "destinationNodes": " ".join(nodes) if renamed else nodes,
        }
        if layout.is_light:
            role["tokenGetterOverride"] = "getToken"
        experiment["roles"][service.role] = role
    return found


def _report(layout: Layout) -> dict[str, t.Any]:
    places = {name: f"http://{machine.name}:{REPORT_PORTS[name]}" for name, machine in layout.report_servers.items()}
    slack = Path(PATHS["slack_url"]).read_text().strip()
    return {
        "email": {
            "from": "managed-tokens@lab.example",
            "smtpHost": layout.report_servers["mail"].name,
            "smtpPort": REPORT_PORTS["mail"],
        },
        "prometheus": {"host": places["pushgateway"], "jobname": "managed_tokens"},
        "loki": {"host": places["loki"]},
        "tracing": {"url": places["otlp"]},
        "notifications": {"admin_email": "admins@lab.example", "SLACK_ALERTS_URL": slack},
    }
