# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the experiments dictionary to services, and everything that can be wrong with it."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Resolved, fill, resolve
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import ROLE_KEYS
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    CANARY,
    DUNE,
    NOVA,
    PRINCIPAL,
    experiments,
    inventory,
    plain_data,
)

GENERAL: dict[str, t.Any] = {"principal": PRINCIPAL, "keytab_path": "/srv/keytabs"}
ROLE = "managed_tokens_experiments.dune.roles.production"


def resolved(configured: t.Any, general: dict[str, t.Any] | None = None, **view: t.Any) -> Resolved:
    """Resolve a configuration in the usual surroundings."""
    return resolve(configured, GENERAL if general is None else general, inventory(**view))


def test_resolve_minimum_gives_a_whole_service() -> None:
    found = resolved({"dune": {"roles": {"production": {"account": "dunepro"}}}})
    assert found.problems == []
    (wanted,) = found.wanted
    assert wanted.uid is None
    assert wanted.service.name == wanted.service.config_name == "dune_production"
    assert wanted.service.principal == "dunepro/managed-tokens/push.lab.example@LAB.EXAMPLE"
    assert wanted.service.keytab == "/srv/keytabs/dunepro.keytab"
    assert [node.name for node in wanted.service.nodes] == [*DUNE]
    assert wanted.default_role_file == "/tmp/default_role_{experiment}_{uid}"
    assert wanted.service.notify


def test_resolve_role_level_settings_win() -> None:
    found = resolved(
        experiments(
            nodes="nova",
            keytab="/elsewhere/k",
            principal="{role}@{experiment}",
            credds="c2 c1",
            vault_server="v2",
            token_getter="htgettoken",
            notify="no",
            default_role_file="",
            token_dir="/elsewhere/t",
            schedd_constraint="A == 1",
            collectors=["col"],
        )
    )
    assert found.problems == []
    (wanted,) = found.wanted
    assert (wanted.uid, wanted.credds, wanted.collectors) == (50100, ("c2", "c1"), ("col",))
    assert (wanted.default_role_file, wanted.schedd_constraint) == ("", "A == 1")
    assert wanted.service.principal == "production@dune"
    assert [node.name for node in wanted.service.nodes] == [*NOVA]
    assert (wanted.service.keytab, wanted.service.token_dir) == ("/elsewhere/k", "/elsewhere/t")
    assert (wanted.service.vault_server, wanted.service.token_getter) == ("v2", "htgettoken")
    assert not wanted.service.notify


def test_resolve_vault_server_that_would_get_tokens_in_clear_is_refused() -> None:
    found = resolved(experiments(vault_server="http://vault:8200"))
    assert found.problems == [
        f"{ROLE}.vault_server has the scheme 'http'; tokens are sent to a vault server by https only."
    ]


def test_resolve_general_vault_server_is_refused_once_and_not_quoted() -> None:
    two = {"dune": {"roles": {role: {"account": "dunepro"} for role in ("production", "analysis")}}}
    found = resolved(two, {**GENERAL, "vault_server": f"https://ann:{CANARY}@vault"})
    (problem,) = found.problems
    assert problem.startswith("managed_tokens_vault_server holds a user name or password; it has to be a host, ")
    assert CANARY not in problem


def test_resolve_token_experiment_changes_the_real_name_only() -> None:
    found = resolved({"dune": {"token_experiment": "fermilab", **experiments()["dune"]}})
    assert found.problems == []
    assert (found.wanted[0].service.name, found.wanted[0].service.config_name) == (
        "fermilab_production",
        "dune_production",
    )


