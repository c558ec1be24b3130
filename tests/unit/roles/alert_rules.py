# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give the alert rules as the role renders them, with Ansible's own filters, and the dashboard."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import yaml
from ansible.plugins.filter.core import FilterModule
from jinja2 import Environment, Undefined
from jinja2.nativetypes import NativeEnvironment

ROLE = Path(__file__).resolve().parents[3] / "roles" / "monitoring"
PUBLIC = "managed_tokens_monitoring_"
PRIVATE = "__monitoring_"
OPTIONS: dict[str, dict[str, t.Any]] = yaml.safe_load(
    (ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
)["argument_specs"]["main"]["options"]
VARIABLES: dict[str, t.Any] = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
DASHBOARD: dict[str, t.Any] = json.loads((ROLE / "files" / "managed_tokens.json").read_text(encoding="utf-8"))
FILTERS: dict[str, t.Any] = FilterModule().filters()
# What Ansible reads from a file's first line instead.
HEAD = "#jinja2: variable_start_string:'[[', variable_end_string:']]'\n"


def rendered(**settings: t.Any) -> str:
    """Give the file of rules with these settings (names without prefix); the others have their defaults."""
    first, text = HEAD, (ROLE / "templates" / "rules.yml.j2").read_text(encoding="utf-8")
    assert text.startswith(first)
    environment = Environment(variable_start_string="[[", variable_end_string="]]", trim_blocks=True)
    environment.filters |= {name: FILTERS[name] for name in ("bool", "combine", "to_json")}
    return environment.from_string(text.removeprefix(first)).render(variables(**settings))


def rules(**settings: t.Any) -> dict[str, dict[str, t.Any]]:
    """Give the rules by the names of their alerts."""
    (group,) = yaml.safe_load(rendered(**settings))["groups"]
    return {rule["alert"]: rule for rule in group["rules"] or []}


def variables(**settings: t.Any) -> dict[str, t.Any]:
    """Give the role's internal variables with these settings."""
    environment = NativeEnvironment(undefined=Undefined)
    known: dict[str, t.Any] = {f"{PUBLIC}{name}": value for name, value in settings.items()}
    for name, value in VARIABLES.items():
        if "lookup(" not in str(value):
            known[name] = _filled(environment, value, known)
    return known


def _filled(environment: NativeEnvironment, value: t.Any, known: dict[str, t.Any]) -> t.Any:
    if isinstance(value, dict):
        return {name: _filled(environment, item, known) for name, item in value.items()}
    return environment.from_string(value).render(known) if isinstance(value, str) and "{{" in value else value
