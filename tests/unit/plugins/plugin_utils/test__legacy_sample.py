# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample configuration, value by value: what a run here takes from it is written down below by hand."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Wanted, resolve, role_file_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import SHARED_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_file import read_tree
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_inventory import Inventory, translate

SAMPLE = Path(__file__).resolve().parents[3] / "fixtures" / "managedTokens.yml"
DUNE_NODES = (("dunegpvm01.lab.example", 22), ("dunegpvm02.lab.example", 22))
POOL = ("collector1.lab.example", "collector2.lab.example")
ALL = {
    "vault_server": "vault.lab.example",
    "token_dir": "/var/lib/managed-tokens/service-credd-vault-tokens",
    "schedd_constraint": "IsJobsubLite==True",
    "collectors": POOL,
    "credds": (),
    "token_getter": "condor",
    "notify": True,
}

# By the name for notifications and the database; `name` is the one for storage, metrics and files.
SERVICES: dict[str, dict[str, t.Any]] = {
    "dune_production": ALL
    | {
        "name": "dune_production",
        "account": "dunepro",
        "uid": None,
        "principal": "dunepro/managed-tokens/push.lab.example@LAB.EXAMPLE",
        "keytab": "/opt/managed-tokens/keytabs/dunepro.keytab",
        "nodes": DUNE_NODES,
        "role_file": "/tmp/jobsub_default_role_dune_12345",
    },
    "dune_analysis": ALL
    | {
        "name": "dune_analysis",
        "account": "duneana",
        "uid": 50002,
        "principal": "duneana/managed-tokens/push.lab.example@LAB.EXAMPLE",
        "keytab": "/opt/managed-tokens/keytabs/duneana.keytab",
        "nodes": DUNE_NODES,
        "role_file": "/tmp/jobsub_default_role_dune_50002",
    },
    "dune-2_production": ALL
    | {
        "name": "dune_production",
        "account": "dunepro2",
        "uid": 50010,
        "principal": "dunepro/special/push.lab.example@LAB.EXAMPLE",
        "keytab": "/special/dunepro2.keytab",
        "collectors": ("collector9.lab.example",),
        "credds": ("credd2.lab.example",),
        "nodes": (("shared01.lab.example", 2222),),
        "role_file": "/tmp/jobsub_default_role_dune-2_50010",
        "notify": False,
    },
    "mu2e_production": ALL
    | {
        "name": "mu2e_production",
        "account": "mu2epro",
        "uid": None,
        "principal": "mu2epro/managed-tokens/push.lab.example@LAB.EXAMPLE",
        "keytab": "/opt/managed-tokens/keytabs/mu2epro.keytab",
        "token_getter": "htgettoken",
        "nodes": (("mu2egpvm01.lab.example", 22), ("shared01.lab.example", 22)),
        "role_file": "/tmp/jobsub_default_role_mu2e_12345",
    },
}

SETTINGS: dict[str, t.Any] = {
    "managed_tokens_database": "/var/lib/managed-tokens/managed-tokens.db",
    "managed_tokens_threshold": 3,
    "managed_tokens_min_token_lifetime": "3d",
    "managed_tokens_ping_options": ["-W", "2", "-c", "2"],
    "managed_tokens_push_retries": 2,
    "managed_tokens_push_retry_delay": 5.0,
    # connect is ssh's ConnectTimeout; a ping has to end well before it.
    "managed_tokens_timeouts": {
        "run": 300,
        "kerberos": 20,
        "store": 90,
        "ping": 5,
        "push": 30,
        "ferry": 30,
        "connect": 10,
    },
    "managed_tokens_ferry_url": "https://ferry.lab.example:8445",
    "managed_tokens_ferry_ca": "/etc/grid-security/certificates",
    "managed_tokens_ferry_cert": "/etc/grid-security/hostcert.pem",
    "managed_tokens_ferry_key": "/etc/grid-security/hostkey.pem",
    "managed_tokens_ferry_service": "dune_production",
    "managed_tokens_mail_from": "managed-tokens@lab.example",
    "managed_tokens_smtp_host": "localhost",
    "managed_tokens_smtp_port": 25,
    "managed_tokens_pushgateway": "http://pushgateway.lab.example:9091",
    "managed_tokens_pushgateway_job": "managed_tokens",
    "managed_tokens_loki": "http://loki.lab.example:3100",
    "managed_tokens_otlp_endpoint": "http://otel.lab.example:4318",
    "managed_tokens_admin_emails": ["admin@lab.example"],
    "managed_tokens_slack_webhook": "https://hooks.slack.example/services/T000/B000/XXXX",
    "managed_tokens_test_admin_emails": ["admin-test@lab.example"],
    "managed_tokens_test_slack_webhook": "https://hooks.slack.example/services/T000/B000/TEST",
    "managed_tokens_report": "task",
}
PEOPLE = {"dune": ["dune-a@lab.example", "dune-b@lab.example"], "dune-2": ["dune2@lab.example"], "mu2e": None}


@pytest.fixture(scope="module")
def sample() -> Inventory:
    return translate(read_tree(str(SAMPLE)))


@pytest.fixture(scope="module")
def resolved(sample: Inventory) -> dict[str, Wanted]:
    general = {name: sample.variables.get(f"managed_tokens_{name}") for name in (*SHARED_SETTINGS, "keytab_path")}
    hosts = [node for nodes in sample.groups.values() for node in nodes]
    view = InventoryView({**sample.groups, "experiments": hosts, "all": hosts}, frozenset(hosts))
    found = resolve(sample.variables["managed_tokens_experiments"], general, view)
    assert found.problems == []
    return {item.service.config_name: item for item in found.wanted}


def test_sample_has_exactly_these_services(resolved: dict[str, Wanted]) -> None:
    assert resolved.keys() == SERVICES.keys()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_sample_service_value_by_value(resolved: dict[str, Wanted], name: str) -> None:
    found = resolved[name]
    wanted = dict(SERVICES[name])
    service = found.service
    assert (found.uid, found.credds, found.collectors, found.schedd_constraint) == tuple(
        wanted.pop(key) for key in ("uid", "credds", "collectors", "schedd_constraint")
    )
    assert tuple((node.name, node.port) for node in service.nodes) == wanted.pop("nodes")
    assert [node.address for node in service.nodes] == [node.name for node in service.nodes]
    with_uid = t.cast("t.Any", service).from_dict({**service.to_dict(), "uid": found.uid or 12345})
    assert role_file_of(with_uid, found.default_role_file, name) == wanted.pop("role_file")
    assert {key: getattr(service, key) for key in wanted} == wanted


def test_sample_settings_value_by_value_and_no_others(sample: Inventory) -> None:
    of_services = {f"managed_tokens_{name}" for name in (*SHARED_SETTINGS, "keytab_path", "experiments")}
    assert {name: value for name, value in sample.variables.items() if name not in of_services} == SETTINGS


def test_sample_people(sample: Inventory) -> None:
    experiments = sample.variables["managed_tokens_experiments"]
    assert {name: experiment.get("emails") for name, experiment in experiments.items()} == PEOPLE


def test_sample_says_nothing_that_would_have_to_be_told(sample: Inventory) -> None:
    assert sample.warnings == []
    assert sample.remarks == ["The ping timeout is 5 s; it has to fit into the connect timeout."]
