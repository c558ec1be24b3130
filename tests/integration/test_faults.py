# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break one thing at a time: the rest is served, the broken thing is named, the exit status tells."""

from __future__ import annotations

import pytest
from laboratory import Laboratory

DUNE_NODE = "dunegpvm01.lab.example"
OTHER_NODE = "dunegpvm02.lab.example"


@pytest.fixture
def healthy(light: Laboratory) -> Laboratory:
    """Give a laboratory in which everything is in place."""
    light.lab("heal")
    done = light.push()
    assert done.status == 0, done.output
    return light


def renew_all(laboratory: Laboratory) -> None:
    """Make the next run write every file anew."""
    laboratory.run("rm", "-rf", "/srv/lab/state/service-credd-vault-tokens")


def test_a_dead_node_is_unreachable_and_everything_else_served(healthy: Laboratory) -> None:
    renew_all(healthy)
    with healthy.fault("node-blackholed", DUNE_NODE):
        done = healthy.push()
    assert done.status == 4, done.output
    assert done.recap[DUNE_NODE].unreachable == 1
    others = [node for node in healthy.nodes if node != DUNE_NODE]
    assert [done.recap[node].unreachable + done.recap[node].failed for node in others] == [0] * len(others)
    assert all(done.recap[node].changed for node in others)
    assert f"{DUNE_NODE} did not answer" in done.flat
    assert "It did not answer ping either." in done.flat


def test_a_closed_ssh_port_is_unreachable(healthy: Laboratory) -> None:
    with healthy.fault("ssh-closed", DUNE_NODE):
        done = healthy.push()
    assert done.status == 4, done.output
    assert done.recap[DUNE_NODE].unreachable == 1
    assert "cannot be reached" in done.flat


def test_a_connection_that_is_reset_is_tried_again_and_not_for_ever(healthy: Laboratory) -> None:
    # What fails while storers are still at work is tried anew in the push stage, and would not be counted here.
    quick = ("-e", "managed_tokens_push_retry_delay=0.1", "-e", "managed_tokens_push_ahead=false")
    with healthy.fault("ssh-reset", DUNE_NODE):
        done = healthy.push(*quick)
    assert done.status == 0, done.output
    # Each of the node's services three times.
    served = [service for service in healthy.services if DUNE_NODE in healthy.nodes_of(service)]
    with healthy.fault("ssh-reset", DUNE_NODE, str(3 * len(served))):
        done = healthy.push(*quick)
        again = healthy.push(*quick)
    assert done.status == 2, done.output
    for service in served:
        assert f"{service['name']} on {DUNE_NODE}: The ssh connection to {DUNE_NODE} broke" in done.flat
    assert "(tried 3 times)" in done.flat
    assert [node for node in healthy.nodes if done.recap[node].failed] == [DUNE_NODE]
    # So many connections were tried, and none more.
    assert again.status == 0, again.output


def test_filtered_ping_alone_fails_nothing(healthy: Laboratory) -> None:
    with healthy.fault("ping-filtered", DUNE_NODE):
        done = healthy.push()
    assert done.status == 0, done.output
    assert done.changed == 0


def test_a_refused_account_fails_its_pairs_only(healthy: Laboratory) -> None:
    with healthy.fault("account-refused", "dunepro", DUNE_NODE):
        done = healthy.push()
    assert done.status == 2, done.output
    assert done.recap[DUNE_NODE].failed == 1
    assert f"dune_production on {DUNE_NODE}: {DUNE_NODE} does not let the account dunepro in" in done.flat
    assert f"dune_analysis on {DUNE_NODE}" not in done.flat
    assert done.recap[OTHER_NODE].failed == 0


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("destination-foreign", "belongs to UID"),
        ("destination-symlink", "is a symbolic link; it is neither followed nor replaced"),
    ],
)
def test_what_is_not_ours_is_never_replaced(healthy: Laboratory, fault: str, sentence: str) -> None:
    renew_all(healthy)
    listing = ("find", "/tmp", "-name", "vt_*", "-printf", "%p %y %U %m %l %s\\n")
    with healthy.fault(fault, "dunepro", DUNE_NODE):
        before = sorted(line for line in healthy.node(DUNE_NODE, *listing).output.splitlines() if "50101" not in line)
        done = healthy.push()
        after = sorted(line for line in healthy.node(DUNE_NODE, *listing).output.splitlines() if "50101" not in line)
    assert done.status == 2, done.output
    assert sentence in done.flat
    assert done.recap[DUNE_NODE].failed == 1
    foreign = [line for line in before if fault.endswith("symlink") == (" l " in line)]
    assert foreign
    assert set(foreign) <= set(after)
    assert healthy.push().status == 0


def test_a_full_disk_keeps_the_old_token_whole(healthy: Laboratory) -> None:
    before = healthy.files(DUNE_NODE)
    renew_all(healthy)
    with healthy.fault("disk-full", DUNE_NODE):
        done = healthy.push()
        tokens = {path: there for path, there in healthy.files(DUNE_NODE).items() if path in before}
    assert done.status == 2, done.output
    assert "no space left" in done.flat
    assert tokens == before
    assert healthy.push().status == 0
    assert healthy.node_leftovers() == []


