# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is printed of a new service is YAML that means it, whatever the names."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._experiment_stanza import scalar, stanza
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_experiment_stanza import (
    ARGUMENT_SPEC,
    run_stage,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    GROUPS,
    PRINCIPAL,
    experiments,
    node,
    service,
)


def run(warnings: list[str] | None = None, **params: t.Any) -> dict[str, t.Any]:
    """Run the stage with validated options, for icarus beside dune."""
    given = {
        "experiments": experiments(),
        "principal": PRINCIPAL,
        "groups": GROUPS,
        "hosts": ["localhost"],
        "name": "icarus",
        "account": "icaruspro",
        "nodes": ["icarusgpvm01.lab.example"],
        **params,
    }
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    return run_stage(checked.validated_parameters, Context(warn=(warnings if warnings is not None else []).append))


def test_run_stage_gives_both_parts_as_yaml() -> None:
    found = run(emails=["a@lab.example"], uid=50200)
    assert yaml.safe_load(found["inventory_hosts"]) == {"icarus": {"hosts": {"icarusgpvm01.lab.example": {}}}}
    assert yaml.safe_load(found["inventory_experiments"]) == {
        "icarus": {"emails": ["a@lab.example"], "roles": {"production": {"account": "icaruspro", "uid": 50200}}}
    }
    assert not any("refresh_uids" in line for line in found["lines"])


def test_run_stage_without_an_address_is_refused() -> None:
    with pytest.raises(BadInput, match=r"icarus\.emails holds 'icarus computing'; an e-mail address looks like"):
        run(emails=["icarus computing"])


def test_run_stage_uid_of_another_account_is_refused() -> None:
    with pytest.raises(BadInput, match=r"icarus_production: the UID 50100 of account icaruspro .* of account dunepro"):
        run(uid=50100)


def test_run_stage_says_what_is_needed_elsewhere() -> None:
    text = "\n".join(run(keytab_path="/keys")["lines"])
    for words in (
        "the principal icaruspro/managed-tokens/push.lab.example@LAB.EXAMPLE",
        "its keytab /keys/icaruspro.keytab",
        "the UID of icaruspro",
        "fife.managed_tokens.onboarding -e managed_tokens_service=icarus_production",
    ):
        assert words in text


def test_run_stage_new_role_of_a_known_experiment_keeps_its_nodes() -> None:
    found = run(name="dune", role="analysis", account="duneana", nodes=["dunegpvm01.lab.example"])
    assert yaml.safe_load(found["inventory_experiments"]) == {"dune": {"roles": {"analysis": {"account": "duneana"}}}}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"name": "dune"}, "The service dune_production is configured already"),
        ({"name": "ica_rus"}, "has an underscore"),
        ({"name": "1e5"}, "looks like a number"),
        ({"account": "12"}, "looks like a number"),
        ({"account": "a b"}, "is no account name"),
        ({"nodes": ["a/b"]}, "no usable host name"),
        ({"nodes": []}, "at least one node"),
        ({"uid": 0}, "uid is 0"),
        ({"principal": None}, "has no principal"),
    ],
)
def test_run_stage_names_that_would_be_refused_are_refused(params: dict[str, t.Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        run(**params)


def test_run_stage_file_that_another_service_writes_is_warned_of() -> None:
    warnings: list[str] = []
    run(warnings, name="dune", role="analysis", account="dunepro", nodes=["dunegpvm01.lab.example"], uid=50100)
    assert any("dune_analysis and dune_production both write" in text for text in warnings)


@given(st.text(max_size=12))
def test_scalar_any_text_is_that_text(text: str) -> None:
    assert yaml.safe_load(f"x: {scalar(text)}") == {"x": text}


@pytest.mark.parametrize("name", ["no", "on", "y", "NULL", "1e5", "0x1", "~", "-"])
def test_stanza_names_that_yaml_takes_for_something_else_are_quoted(name: str) -> None:
    found = stanza(service(f"{name}_production", nodes=(node("n1.lab.example"),)), [], None)
    assert list(yaml.safe_load("\n".join(found.experiments))) == [name]