# What is configured for the role, and the one sentence that comes of it.
ROLE_PROBLEMS: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"acount": "x"}, f"{ROLE} has an unknown key 'acount'; did you mean 'account'?"),
    ({"account": None}, f"{ROLE} has no account; every role needs the UNIX account that its token is for."),
    ({"account": ""}, f"{ROLE} has no account; every role needs the UNIX account that its token is for."),
    ({"account": ["a"]}, f"{ROLE}.account is ['a']; it has to be text."),
    ({"account": "1e5"}, f"{ROLE}.account is '1e5', which looks like a number."),
    ({"account": "a b"}, f"{ROLE}.account is 'a b', which is no account name."),
    ({"uid": 0}, f"{ROLE}.uid is 0; a token is never pushed for UID 0 or less, nor above 4294967294."),
    ({"uid": -5}, f"{ROLE}.uid is -5; a token is never pushed for UID 0 or less, nor above 4294967294."),
    ({"uid": 2**32}, f"{ROLE}.uid is 4294967296; a token is never pushed for UID 0 or less, nor above 4294967294."),
    ({"uid": "abc"}, f"{ROLE}.uid is 'abc'; it has to be a whole number."),
    ({"uid": "+-5"}, f"{ROLE}.uid is '+-5'; it has to be a whole number."),
    ({"nodes": []}, f"{ROLE}.nodes is empty; a role needs at least one node (or no nodes key, for the group dune)."),
    (
        {"nodes": ["empty"]},
        f"{ROLE}.nodes is empty; a role needs at least one node (or no nodes key, for the group dune).",
    ),
    ({"nodes": {"a": 1}}, f"{ROLE}.nodes is {{'a': 1}}; it has to be a list of names."),
    (
        {"nodes": ["novagpvm02.lab.example"]},
        (
            f"{ROLE}.nodes names 'novagpvm02.lab.example', which is neither a host nor a group of the inventory; "
            "did you mean 'novagpvm01.lab.example'?"
        ),
    ),
    ({"principal": "{acount}@R"}, f"{ROLE}: principal has the placeholder '{{acount}}'; did you mean 'account'?"),
    (
        {"principal": "{account@R"},
        f"{ROLE}: principal is '{{account@R', with braces that are no placeholder; placeholders look like {{account}}.",
    ),
    (
        {"principal": ""},
        f'{ROLE} has no principal; set managed_tokens_principal, like "{{account}}/managed-tokens/host@REALM".',
    ),
    ({"principal": []}, f"{ROLE}.principal is []; it has to be text."),
    ({"credds": ["-a b"]}, f"{ROLE}: '-a b' is no usable credd name."),
    ({"token_getter": "x"}, f"{ROLE}.token_getter is 'x'; it has to be condor or htgettoken."),
    ({"notify": "perhaps"}, f"{ROLE}.notify is 'perhaps'; it has to be true or false."),
    ({"default_role_file": "role_{uid}"}, f"{ROLE}: default_role_file 'role_50100' has to be an absolute path."),
    (
        {"default_role_file": "/tmp/{rolle}"},
        f"{ROLE}: default_role_file has the placeholder '{{rolle}}'; did you mean 'role'?",
    ),
)


@pytest.mark.parametrize(("values", "problem"), ROLE_PROBLEMS)
def test_resolve_bad_role_is_one_sentence_with_place_and_key(values: dict[str, t.Any], problem: str) -> None:
    assert resolved(experiments(**values)).problems == [problem]


def test_resolve_ssh_port_of_a_role_wins_for_its_nodes() -> None:
    found = resolved(experiments(nodes="dune", ssh_port="2222"))
    assert found.problems == []
    assert {node.port for node in found.wanted[0].service.nodes} == {2222}


@pytest.mark.parametrize("port", [0, 65536])
def test_resolve_ssh_port_that_is_none_is_a_problem(port: int) -> None:
    (problem,) = resolved(experiments(nodes="dune", ssh_port=port)).problems
    assert problem == (
        f"managed_tokens_experiments.dune.roles.production.ssh_port is {port}; it has to be a number from 1 to 65535."
    )


def test_resolve_experiment_with_an_underscore_is_fine_when_tokens_have_another_name() -> None:
    roles = {"production": {"account": "dunepro", "nodes": "dune"}}
    found = resolved({"du_ne": {"token_experiment": "dune", "roles": roles}})
    assert found.problems == []
    assert (found.wanted[0].service.name, found.wanted[0].service.config_name) == (
        "dune_production",
        "du_ne_production",
    )


EXPERIMENT = "managed_tokens_experiments.dune"
GOOD_ROLES = {"production": {"account": "dunepro", "nodes": "dune"}}
EXPERIMENT_PROBLEMS: tuple[tuple[t.Any, str], ...] = (
    (None, "managed_tokens_experiments has to be a dictionary of experiments, not NoneType."),
    (["dune"], "managed_tokens_experiments has to be a dictionary of experiments, not list."),
    ({"dune": "x"}, f"{EXPERIMENT} has to be a dictionary with roles, not str."),
    (
        {"dune": {}},
        f"{EXPERIMENT} has no roles; it needs at least one, like roles: {{production: {{account: dunepro}}}}.",
    ),
    (
        {"dune": {"roles": ["production"]}},
        f"{EXPERIMENT} has no roles; it needs at least one, like roles: {{production: {{account: dunepro}}}}.",
    ),
    (
        {"dune": {"roles": GOOD_ROLES, "email": "a@b"}},
        f"{EXPERIMENT} has an unknown key 'email'; did you mean 'emails'?",
    ),
    (
        {"dune": {"roles": GOOD_ROLES, "emails": {"a": 1}}},
        f"{EXPERIMENT}.emails is {{'a': 1}}; it has to be a list of e-mail addresses.",
    ),
    (
        {"dune": {"roles": GOOD_ROLES, "emails": ["dune-computing example.org", "a@lab.example", "https://x"]}},
        (
            f"{EXPERIMENT}.emails holds 'dune-computing example.org', a URL (not shown: it may be a secret); "
            "an e-mail address looks like somebody@example.org."
        ),
    ),
    (
        {"dune": {"roles": {"production": "dunepro"}}},
        f"{ROLE} has to be a dictionary with an account, not str.",
    ),
    (
        {"du_ne": {"roles": GOOD_ROLES}},
        "The experiment 'du_ne' has an underscore; the storer accepts only the one between experiment and role.",
    ),
    (
        {"dune": {"roles": {"a_b": GOOD_ROLES["production"]}}},
        (
            "The role 'a_b' of experiment dune has an underscore; "
            "the storer accepts only the one between experiment and role."
        ),
    ),
    (
        {"dune": {"roles": {"a b": GOOD_ROLES["production"]}}},
        (
            "The role 'a b' of experiment dune is no usable name: only letters, digits, dots and hyphens, "
            "beginning and ending with a letter or digit."
        ),
    ),
    (
        {"dune": {"roles": GOOD_ROLES, "token_experiment": "1e5"}},
        (
            f"{EXPERIMENT}.token_experiment '1e5' looks like a number; "
            "the state database would change it, so another name is needed."
        ),
    ),
    (
        {"mu2e": {"roles": {"production": {"account": "mu2epro"}}}},
        (
            "managed_tokens_experiments.mu2e.roles.production has no nodes, and the inventory has no group 'mu2e' "
            "with hosts to take them from."
        ),
    ),
)