def test_a_missing_keytab_stops_that_service_only(healthy: Laboratory) -> None:
    with healthy.fault("keytab-missing", "novapro"):
        done = healthy.push()
    assert done.status == 2, done.output
    assert "nova_production" in done.flat
    assert "novapro.keytab does not exist" in done.flat
    for node in healthy.nodes:
        is_hit = "nova_production" in [service["name"] for service in healthy.services_on(node)]
        assert done.recap[node].failed == is_hit, node


def test_an_unreadable_keytab_stops_that_service_only(healthy: Laboratory) -> None:
    healthy.run("chmod", "0", "/srv/lab/keytabs/novapro.keytab", user="root")
    try:
        done = healthy.push()
    finally:
        healthy.run("chmod", "0400", "/srv/lab/keytabs/novapro.keytab", user="root")
    assert done.status == 2
    assert "novapro.keytab cannot be read" in done.flat
    assert done.recap[DUNE_NODE].failed == 0


def test_a_principal_that_the_kdc_does_not_know_stops_that_service_only(healthy: Laboratory) -> None:
    experiments = "{dune: {roles: {production: {account: dunepro, uid: 50100, principal: 'nobody/at/all@LAB.EXAMPLE'}, "
    experiments += "analysis: {account: duneana, uid: 50101}}}}"
    done = healthy.push("-e", f"{{managed_tokens_experiments: {experiments}}}", "--limit", "dune")
    assert done.status == 2, done.output
    assert "dune_production" in done.flat
    assert "nobody/at/all@LAB.EXAMPLE" in done.flat
    assert "dune_analysis on" not in done.flat


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (("vault-403", "nova_production"), "vault refused it (permission denied)"),
        (("refresh-token-missing", "nova_production"), "vault holds no refresh token, so a person has to log in once"),
    ],
)
def test_one_service_refused_by_vault_stops_that_service_only(
    healthy: Laboratory, fault: tuple[str, ...], sentence: str
) -> None:
    kept = healthy.kept_tokens()
    on_nodes = healthy.all_files()
    with healthy.fault(*fault):
        # A token that is due makes the program ask for a new one, which is what fails here.
        done = healthy.push("-e", "managed_tokens_min_token_lifetime=167h")
    assert done.status == 2, done.output
    assert sentence in done.flat
    assert "dune_production on" not in done.flat
    assert {name: token for name, token in healthy.kept_tokens().items() if "nova" in name} == {
        name: token for name, token in kept.items() if "nova" in name
    }
    for node, files in healthy.all_files().items():
        for path, there in files.items():
            if "nova" in path:
                assert there == on_nodes[node][path]


def test_vault_down_costs_nothing_that_was_there(healthy: Laboratory) -> None:
    kept, on_nodes = healthy.kept_tokens(), healthy.all_files()
    with healthy.fault("vault-down"):
        done = healthy.push()
    assert done.status == 2, done.output
    assert "the vault server did not answer properly" in done.flat
    assert healthy.kept_tokens() == kept
    assert healthy.all_files() == on_nodes
    assert healthy.push().status == 0


def test_a_slow_storer_is_ended_at_its_time(healthy: Laboratory) -> None:
    with healthy.fault("slow-storer", "30"):
        done = healthy.push("-e", "{managed_tokens_timeouts: {store: 2}}")
    assert done.status == 2, done.output
    assert "the storer did not finish within 2 s and was ended" in done.flat
    assert healthy.leftovers() == []


def test_the_global_time_ends_everything_and_says_so(healthy: Laboratory) -> None:
    with healthy.fault("slow-storer", "30"):
        done = healthy.push(
            "-e", "{managed_tokens_timeouts: {run: 4, store: 3, kerberos: 2, push: 3.5, connect: 3, ping: 1}}"
        )
    assert done.status == 2, done.output
    assert set(done.recap) == set(healthy.nodes)
    assert healthy.leftovers() == []


def test_an_unknown_host_key_is_not_accepted(healthy: Laboratory) -> None:
    healthy.run("sh", "-c", f"grep -v {DUNE_NODE} /srv/lab/known_hosts > /home/mtokens/known")
    before = healthy.accepted_connections(DUNE_NODE)
    done = healthy.push("-e", "{managed_tokens_known_hosts: [/home/mtokens/known]}")
    assert done.status == 2, done.output
    assert f"No known_hosts file has a key for {DUNE_NODE}" in done.flat
    assert done.recap[DUNE_NODE].failed == 1
    assert done.recap[OTHER_NODE].failed == 0
    assert healthy.accepted_connections(DUNE_NODE) == before


def test_a_changed_host_key_is_not_accepted(healthy: Laboratory) -> None:
    before = healthy.accepted_connections(DUNE_NODE)
    with healthy.fault("host-key-changed", DUNE_NODE):
        done = healthy.push()
    assert done.status == 2, done.output
    assert f"{DUNE_NODE} presented a host key other than the known one" in done.flat
    assert healthy.accepted_connections(DUNE_NODE) == before


def test_a_wrong_uid_is_noticed_on_the_node(healthy: Laboratory) -> None:
    experiments = "{dune: {roles: {production: {account: dunepro, uid: 50999}}}}"
    done = healthy.push("-e", f"{{managed_tokens_experiments: {experiments}}}", "--limit", DUNE_NODE)
    assert done.status == 2, done.output
    assert f"The account has UID 50100 on {DUNE_NODE}, not 50999 as configured" in done.flat
    assert not [path for path in healthy.files(DUNE_NODE) if "50999" in path]
    assert healthy.node_leftovers() == []
