# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the laboratory's own inventory and ansible.cfg, ready for the playbooks."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from world.accounts import own_by_service_account
from world.layout import (
    DATABASE_PORT,
    DOMAIN,
    FERRY_PORT,
    PATHS,
    REALM,
    REPORT_PORTS,
    SERVICE_ACCOUNT,
    TOKEN_HOST,
    Layout,
)
from world.postgres import DATABASE, ROLE

# What the README asks every site to have.
ANSIBLE_CFG = """\
[defaults]
internal_poll_interval = 0.005
duplicate_dict_key = error

[inventory]
unparsed_is_failed = True
any_unparsed_is_failed = True
"""


def write(layout: Layout) -> None:
    """Write hosts and settings; JSON is YAML."""
    _write_ansible_cfg()
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
            # Thousands of names would make each look-up in /etc/hosts the dearest step; a site has a name server.
            groups[name]["hosts"][node.name] = {"ansible_host": node.address} if layout.simulated else {}
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
    if not layout.report:
        values["managed_tokens_report"] = "none"
    _write(settings / "settings.yml", values | _state_settings(layout))
    if layout.report:
        # It holds secrets.
        _write(settings / "report.yml", _report_settings(layout))
        own_by_service_account(settings / "report.yml", 0o400)


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


def _report_settings(layout: Layout) -> dict[str, t.Any]:
    """Give where the report is sent."""
    places = {name: f"{machine.name}:{REPORT_PORTS[name]}" for name, machine in layout.report_servers.items()}
    state = Path(PATHS["database"]).parent
    return {
        "managed_tokens_smtp_host": layout.report_servers["mail"].name,
        "managed_tokens_smtp_port": REPORT_PORTS["mail"],
        "managed_tokens_smtp_ca": f"{PATHS['pki']}/ca.pem",
        "managed_tokens_mail_from": f"managed-tokens@{DOMAIN}",
        "managed_tokens_admin_emails": [f"admins@{DOMAIN}"],
        "managed_tokens_slack_webhook": Path(PATHS["slack_url"]).read_text().strip(),
        "managed_tokens_pushgateway": f"http://{places['pushgateway']}",
        "managed_tokens_otlp_endpoint": f"http://{places['otlp']}",
        "managed_tokens_loki": f"http://{places['loki']}",
        "managed_tokens_ping_url": Path(PATHS["ping_url"]).read_text().strip(),
        "managed_tokens_last_run_file": str(state / "last_run.json"),
        "managed_tokens_log_file": str(state / "report.jsonl"),
        "managed_tokens_textfile": "",
    }


def _write_ansible_cfg() -> None:
    site = Path("/etc/ansible/ansible.cfg")
    site.parent.mkdir(exist_ok=True)
    site.write_text(ANSIBLE_CFG)


def _write(path: Path, content: dict[str, t.Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
