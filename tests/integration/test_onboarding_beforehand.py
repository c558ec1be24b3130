# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an onboarding says before anybody is asked: what is missing, what cannot be; an experiment from nothing."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from laboratory import Laboratory
from onboarding_scene import (
    PLAYBOOK,
    QUIET,
    SERVICE,
    behave,
    forget,
    login_log,
    no_programs,
    stored,
    watched,
)

pytestmark = pytest.mark.condor


def test_check_mode_says_what_is_missing_and_asks_nobody(site: Laboratory) -> None:
    forget(site, SERVICE)
    logins = len(login_log(site))
    done = site.play(PLAYBOOK, "-e", f"managed_tokens_service={SERVICE}", "--check")
    assert done.status == 0, done.output
    assert "would be onboarded, by a login if vault has no refresh token" in done.flat
    assert len(login_log(site)) == logins
    assert stored(site, SERVICE) == {}


@pytest.mark.long
def test_everything_that_is_wrong_is_said_at_once_and_only_what_makes_a_login_useless_stops_it(
    site: Laboratory,
) -> None:
    forget(site, SERVICE)
    behave(site, "approve")
    dead, refusing, strange = site.nodes_of(site.service(SERVICE))
    site.lab("fault", "node-blackholed", dead)
    site.lab("fault", "account-refused", "dunepro", refusing)
    site.lab("fault", "host-key-changed", strange)
    site.lab("fault", "keytab-missing", "duneana")
    done = watched(site, SERVICE, "dune_analysis", timeouts={"connect": 4})
    assert done.status == 2, done.output
    for sentence in (
        f"{dead} did not answer at port 22 within 4 s",
        f"{refusing} does not let the account dunepro in",
        f"{strange} presented a host key other than the known one",
        "The keytab /srv/lab/keytabs/duneana.keytab does not exist",
    ):
        assert sentence in done.flat
    # The nodes are somebody's work, and the credds have the token all the same.
    assert f"{SERVICE}: is onboarded now" in done.flat
    assert "dune_analysis: is NOT onboarded" in done.flat
    assert sorted(stored(site, SERVICE)) == ["credd1", "credd2"]


@pytest.mark.long
def test_nobody_is_asked_while_the_vault_server_is_down(site: Laboratory) -> None:
    forget(site, SERVICE)
    site.lab("fault", "vault-down")
    logins = len(login_log(site))
    done = watched(site, SERVICE)
    assert done.status == 2, done.output
    assert "the vault server vault.lab.example cannot be reached" in done.flat
    assert "has to log in" not in done.flat
    assert len(login_log(site)) == logins


@pytest.mark.parametrize(
    ("given", "env", "sentence"),
    [
        ({"onboarding_watched": True}, {}, "Nothing says whom to onboard: add -e managed_tokens_service="),
        ({"service": "dune_producton", "onboarding_watched": True}, {}, "did you mean 'dune_production'?"),
        ({"service": SERVICE}, {}, "There is no terminal, so nobody would see in time"),
        # It prints nothing, so only the exit status tells.
        ({"service": SERVICE, "onboarding_watched": True}, {"ANSIBLE_STDOUT_CALLBACK": QUIET}, ""),
        ({"service": SERVICE, "onboarding_mail": "nobody"}, {}, "'nobody' is no e-mail address"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_begins(
    site: Laboratory, given: dict[str, t.Any], env: dict[str, str], sentence: str
) -> None:
    forget(site, SERVICE)
    logins = len(login_log(site))
    options = {f"managed_tokens_{name}": value for name, value in given.items()}
    done = site.play(PLAYBOOK, "-e", json.dumps(options), env=env)
    assert done.status == 2, done.output
    assert sentence in done.flat
    assert len(login_log(site)) == logins
    assert no_programs(site) == []


@pytest.mark.long
def test_another_token_host_is_refused_before_anything_begins(site: Laboratory) -> None:
    site.allow_ssh_to_token_host()
    inventory = ("-i", "/srv/lab/inventory", "-i", "/home/mtokens/tokenhost.json")
    options = {"managed_tokens_service": SERVICE, "managed_tokens_token_host": "tokenhost"}
    done = site.play(PLAYBOOK, *inventory, "-e", json.dumps({**options, "managed_tokens_onboarding_watched": True}))
    assert done.status == 2, done.output
    assert "A login cannot be shown from another machine while it goes on" in done.flat


@pytest.mark.long
def test_a_new_experiment_from_nothing_with_the_stanza_as_it_is_printed(site: Laboratory) -> None:
    site.lab("newcomer", "icarus")
    behave(site, "approve")
    nodes = site.nodes[1:3]
    options = ("-e", "experiment=icarus", "-e", "account=icaruspro", "-e", f"nodes={','.join(nodes)}")
    printed = site.play("fife.managed_tokens.new_experiment", *options)
    assert printed.status == 0, printed.output
    shown = [line[4:] for line in printed.output.splitlines() if line.startswith("    ")]
    parts = [index for index, line in enumerate(shown) if line.startswith("# ")]
    hosts = yaml.safe_load("\n".join(shown[parts[0] : parts[1]]))
    experiments = yaml.safe_load("\n".join(shown[parts[1] : parts[2]]))
    copy = "/home/mtokens/inventory"
    site.run("sh", "-c", f"rm -rf {copy}; cp -r /srv/lab/inventory {copy}; chmod -R u+w {copy}")
    for path, keys, added in (
        (f"{copy}/hosts.yml", ("experiments", "children"), hosts),
        (f"{copy}/group_vars/all/experiments.yml", ("managed_tokens_experiments",), experiments),
    ):
        there = content = json.loads(site.run("cat", path).output)
        for key in keys:
            there = there[key]
        there |= added
        site.run("sh", "-c", 'printf %s "$1" > "$2"', "sh", json.dumps(content), path)
    inventory = {"ANSIBLE_INVENTORY": copy}
    assert site.play("fife.managed_tokens.refresh_uids", env=inventory).status == 0
    done = watched(site, "icarus_production", push=True, env=inventory)
    assert done.status == 0, done.output
    assert "icarus_production: is onboarded now" in done.flat
    assert sorted(stored(site, "icarus_production")) == ["credd1", "credd2"]
    for node in nodes:
        assert any(path.endswith("-icarus_production") for path in site.files(node))
    again = site.play("fife.managed_tokens.token_push", env=inventory)
    assert (again.status, again.changed) == (0, 0), again.output
