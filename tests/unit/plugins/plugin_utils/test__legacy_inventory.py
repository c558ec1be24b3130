# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single keys of a configuration of the Go service: what each becomes, what is wrong with it, what is said of it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_inventory import Inventory, translate

PREFIX = "managed_tokens_"
ROLE = {"account": "dunepro", "destinationnodes": "n1 n2"}


def tree(*, role: t.Mapping[str, t.Any] | None = None, **top: t.Any) -> dict[str, t.Any]:
    """Give a configuration with one service, whose role has these keys too; keys are in lower case by now."""
    return {"experiments": {"dune": {"roles": {"production": {**ROLE, **(role or {})}}}}, **top}


def role_of(found: Inventory, experiment: str = "dune", role: str = "production") -> dict[str, t.Any]:
    plain: dict[str, t.Any] = found.variables["managed_tokens_experiments"][experiment]["roles"][role]
    return plain


def problems(given: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    with pytest.raises(BadInput) as caught:
        translate(given)
    return caught.value.problems


def test_translate_the_least_configuration() -> None:
    found = translate(tree())
    assert found.groups == {"dune": ["n1", "n2"]}
    assert found.variables == {
        "managed_tokens_database": "/var/lib/managed-tokens/uid.db",
        "managed_tokens_threshold": 1,
        "managed_tokens_report": "task",
        "managed_tokens_experiments": {
            "dune": {"roles": {"production": {"account": "dunepro", "nodes": ["n1", "n2"]}}}
        },
    }
    assert (found.warnings, found.remarks) == ([], [])


TOP: tuple[tuple[dict[str, t.Any], dict[str, t.Any]], ...] = (
    ({"dblocation": "/x.db"}, {"database": "/x.db"}),
    ({"errorcounttosendmessage": "0"}, {"threshold": 1}),
    ({"errorcounttosendmessage": "5"}, {"threshold": 5}),
    ({"condorcreddhost": "c1"}, {"credds": ["c1"]}),
    ({"condorcollectorhost": "c1, c2"}, {"collectors": ["c1", "c2"]}),
    ({"vaultserver": ""}, {}),
    ({"defaultrolefiledestinationtemplate": ""}, {"default_role_file": ""}),
    ({"devenvironmentlabel": "dev"}, {"environment": "dev"}),
    ({"ferry": {"host": "ferry.example.org", "port": "8445"}}, {"ferry_url": "https://ferry.example.org:8445"}),
    ({"ferry": {"host": "https://ferry.example.org/"}}, {"ferry_url": "https://ferry.example.org"}),
    ({"ferry": {"serviceexperiment": "a", "servicerole": "b"}}, {"ferry_service": "a_b"}),
    ({"authmethod": "jwt"}, {"ferry_auth": "token"}),
    ({"verbose": True}, {"store_verbose": True}),
    ({"experiment": "DUNE", "service": "nova_x"}, {"experiment": ["dune"]}),
    ({"service": "Dune_Production"}, {"service": ["dune_production"]}),
    ({"loki": {"host": "http://l"}, "no-loki": True}, {}),
    ({"loki": {"host": "http://l"}}, {"loki": "http://l"}),
    ({"disablenotifications": True}, {"notify": False}),
    ({"disablenotifications": "false"}, {}),
    ({"dont-notify": True}, {"notify": False}),
    (
        {"workertype": {"pushtokens": {"numretries": "3.0", "retrysleep": "0s"}}},
        {"push_retries": 3, "push_retry_delay": 0.0},
    ),
    ({"timeouts": {"dbtimeout": "5s"}}, {"database_timeout": 5.0}),
    ({"timeouts": {"global": "20m"}}, {"timeouts": {"run": 1200}}),
    ({"timeouts": {"globaltimeout": "20m", "global": "1m"}}, {"timeouts": {"run": 1200}}),
    ({"timeouts": {"pingtimeout": "10s"}}, {"timeouts": {"ping": 5}}),
    ({"timeouts": {"pushtimeout": "6s"}}, {"timeouts": {"push": 6, "connect": 3, "ping": 1.5}}),
    ({"sshoptions": "-o ConnectTimeout=30"}, {"timeouts": {"connect": 15}}),
    ({"sshoptions": "-o UserKnownHostsFile=/k"}, {"known_hosts": ["/k"]}),
    ({"sshoptions": "-o KexAlgorithms=a"}, {"kex_algorithms": ["a"]}),
    ({"pingoptions": "-c 5"}, {"ping_options": ["-c", "5"], "timeouts": {"ping": 5}}),
    ({"pingoptions": "-c 7"}, {"ping_options": ["-c", "7"], "timeouts": {"ping": 7}}),
    ({"pingoptions": "-4 -c 60"}, {"ping_options": ["-4"]}),
    ({"logs": {"token-push": {"logfile": "/var/log/x.log"}}}, {"log_file": "/var/log/x.log"}),
    ({"prometheus": {"jobname": "mt"}}, {"pushgateway_job": "mt"}),
    ({"plugin": "fife.managed_tokens.managed_tokens_config"}, {}),
)


@pytest.mark.parametrize(("given", "wanted"), TOP)
def test_translate_a_key_at_the_top(given: dict[str, t.Any], wanted: dict[str, t.Any]) -> None:
    least = {"database": "/var/lib/managed-tokens/uid.db", "threshold": 1, "report": "task"}
    found = {name.removeprefix(PREFIX): value for name, value in translate(tree(**given)).variables.items()}
    assert found.pop("experiments")
    assert found == least | wanted


def test_translate_the_environment_s_label_wins() -> None:
    found = translate(tree(devenvironmentlabel="dev"), "test")
    assert found.variables["managed_tokens_environment"] == "test"


ROLES: tuple[tuple[dict[str, t.Any], dict[str, t.Any]], ...] = (
    ({"desireduidoverride": "5"}, {"uid": 5}),
    ({"userprincipaloverride": "a@R", "kerberosprincipalpatternoverride": "{{.Account}}@R"}, {"principal": "a@R"}),
    ({"kerberosprincipalpatternoverride": "{{.Account}}@R"}, {"principal": "{account}@R"}),
    ({"keytabpathoverride": "/k"}, {"keytab": "/k"}),
    ({"condorcollectorhostoverride": "c"}, {"collectors": ["c"]}),
    ({"condorcreddhostoverride": "c"}, {"credds": ["c"]}),
    ({"condorscheddconstraintoverride": "x"}, {"schedd_constraint": "x"}),
    ({"vaultserveroverride": "v"}, {"vault_server": "v"}),
    ({"servicecreddvaulttokenpathrootoverride": "/t"}, {"token_dir": "/t"}),
    ({"defaultrolefiledestinationtemplateoverride": "/{{.Role}}"}, {"default_role_file": "/{role}"}),
    ({"sshoptionsoverride": "-o Port=2222"}, {"ssh_port": 2222}),
    ({"disablenotificationsoverride": True}, {"notify": False}),
    ({"tokengetteroverride": "getToken"}, {"token_getter": "htgettoken"}),
    ({"tokengetteroverride": "storeAndGetToken"}, {"token_getter": "condor"}),
)


@pytest.mark.parametrize(("given", "wanted"), ROLES)
def test_translate_a_key_of_a_role(given: dict[str, t.Any], wanted: dict[str, t.Any]) -> None:
    assert role_of(translate(tree(role=given))) == {"account": "dunepro", "nodes": ["n1", "n2"], **wanted}


def test_translate_options_of_a_role_take_the_place_of_the_general_ones() -> None:
    assert role_of(translate(tree(sshoptions="-o Port=2222")))["ssh_port"] == 2222
    assert "ssh_port" not in role_of(translate(tree(sshoptions="-o Port=2222", role={"sshoptionsoverride": ""})))


def test_translate_one_who_wants_to_be_told_makes_the_administrators_told_as_well() -> None:
    given = tree(disablenotifications=True, role={"disablenotificationsoverride": False})
    given["experiments"]["dune"]["roles"]["test"] = dict(ROLE)
    found = translate(given)
    assert "managed_tokens_notify" not in found.variables
    assert (role_of(found)["notify"], role_of(found, role="test")["notify"]) == (True, False)


def test_translate_nodes_of_all_roles_are_the_group_s() -> None:
    given = tree()
    given["experiments"]["dune"]["roles"]["test"] = {"account": "d", "destinationnodes": ["n3", "n1"]}
    assert translate(given).groups == {"dune": ["n1", "n2", "n3"]}


def experiment(**changes: t.Any) -> dict[str, t.Any]:
    return {"experiments": changes}


USUAL = {"roles": {"production": ROLE}}
BAD: dict[str, tuple[dict[str, t.Any], str]] = {
    "nothing": ({}, "experiments is missing or empty; it has to be a dictionary of experiments with roles."),
    "no experiments": ({"experiments": []}, "experiments is missing or empty;"),
    "an experiment that is none": (experiment(dune="x"), "experiments.dune is 'x'; it has to be a dictionary with"),
    "an experiment without roles": (experiment(dune={}), "experiments.dune has no roles; it needs at least one, with"),
    "roles that are none": (experiment(dune={"roles": ["production"]}), "experiments.dune has no roles;"),
    "a role that is none": (
        experiment(dune={"roles": {"production": "x"}}),
        "experiments.dune.roles.production is 'x'; it has to be a dictionary with an account.",
    ),
    "a role without account": (
        experiment(dune={"roles": {"production": {"destinationnodes": "n"}}}),
        "experiments.dune.roles.production.account is missing; every role needs the UNIX account",
    ),
    "no nodes at all": (
        experiment(dune={"roles": {"production": {"account": "d"}}}),
        "no experiment has a role with destinationNodes, so there is nothing to keep fresh.",
    ),
    "a name with a dot": (experiment(**{"a.b": USUAL}), "experiments.a.b has a name with a dot, which the Go service"),
    "a name that is none": (experiment(**{"a b": USUAL}), "experiments.a b has no usable name: only letters, digits,"),
    "a role's name": (
        experiment(dune={"roles": {"{{ x }}": ROLE}}),
        "experiments.dune.roles.{{ x }} has no usable name",
    ),
    "a name of Ansible's": (experiment(all=USUAL), "experiments.all has a name that Ansible or this collection needs"),
    "a name of ours": (experiment(experiments=USUAL), "experiments.experiments has a name that Ansible or this"),
    "a node like an experiment": (
        experiment(dune=USUAL, n1=USUAL),
        "experiments.dune has the node 'n1', which is the name of a group too.",
    ),
    "a node with a port": (
        tree(role={"destinationnodes": "n:22"}),
        "experiments.dune has the node 'n:22', which is no",
    ),
    "a range of nodes": (tree(role={"destinationnodes": "n[1:3]"}), "experiments.dune has the node 'n[1:3]', which is"),
    "braces in a principal": (
        tree(role={"userprincipaloverride": "{a}@R"}),
        "userPrincipalOverride is '{a}@R'; it has",
    ),
    "a section that is none": (tree(email="x"), "email is 'x'; it has to be a dictionary."),
    "a section of secrets that is none": (
        tree(notifications="https://hook.example/Canary"),
        "notifications has to be a dictionary; what it is, is not shown.",
    ),
    "a webhook that is no text": (
        tree(notifications={"slack_alerts_url": ["https://hook.example/Canary"]}),
        "notifications.SLACK_ALERTS_URL has to be text on one line; what it is, is not shown.",
    ),
    "a webhook with a character that is none": (
        tree(notifications_test={"slack_alerts_url": "https://hook.example/\u200bCanary"}),
        "notifications_test.SLACK_ALERTS_URL has to be text on one line; what it is, is not shown.",
    ),
    "an address that may hold a login": (
        tree(prometheus={"host": "https://user:" + "\nCanary@gateway.example"}),
        "prometheus.host has to be text on one line; what it is, is not shown.",
    ),
    "an unknown method": (tree(authmethod="x"), "authmethod is 'x'; it has to be tls or jwt."),
    "a port that is none": (tree(ferry={"port": "x"}), "ferry.port is 'x'; it has to be a whole number of at least 1."),
    "timeouts that contradict each other": (
        tree(timeouts={"global": "10s"}),
        "timeouts: managed_tokens_timeouts.kerberos (20 s) has to be shorter than managed_tokens_timeouts.run (10 s).",
    ),
    "yes": (tree(disablenotifications="yes"), "disableNotifications is 'yes'; it has to be true or false."),
    "open quotes": (tree(sshoptions="'"), "sshOptions cannot be split into words: no closing quotation."),
    "a template": (
        tree(kerberosprincipalpattern="{{.X}}"),
        "kerberosPrincipalPattern holds '{{.X}}', which cannot be translated; {{.Account}} can be.",
    ),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_translate_what_is_wrong_is_told(name: str) -> None:
    given, sentence = BAD[name]
    assert any(sentence in problem for problem in problems(given))


def test_translate_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(problems({"email": "x", "authmethod": "x", **experiment(dune={}, nova={})})) == 4


WARNINGS: dict[str, tuple[dict[str, t.Any], str]] = {
    "an unknown key": (
        tree(keytabpaht="/k"),
        "Unknown keys, which do not count: keytabpaht (did you mean keytabPath?).",
    ),
    "an unknown key deeper": (tree(email={"form": "x"}), "email.form (did you mean from?)."),
    "an unknown key nothing is near": (tree(zzz="x"), "Unknown keys, which do not count: zzz."),
    "an unknown key of a role": (
        tree(role={"acount": "x"}),
        "experiments.dune.roles.production.acount (did you mean account?).",
    ),
    "several": (
        tree(htgettokenopts="-v", sshoptions="-4", filecopieroptions="-z"),
        (
            "Not applicable here, see docs/coming-from-managed-tokens.md: htgettokenopts; "
            "sshOptions -4 (the Go service drops it too); fileCopierOptions -z."
        ),
    ),
    "other workers": (tree(workertype={"getkerberostickets": {"numretries": "1"}}), "workerType.getKerberosTickets."),
    "a run-wide option at a role": (
        tree(role={"sshoptionsoverride": "-o ConnectTimeout=5"}),
        "experiments.dune.roles.production.sshOptionsOverride ConnectTimeout (a setting of the whole run).",
    ),
    "ping at a role": (
        tree(role={"pingoptionsoverride": "-4"}),
        "pingOptionsOverride (a node is pinged once, with the",
    ),
    "rsync at a role": (tree(role={"filecopieroptionsoverride": "-z"}), "production.fileCopierOptionsOverride -z."),
    "test": (
        tree(test=True),
        "test is true, which here sends the administrators' messages, or a test message, to the test addresses;",
    ),
    "a getter": (
        tree(role={"tokengetteroverride": "x"}),
        "tokenGetterOverride is 'x'; it has to be getToken or storeAndGetToken. It counts as storeAndGetToken.",
    ),
    "a duration": (tree(timeouts={"push": "5"}), "timeouts.push is '5'; it has to be a duration like 90s or 1m30s."),
    "many packets": (
        tree(pingoptions="-c 60"),
        "pingOptions -c and -i (no node would answer before the connect timeout)",
    ),
}


@pytest.mark.parametrize("name", sorted(WARNINGS))
def test_translate_what_does_not_count_is_one_warning(name: str) -> None:
    given, words = WARNINGS[name]
    (warning,) = translate(given).warnings
    assert words in warning


def test_translate_a_service_without_nodes_is_left_out_and_named() -> None:
    given = tree()
    given["experiments"]["nova"] = {"roles": {"production": {"account": "n", "destinationnodes": []}}}
    found = translate(given)
    assert found.groups.keys() == {"dune"}
    assert found.warnings[0].startswith("nova_production has no destinationNodes and is left out;")


def test_translate_long_values_are_not_shown_whole() -> None:
    (problem,) = problems(tree(disablenotifications="x" * 5000))
    assert len(problem) < 250
