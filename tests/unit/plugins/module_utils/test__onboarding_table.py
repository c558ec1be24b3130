# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table says what a service has and lacks, with what to do, in lines for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS
from ansible_collections.fife.managed_tokens.plugins.module_utils._onboarding_table import WIDTH, table
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome, service

READY = service(ccache="FILE:/x")
NODE = outcome("check", "ok", node="n1")
SHUT = outcome("check", "skipped", node="n2", kind="account_refused", message="n2 does not let the account dunepro in")


def flat(owner: Service, *outcomes: Outcome) -> str:
    return " ".join(" ".join(table([owner], outcomes)).split())


def test_table_service_that_has_everything() -> None:
    assert table([READY], [outcome("check", "ok"), NODE]) == [
        "dune_production",
        "  set-up  ok: UID 50100, credds credd1.lab.example",
        "  ticket  ok: dunepro/managed-tokens/push.lab.example@LAB.EXAMPLE",
        "  vault   ok: vault.lab.example",
        "  nodes   ok: all 1 let dunepro in",
    ]


@pytest.mark.parametrize(
    ("owner", "outcomes", "words"),
    [
        (READY, (NODE, SHUT), "1 of 2 let dunepro in n2 does not let the account dunepro in. Check that the account"),
        (service().failed("setup", "uid_unknown", "dune_production: no UID."), (), "set-up no UID. Refresh the UIDs"),
        (service().failed("tickets", "keytab_missing", "dune_production: none"), (NODE,), "ticket none. Install the"),
        (service().failed("tickets", "keytab_missing", "none"), (NODE,), "all 1 can be reached; without a ticket"),
        (
            service().failed("setup", "uid_unknown", "no UID"),
            (outcome("tickets", "failed", kind="keytab_missing", message="dune_production: none"),),
            "ticket none. Install the keytab",
        ),
        (
            READY.failed("check", "vault_unavailable", "down"),
            (outcome("check", "failed", kind="vault_unavailable", message="dune_production: it is down."),),
            "vault it is down. Check the vault server",
        ),
        (service(vault_server=""), (), "vault not looked at: nobody names it"),
        (service(token_getter="htgettoken"), (), "UID 50100, stored on no credd"),
    ],
)
def test_table_what_is_wrong_is_said_with_advice(owner: Service, outcomes: tuple[Outcome, ...], words: str) -> None:
    assert words in flat(owner, *outcomes)


@given(st.lists(st.sampled_from(sorted(KINDS))), st.text(alphabet="abc d", max_size=300))
def test_table_lines_fit(kinds: list[str], message: str) -> None:
    outcomes = [outcome("check", "skipped", node=f"n{n}", kind=kind, message=message) for n, kind in enumerate(kinds)]
    assert all(len(line) <= WIDTH or " " not in line.strip() for line in table([READY], outcomes) if len(line) > WIDTH)
