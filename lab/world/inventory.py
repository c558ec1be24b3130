# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the laboratory's own inventory, ready for the playbooks."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from world.layout import DATABASE_PORT, FERRY_PORT, PATHS, REALM, SERVICE_ACCOUNT, TOKEN_HOST, Layout
from world.postgres import DATABASE, ROLE


def write(layout: Layout) -> None:
    """Write hosts and settings; JSON is YAML."""
    directory = Path(PATHS["inventory"])
    settings = directory / "group_vars" / "all"
    settings.mkdir(parents=True)
    groups: dict[str, t.Any] = {}
    experiments: dict[str, t.Any] = {}
    for service in layout.services:
        groups.setdefault(service.experiment, {"hosts": {}})
        experiment = experiments.setdefault(
            service.experiment, {"emails": [f"{service.experiment}@lab.example"], "roles": {}}
        )
        experiment["roles"][service.role] = {"account": service.account}
    for node in layout.nodes:
        for name in node.experiments:
            groups[name]["hosts"][node.name] = {}
    _write(directory / "hosts.yml", {"experiments": {"children": groups}})
    _write(settings / "experiments.yml", {"managed_tokens_experiments": experiments})
    values: dict[str, t.Any] = {
        "managed_tokens_keytab_path": PATHS["keytabs"],
        "managed_tokens_principal": f"{{account}}/managed-tokens/{TOKEN_HOST}@{REALM}",
        "managed_tokens_vault_server": layout.vault.name,
        "managed_tokens_vault_ca": f"{PATHS['pki']}/ca.pem",
        "managed_tokens_collectors": [layout.collector.name],
        "managed_tokens_token_dir": PATHS["token_dir"],
        "managed_tokens_known_hosts": [PATHS["known_hosts"]],
        "managed_tokens_token_getter": "htgettoken" if layout.is_light else "condor",
    }
    _write(settings / "settings.yml", values | _state_settings(layout))


def _state_settings(layout: Layout) -> dict[str, t.Any]:
    """Give where the state database is, and how FERRY is asked."""
    server = f"{layout.database.name}:{DATABASE_PORT}"
    return {
        "managed_tokens_database": f"postgresql+psycopg://{ROLE}@{server}/{DATABASE}"
        if layout.postgres
        else PATHS["database"],
        "managed_tokens_ferry_url": f"https://{layout.ferry.name}:{FERRY_PORT}",
        "managed_tokens_ferry_cert": f"{PATHS['pki']}/{SERVICE_ACCOUNT}.crt",
        "managed_tokens_ferry_key": f"{PATHS['pki']}/{SERVICE_ACCOUNT}.key",
        "managed_tokens_ferry_ca": f"{PATHS['pki']}/ca",
        "managed_tokens_ferry_service": layout.services[0].name,
    }


def _write(path: Path, content: dict[str, t.Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