@pytest.mark.parametrize(("configured", "problem"), EXPERIMENT_PROBLEMS)
def test_resolve_bad_experiment_is_one_sentence_with_its_place(configured: t.Any, problem: str) -> None:
    assert resolved(configured).problems == [problem]


@pytest.mark.parametrize("name", ["0123", "1e5", "10.1", "0x1f", "inf", 123, 1e5])
def test_resolve_numeric_looking_experiment_is_told(name: t.Any) -> None:
    (problem,) = resolved({name: {"roles": GOOD_ROLES}}).problems
    assert problem.startswith(f"The experiment {str(name)!r} looks like a number")


def test_resolve_no_principal_anywhere_is_told() -> None:
    (problem,) = resolved(experiments(), general={}).problems
    assert problem.startswith(f"{ROLE} has no principal; set managed_tokens_principal")


def test_resolve_many_problems_are_told_all_at_once() -> None:
    configured = {
        "dune": {"roles": {"production": {"uid": 0}, "analysis": {"account": "duneana", "nodes": ["x"], "uid": "y"}}},
        "nova": {"roles": {"production": {"account": "novapro", "principle": "a"}}},
    }
    found = resolved(configured).problems
    assert len(found) == 4
    for text, place in zip(
        found, ("dune.roles.production", "dune.roles.analysis", "dune.roles.analysis", "nova"), strict=True
    ):
        assert place in text


def test_resolve_two_keys_that_are_one_name_are_told() -> None:
    roles = {1: GOOD_ROLES["production"], "1": GOOD_ROLES["production"]}
    assert "The service dune_1 is configured twice." in resolved({"dune": {"roles": roles}}).problems


@given(plain_data())
def test_resolve_any_tree_of_plain_data_resolves_or_is_told(configured: t.Any) -> None:
    found = resolved(configured)
    assert all(problem.endswith((".", "?")) for problem in found.problems)


@given(st.dictionaries(st.sampled_from(sorted(ROLE_KEYS)), plain_data()), plain_data())
def test_resolve_any_values_of_the_known_keys_resolve_or_are_told(values: dict[str, t.Any], other: t.Any) -> None:
    general = {**GENERAL, **dict.fromkeys(("credds", "collectors", "notify", "token_dir", "vault_server"), other)}
    found = resolved({"dune": {"token_experiment": other, "emails": other, "roles": {"r": values}}}, general)
    assert len(found.problems) == len(set(found.problems))


@given(plain_data(), plain_data())
def test_resolve_any_address_and_port_resolve_or_are_told(address: t.Any, port: t.Any) -> None:
    found = resolved(experiments(), addresses={DUNE[0]: {"address": address, "port": port}})
    assert all("of host dunegpvm01.lab.example is " in problem for problem in found.problems)


def test_fill_replaces_placeholders_also_with_spaces() -> None:
    assert fill("/tmp/{a}-{ b }", {"a": 1, "b": "x"}, "here") == "/tmp/1-x"


@pytest.mark.parametrize("template", ["{}", "{c}", "{a", "a}", "{{a}}", "{a.b}", "{0}"])
def test_fill_anything_else_in_braces_is_bad_input(template: str) -> None:
    with pytest.raises(BadInput, match=r"^here "):
        fill(template, {"a": 1}, "here")


RELATIVE: tuple[tuple[dict[str, t.Any], dict[str, t.Any], str], ...] = (
    ({}, {"keytab_path": "keytabs"}, "managed_tokens_keytab_path is 'keytabs'"),
    ({}, {"token_dir": "./kept"}, "managed_tokens_token_dir is './kept'"),
    ({"token_dir": "kept"}, {}, f"{ROLE}.token_dir is 'kept'"),
    ({"keytab": "~/dune.keytab"}, {"keytab_path": "unused"}, f"{ROLE}.keytab is '~/dune.keytab'"),
)


@pytest.mark.parametrize(("role", "general", "words"), RELATIVE)
def test_resolve_relative_path_is_told_once(role: dict[str, t.Any], general: dict[str, t.Any], words: str) -> None:
    values = {"account": "dunepro", "nodes": "dune", **role}
    roles = {"production": values} if role else {"production": values, "test": values}
    found = resolved({"dune": {"roles": roles}}, {**GENERAL, **general})
    assert found.problems == [f"{words}; it has to be an absolute path."]
