# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every setting is known to all who read it, with the same type, choices and default."""

from __future__ import annotations

import importlib
import itertools
import re
import typing as t
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from ansible_collections.fife.managed_tokens.plugins.action.login_audience import AUDIENCE_SPEC
from ansible_collections.fife.managed_tokens.plugins.action.report import REPORT_SPEC
from ansible_collections.fife.managed_tokens.plugins.action.settings_check import SETTINGS_CHECK_SPEC
from ansible_collections.fife.managed_tokens.plugins.doc_fragments.stage import ModuleDocFragment
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import (
    KNOWN_SETTINGS,
    REPORT_SETTINGS,
    STAGE_SETTINGS,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_verdict import (
    NODE_RESULT_SPEC,
    RUN_VERDICT_SPEC,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

CHECKOUT = Path(__file__).resolve().parents[3]
ENGINE = "ansible_collections.fife.managed_tokens.plugins.module_utils."
ROLES = ("token_push", "refresh_uids", "onboarding", "offboarding", "status")
NAMESPACE = "fife.managed_tokens."
VARIABLE = re.compile(r"\bmanaged_tokens_[a-z0-9_]+")


def spec_of(stage: str) -> dict[str, t.Any]:
    """Give the options of a stage."""
    spec: dict[str, t.Any] = importlib.import_module(f"{ENGINE}_stage_{stage}").ARGUMENT_SPEC
    return spec


SPECS: dict[str, dict[str, t.Any]] = {
    "service_info": spec_of("service_info"),
    "service_list": spec_of("service_list"),
    "kinit_service": spec_of("kinit"),
    "vault_token_store": spec_of("store"),
    "ferry_uids": spec_of("ferry"),
    "experiment_stanza": spec_of("experiment_stanza"),
    "login_audience": AUDIENCE_SPEC,
    "onboarding_check": spec_of("onboarding_check"),
    "vault_login": spec_of("login"),
    "offboarding_info": spec_of("offboarding_info"),
    "credd_credential": spec_of("credd_credential"),
    "kept_token": spec_of("kept_token"),
    "offboarding_record": spec_of("offboarding_record"),
    "ping_nodes": spec_of("ping"),
    "push_vault_token": spec_of("push"),
    "node_result": NODE_RESULT_SPEC,
    "report": REPORT_SPEC,
    "run_record": spec_of("record"),
    "settings_check": SETTINGS_CHECK_SPEC,
    "status_info": spec_of("status"),
    "run_verdict": RUN_VERDICT_SPEC,
}


def read(path: Path) -> t.Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def of_role(role: str) -> Path:
    return CHECKOUT / "roles" / role


OPTIONS: dict[str, dict[str, dict[str, t.Any]]] = {
    role: read(of_role(role) / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"] for role in ROLES
}
INCLUDES = ("ansible.builtin.include_tasks", "ansible.builtin.import_tasks")


def tasks_of(role: str, name: str = "main.yml") -> list[dict[str, t.Any]]:
    """Give the tasks of a file, with those of the files that it includes in their place."""
    found: list[dict[str, t.Any]] = []
    for task in read(of_role(role) / "tasks" / name):
        files = [task[word] for word in INCLUDES if word in task]
        found += tasks_of(role, *files) if files else [task]
    return found


TASKS: dict[str, list[dict[str, t.Any]]] = {role: tasks_of(role) for role in ROLES}
# Those that only say where tasks go, or whether there are any.
STEERING = {"managed_tokens_token_host", "managed_tokens_push"}


def test_role_settings_are_exactly_the_known_ones() -> None:
    assert set().union(*OPTIONS.values()) == STAGE_SETTINGS


def report_options() -> dict[str, dict[str, t.Any]]:
    source = importlib.import_module("ansible_collections.fife.managed_tokens.plugins.callback.report")
    options: dict[str, dict[str, t.Any]] = yaml.safe_load(source.DOCUMENTATION)["options"]
    return options


def test_report_settings_are_exactly_the_known_ones() -> None:
    variables = {entry["name"] for option in report_options().values() for entry in option["vars"]}
    assert variables - STAGE_SETTINGS == REPORT_SETTINGS


def test_report_settings_are_those_of_the_callback_with_its_defaults() -> None:
    defaults = ReportSettings()
    assert report_options().keys() == {item.name for item in fields(ReportSettings)}
    for name, option in report_options().items():
        ours = getattr(defaults, name)
        theirs = option["default"]
        assert (list(ours) if isinstance(ours, tuple) else ours) == theirs, name
        assert option["env"] == [{"name": f"MANAGED_TOKENS_{name.upper()}"}]


def test_role_settings_of_one_name_are_one_setting() -> None:
    for first, second in itertools.combinations(OPTIONS.values(), 2):
        for name in first.keys() & second.keys():
            for aspect, absent in ASPECTS:
                assert first[name].get(aspect, absent) == second[name].get(aspect, absent), (name, aspect)


def handed_on(role: str) -> list[tuple[str, str, str]]:
    """List which setting the role hands to which option of which module; one within another is named with a dot."""
    found = []
    for task in TASKS[role]:
        for module in (name for name in task if name.startswith(NAMESPACE)):
            spec = SPECS.get(module.removeprefix(NAMESPACE), {})
            given = dict(task[module] or {})
            for option in [name for name in given if "options" in spec.get(name, {})]:
                given |= {f"{option}.{name}": value for name, value in given.pop(option).items()}
            for option, value in given.items():
                names = VARIABLE.findall(value) if isinstance(value, str) else []
                found += [(name, module.removeprefix(NAMESPACE), option) for name in dict.fromkeys(names)]
    return found


def option_of(module: str, option: str) -> dict[str, t.Any]:
    spec: dict[str, t.Any] = {"options": SPECS[module]}
    for name in option.split("."):
        spec = spec["options"][name]
    return spec


# What a setting and an option have to agree on, and what it is when it is not written.
ASPECTS = (("type", "str"), ("elements", None), ("choices", None), ("default", None))


@pytest.mark.parametrize(
    ("role", "setting", "module", "option"), [(role, *handed) for role in ROLES for handed in handed_on(role)]
)
def test_role_setting_and_module_option_agree(role: str, setting: str, module: str, option: str) -> None:
    ours, theirs = OPTIONS[role][setting], option_of(module, option)
    for aspect, absent in ASPECTS:
        assert ours.get(aspect, absent) == theirs.get(aspect, absent), aspect


@pytest.mark.parametrize("role", ROLES)
def test_role_hands_on_every_setting(role: str) -> None:
    assert {setting for setting, _module, _option in handed_on(role)} == OPTIONS[role].keys() - STEERING


def test_role_has_every_setting_checked_early_that_can_be() -> None:
    (setup,) = [task[f"{NAMESPACE}service_info"] for task in TASKS["token_push"] if f"{NAMESPACE}service_info" in task]
    for name, value in setup["later"].items():
        assert VARIABLE.findall(value) == [f"managed_tokens_{name}"]


@pytest.mark.parametrize("role", ROLES)
def test_role_settings_whose_default_is_not_defined_are_omitted(role: str) -> None:
    text = " ".join(str(task) for task in TASKS[role] if any(name.startswith(NAMESPACE) for name in task))
    for name in VARIABLE.findall(text):
        assert re.search(rf"{name}\s*\|\s*default\(", text), f"{name} would fail when it is not set"


@pytest.mark.parametrize("role", ROLES)
def test_role_once_stages_are_shaped_by_no_host(role: str) -> None:
    """The first host's value of such a keyword would count for all."""
    for task in TASKS[role]:
        if f"{NAMESPACE}node_result" in task:
            continue
        assert task["run_once"] is True, task["name"]
        assert "delegate_to" in task, task["name"]
        assert not {"when", "vars", "become", "become_user", "environment", "loop"} & task.keys(), task["name"]


def test_role_timeouts_are_documented_with_their_defaults() -> None:
    for text in (
        *(OPTIONS[role]["managed_tokens_timeouts"]["description"] for role in ROLES if role != "status"),
        " ".join(documented("service_info")["options"]["timeouts"]["description"]),
    ):
        for name in Timeouts.__dataclass_fields__:
            assert re.search(rf"\b{name}\b[^,.;]*\({getattr(Timeouts(), name):g}\)", text.replace("\n", " ")), name


def documented(module: str) -> dict[str, t.Any]:
    """Give a module's documentation with its fragments."""
    source = importlib.import_module(f"ansible_collections.fife.managed_tokens.plugins.modules.{module}")
    found: dict[str, t.Any] = yaml.safe_load(source.DOCUMENTATION)
    options: dict[str, t.Any] = {}
    for fragment in found.get("extends_documentation_fragment", ()):
        part = fragment.removeprefix(f"{NAMESPACE}stage").removeprefix(".").upper() or "DOCUMENTATION"
        options |= yaml.safe_load(getattr(ModuleDocFragment, part))["options"]
    own = found.get("options") or {}
    found["options"] = {name: {**options.get(name, {}), **own.get(name, {})} for name in {**options, **own}}
    return found


@pytest.mark.parametrize("module", sorted(SPECS))
def test_module_documentation_and_options_agree(module: str) -> None:
    options, spec = documented(module)["options"], SPECS[module]
    assert options.keys() == spec.keys()
    for name, theirs in spec.items():
        for aspect, absent in (*ASPECTS, ("required", False)):
            assert options[name].get(aspect, absent) == theirs.get(aspect, absent), (name, aspect)


@pytest.mark.parametrize("module", sorted(SPECS))
def test_module_and_action_of_every_stage_exist_and_are_in_the_action_group(module: str) -> None:
    assert (CHECKOUT / "plugins" / "modules" / f"{module}.py").is_file()
    assert (CHECKOUT / "plugins" / "action" / f"{module}.py").is_file()
    assert module in read(CHECKOUT / "meta" / "runtime.yml")["action_groups"]["managed_tokens"]


def test_example_inventory_uses_known_settings_only() -> None:
    for path in sorted((CHECKOUT / "inventory" / "group_vars" / "all").glob("*.yml")):
        assert read(path).keys() <= KNOWN_SETTINGS
