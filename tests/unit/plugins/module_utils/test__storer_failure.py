# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What really went wrong, told from what the programs print."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_failure import cause_of
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY

NEEDED = "Authentication needed for dune_production\n"
VAULT = "https://vault.lab.example:8200/v1"

# What the storer and htgettoken print, and the kind that it means.
OUTPUTS: tuple[tuple[str, str], ...] = (
    (
        (
            f"{NEEDED}htgettoken: Initiating authentication to {VAULT}/auth/oidc-dune/oidc/auth_url failed\n"
            "HTTPError: Forbidden: 1 error occurred:\n\t* permission denied\n\n"
        ),
        "permission_denied",
    ),
    (
        f"{NEEDED}htgettoken: getting token from {VAULT}/secret: HTTP Error 403: permission denied\n",
        "permission_denied",
    ),
    ("Complete the authentication at:\n    https://idp\nhtgettoken: access_denied\n", "permission_denied"),
    (
        (
            f"{NEEDED}htgettoken: Failure getting {VAULT}/secret/oauth/creds/dune: "
            "ConnectionRefusedError: [Errno 111] Connection refused\n"
        ),
        "vault_unavailable",
    ),
    (
        f"{NEEDED}htgettoken: MaxRetryError: HTTPSConnectionPool(host='vault', port=8200): Max retries exceeded\n",
        "vault_unavailable",
    ),
    (f"{NEEDED}htgettoken: URLError: [Errno -2] Name or service not known\n", "vault_unavailable"),
    (f"{NEEDED}htgettoken: ReadTimeoutError: Read timed out.\n", "vault_unavailable"),
    (f"{NEEDED}htgettoken: HTTPError: Bad Gateway\n", "vault_unavailable"),
    (f"{NEEDED}htgettoken: SSLError: certificate verify failed: unable to get local issuer\n", "vault_unavailable"),
    (
        (
            f"{NEEDED}htgettoken: No Kerberos credentials available: "
            "Major (851968): Unspecified GSS failure, Minor (2529639053): No Kerberos credentials available\n"
        ),
        "ticket_missing",
    ),
    (f"{NEEDED}htgettoken: Minor (2529638944): Ticket expired\n", "ticket_missing"),
    (f"{NEEDED}htgettoken: Server not found in Kerberos database\n", "ticket_missing"),
    (f"{NEEDED}htgettoken: no refresh token and oidc is disabled\n", "person_needed"),
    (NEEDED, "person_needed"),
    ("Failed to store condor credentials for dune_production\n", "credd_unavailable"),
    ("Can't find address of credd credd1.lab.example\nFailed to store condor credentials for x\n", "credd_unavailable"),
    ("* permission denied\nGot a token\nFailed to store condor credentials for x\n", "credd_unavailable"),
    ("connect: Connection refused\nFailed to store condor credentials for x\n", "credd_unavailable"),
    ("SECMAN:2007:Connection refused\nQuerying condor credentials failed\n", "credd_unavailable"),
    ("Failed to connect to credd credd1.lab.example\n", "credd_unavailable"),
    ("bash: line 3: syntax error\n", "storer_failed"),
    ("", "storer_failed"),
)


@pytest.mark.parametrize(("output", "kind"), OUTPUTS)
def test_cause_of_output_tells_what_really_went_wrong(output: str, kind: str) -> None:
    error = cause_of(Finished(1, output, 0.5), "dune_production on credd c1", 60.0)
    assert error.kind == kind
    assert error.msg.startswith("dune_production on credd c1: ")
    assert "\n" not in error.msg
    last = output.strip().rpartition("\n")[2].strip()
    assert last in error.msg


def test_cause_of_a_missing_refresh_token_names_the_command_for_the_service() -> None:
    done = Finished(1, "Authentication needed for dune_production\n", 1.0)
    message = cause_of(done, "dune_production on credd credd1.lab.example", 60.0).msg
    assert "ansible-playbook fife.managed_tokens.onboarding -e managed_tokens_service=dune_production: " in message


def test_cause_of_silence_names_the_exit_status() -> None:
    assert (
        cause_of(Finished(3, "\n", 0.5), "x", 60.0).msg == "x: the storer failed with exit status 3 and without a word"
    )


def test_cause_of_time_over_is_a_timeout_whatever_was_printed() -> None:
    error = cause_of(Finished(-15, NEEDED, 60.0, timed_out=True), "x", 60.0)
    assert (error.kind, error.msg) == ("timed_out", "x: the storer did not finish within 60 s and was ended.")


def test_cause_of_output_with_a_token_does_not_show_it() -> None:
    assert "Canary" not in cause_of(Finished(1, f"debug: token is {CANARY}\n", 0.5), "x", 60.0).msg


def test_cause_of_local_permission_denied_is_not_vaults() -> None:
    """The file system uses the same words; only a request that Vault refused is Vault's affair."""
    output = "/usr/bin/condor_vault_storer: line 30: /dev/stdout: Permission denied\n"
    assert cause_of(Finished(1, output, 0.5), "x", 60.0).kind == "storer_failed"
