# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin as Ansible runs it: what it gives survives an export, and nothing in it is ever a template."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_keys as keys
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_file import PLUGIN
from ansible_collections.fife.managed_tokens.tests.unit.conftest import directory_of_collections

PLUGINS = Path(__file__).resolve().parents[1]
SAMPLE = (Path(__file__).resolve().parents[3] / "fixtures" / "managedTokens.yml").read_text(encoding="utf-8")
# 5000 have been tried; that takes minutes.
HOW_MANY = int(os.environ.get("MANAGED_TOKENS_EXAMPLES") or 60)


class Reader:
    """Ansible in a process of its own."""

    def __init__(self, home: Path) -> None:
        (home / "ansible.cfg").touch()
        environment = {
            **os.environ,
            "ANSIBLE_INVENTORY_ENABLED": "fife.managed_tokens.managed_tokens_config,yaml",
            "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
            "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS": "ignore",
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "COLUMNS": "1000",
        }
        environment.pop("MANAGED_TOKENS_DEV_ENVIRONMENT_LABEL", None)
        self._process = subprocess.Popen(
            [sys.executable, str(PLUGINS / "legacy_export.py"), str(directory_of_collections())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def both(self, tree: t.Any) -> dict[str, t.Any]:
        """Give what a configuration and its export say, or how it was refused."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        text = tree if isinstance(tree, str) else yaml.safe_dump(tree, allow_unicode=True)
        self._process.stdin.write(json.dumps(text) + "\n")
        self._process.stdin.flush()
        found: dict[str, t.Any] = json.loads(self._process.stdout.readline())
        return found

    def end(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Reader]:
    found = Reader(tmp_path_factory.mktemp("ansible"))
    yield found
    found.end()


def test_the_sample_and_its_export_are_the_same_inventory(reader: Reader) -> None:
    found = reader.both(SAMPLE)
    assert found["direct"] == found["again"]
    assert found["direct"]["problems"] == []
    assert found["direct"]["groups"]["experiments"] == [
        "dunegpvm01.lab.example",
        "dunegpvm02.lab.example",
        "mu2egpvm01.lab.example",
        "shared01.lab.example",
    ]
    assert found["direct"]["groups"]["dune-2"] == ["shared01.lab.example"]
    assert {name for name in found["direct"]["variables"] if name.startswith("managed_tokens_")} <= KNOWN_SETTINGS
    assert "WARNING" not in found["said"]


JINJA = (
    "{{ lookup('pipe', 'touch ' ~ playbook_dir ~ '/evaluated') }}",
    "{% set a = 1 %}{{ 7 * 7 }}",
    "{# gone #}kept",
    "#jinja2: variable_start_string:'[['\u00e9",
    "a \\ \" ' {{ b }} \U0001f600",
    "{% endraw %}{{ 7 * 7 }}{%- endraw -%}",
    "{{",
    "}}",
)


@pytest.mark.parametrize("text", JINJA)
def test_jinja_stays_text_here_and_in_the_export(reader: Reader, text: str) -> None:
    tree = {
        "keytabPath": text,
        "email": {"smtpHost": text},
        "experiments": {
            "dune": {
                "roles": {"production": {"account": "dunepro", "destinationNodes": "n", "vaultServerOverride": text}}
            }
        },
    }
    found = reader.both(tree)
    assert found["direct"] == found["again"]
    variables = found["direct"]["variables"]
    assert (variables["managed_tokens_keytab_path"], variables["managed_tokens_smtp_host"]) == (text, text)
    role = variables["managed_tokens_experiments"]["dune"]["roles"]["production"]
    assert role["vault_server"] == text


def test_a_configuration_that_is_wrong_ends_the_program_with_every_reason(reader: Reader) -> None:
    found = reader.both("experiments: {dune: {}, nova: [x]}\npingOptions: [a]\n")
    assert found["status"] == 1
    assert "direct" not in found
    assert found["said"].count("[ERROR]") == 3
    assert "managedTokens.yml: experiments.dune has no roles; it needs at least one, with an account." in found["said"]


def test_warnings_name_what_does_not_count(reader: Reader) -> None:
    tree = {
        "keytabpad": "/k",
        "sshOptions": "-o ProxyJump=gate",
        "timeouts": {"pingTimeout": "10"},
        "experiments": {
            "dune": {"roles": {"production": {"account": "dunepro", "destinationNodes": "n"}, "test": {"account": "t"}}}
        },
    }
    said = reader.both(tree)["said"]
    for words in (
        "Unknown keys, which do not count: keytabpad (did you mean keytabPath?).",
        "Not applicable here, see docs/coming-from-managed-tokens.md: sshOptions ProxyJump.",
        "timeouts.pingTimeout is '10'; it has to be a duration like 90s or 1m30s. It does not count.",
        "dune_test has no destinationNodes and is left out",
    ):
        assert words in said


def test_the_environment_s_label_is_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "managedTokens.yml"
    path.write_text(SAMPLE, encoding="utf-8")
    monkeypatch.setenv("MANAGED_TOKENS_DEV_ENVIRONMENT_LABEL", "test")
    plugin, inventory = inventory_loader.get(PLUGIN), InventoryData()
    assert plugin.verify_file(str(path))
    plugin.parse(inventory, DataLoader(), str(path))
    assert inventory.groups["all"].get_vars()["managed_tokens_environment"] == "test"


# -- any tree of the documented keys ----------------------------------------------------------------------------------

TEXTS = st.sampled_from(
    [
        *("", "a", "b.lab.example", "/x/y", "x y", "{{ 7 * 7 }}", "{{.Account}}@R", "{{.Role}}", "{x}", "3d", "5"),
        *("-1", "1m30s", "2.0", "true", "no", "0s", "-o Port=22 -o ConnectTimeout=5", "-W 2 -c 9", "https://h:1"),
        *("jwt", "getToken", "\u00e9"),
    ]
) | st.text(max_size=8)
WILD = st.none() | st.booleans() | st.integers(-5, 70000) | TEXTS | st.lists(TEXTS, max_size=3) | st.just({"a": "b"})
BY_NAME: dict[str, st.SearchStrategy[t.Any]] = {
    "disablenotifications": st.booleans(),
    "disablenotificationsoverride": st.booleans(),
    "test": st.booleans(),
    "dont-notify": st.booleans(),
    "disable-notifications": st.booleans(),
    "no-loki": st.booleans(),
    "errorcounttosendmessage": st.integers(0, 9),
    "workertype.pushtokens.numretries": st.integers(0, 9),
    "workertype.pushtokens.retrysleep": st.sampled_from(["0s", "1.5s", "1m"]),
    "ferry.port": st.integers(1, 65535),
    "authmethod": st.sampled_from(["tls", "jwt"]),
    "tokengetteroverride": st.sampled_from(["getToken", "storeAndGetToken", "other"]),
    "filecopieroptions": st.sampled_from(["--perms --chmod=u=r,go=", "-z"]),
    "filecopieroptionsoverride": st.just("--bwlimit=1"),
    "timeouts.globaltimeout": st.sampled_from(["300s", "15m", "1h"]),
}
BY_PART: tuple[tuple[str, list[str]], ...] = (
    ("timeouts.", ["5s", "20s", "1m30s", "x"]),
    (
        "sshoptions",
        ["-o Port=2222", "-o ConnectTimeout=30 -o Foo=bar", "-4", "-o UserKnownHostsFile=/k -o KexAlgorithms=a,b"],
    ),
    ("pingoptions", ["-W 5", "-c 3 -i 2", "-c 60", "x"]),
    ("pattern", ["{{.Account}}@R", "x/{{ .Account -}} @R"]),
    ("template", ["/tmp/{{.Account}}_{{.DesiredUID}}", "{{.Experiment}}", ""]),
)
BY_KIND = {
    keys.ONE: st.just("credd.lab.example"),
    keys.NAMES: st.sampled_from(["a@x b@x", ["a@x"], []]),
    keys.COLLECTORS: st.just("c1, c2"),
    keys.TRUTH: st.booleans(),
    keys.WHOLE: st.integers(1, 60000),
}


def plausible(key: keys.Key) -> st.SearchStrategy[t.Any]:
    """Give values of the kind that the key is documented to have."""
    name = key.name.lower()
    if name in BY_NAME:
        return BY_NAME[name]
    for part, values in BY_PART:
        if part in name:
            return st.sampled_from(values)
    if key.kind in BY_KIND:
        return BY_KIND[key.kind]
    if "principal" in name or "override" in name:
        return st.sampled_from(["dune", "a@R"] if "principal" in name else ["dune", "cms"])
    return st.sampled_from(["/a/b", "h.lab.example", "x", "{{ 7 * 7 }}", "\u00e9 {% x"])


def some(
    known: t.Iterable[keys.Key], leave_out: t.Container[str], *, is_tidy: bool
) -> st.SearchStrategy[dict[str, t.Any]]:
    """Give dictionaries with some of the keys."""
    one = [
        st.tuples(st.just(key.path), plausible(key) if is_tidy else plausible(key) | WILD)
        for key in known
        if key.name not in leave_out
    ]
    return st.lists(st.one_of(one), max_size=12).map(nested)


def nested(pairs: t.Iterable[tuple[tuple[str, ...], t.Any]]) -> dict[str, t.Any]:
    tree: dict[str, t.Any] = {}
    for path, value in pairs:
        place = tree
        for part in path[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                break
        else:
            place[path[-1]] = value
    return tree


def trees(*, is_tidy: bool) -> st.SearchStrategy[dict[str, t.Any]]:
    """Give whole configurations; tidy ones can be used, others hold whatever somebody might write."""
    names = ["dune", "Nova", "mu2e-x", "a_b"] + ([] if is_tidy else ["DUNE", "x.y", "all", "n1", "7"])
    nodes = ["n1", "n1 n2.lab.example", ["n3", "n1"], ""] + ([] if is_tidy else ["nova", "a:1", "h[1:3]", "-x"])
    accounts = ["dunepro", "novapro"] + ([] if is_tidy else ["", None, "7", ["x"]])
    role = st.builds(
        lambda some_keys, account, some_nodes: {**some_keys, "account": account, "destinationNodes": some_nodes},
        some(keys.ROLE_KEYS, ("account", "destinationNodes"), is_tidy=is_tidy),
        st.sampled_from(accounts),
        st.sampled_from(nodes),
    )
    experiment = st.builds(
        lambda some_keys, roles: {**some_keys, "roles": roles},
        some(keys.EXPERIMENT_KEYS, ("roles",), is_tidy=is_tidy),
        st.dictionaries(st.sampled_from(["production", "Analysis"]), role, min_size=1, max_size=2),
    )
    experiments = st.dictionaries(st.sampled_from(names), experiment, min_size=1, max_size=3)
    return st.builds(
        lambda top, found: {"kerberosprincipalpattern": "{{.Account}}@R", **top, "experiments": found},
        some((*keys.TOP_KEYS, *keys.FLAG_KEYS), ("experiments",), is_tidy=is_tidy),
        experiments if is_tidy else experiments | WILD,
    )


@settings(max_examples=HOW_MANY)
@given(trees(is_tidy=True) | trees(is_tidy=False))
def test_any_tree_of_documented_keys_is_the_same_after_an_export_or_is_refused_clearly(
    reader: Reader, tree: dict[str, t.Any]
) -> None:
    found = reader.both(tree)
    assert "Traceback" not in found["said"]
    if "status" in found:
        assert found["status"] == 1
        assert "[ERROR]: " in found["said"]
        return
    assert found["direct"] == found["again"]
    assert found["direct"]["services"] or found["direct"]["problems"]
    assert {name for name in found["direct"]["variables"] if name.startswith("managed_tokens_")} <= KNOWN_SETTINGS
