# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of onboarding look at: logins, credentials on credds, and what a login could leave behind."""

from __future__ import annotations

import json
import typing as t

from laboratory import Done, Laboratory

PLAYBOOK = "fife.managed_tokens.onboarding"
SERVICE = "dune_production"
OTHER = "nova_production"
QUIET = "fife.managed_tokens.quiet"
ADDRESS = "https://cilogon.lab.example/device/?user_code="


def login_log(site: Laboratory) -> list[dict[str, t.Any]]:
    """Give what vault's stand-in has noted of logins."""
    text = site.run("sh", "-c", "cat /srv/lab/log/logins.jsonl 2> /dev/null || true", user="root").output
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def code_of(site: Laboratory, service: str) -> str:
    """Give the code of the login that began last."""
    found: str = [line["code"] for line in login_log(site) if (line["what"], line["service"]) == ("started", service)][
        -1
    ]
    return found


def stored(site: Laboratory, service: str) -> dict[str, str]:
    """Give a digest of the service's credential on each credd that holds one."""
    script = f"md5sum /srv/lab/condor/credd?/oauth/*/{service}.top 2> /dev/null; :"
    lines = site.run("sh", "-c", script, user="root").output.splitlines()
    return {line.split("/")[4]: line.split()[0] for line in lines}


def forget(site: Laboratory, service: str) -> None:
    """Make a service new: no refresh token in vault, no credential on any credd, no kept token."""
    site.lab("fault", "refresh-token-missing", service)
    site.run("sh", "-c", f"rm -f /srv/lab/condor/credd?/oauth/*/{service}.*", user="root")
    site.run("sh", "-c", f"rm -f /srv/lab/state/service-credd-vault-tokens/*-{service}")


def words(*services: str, **options: t.Any) -> list[str]:
    """Give the words of an onboarding."""
    given = {"managed_tokens_service": list(services), **{f"managed_tokens_{name}": v for name, v in options.items()}}
    return ["ansible-playbook", PLAYBOOK, "-e", json.dumps(given)]


def watched(site: Laboratory, *services: str, env: t.Mapping[str, str] | None = None, **options: t.Any) -> Done:
    """Run an onboarding to its end; somebody watches its output."""
    assignments = [f"{name}={value}" for name, value in (env or {}).items()]
    argv = words(*services, **{"onboarding_watched": True, **options})
    return site.run("env", *assignments, *argv, check=False, timeout=200)


def no_programs(site: Laboratory) -> list[str]:
    """Give what still runs of a login, after a moment for what cleans up."""

    def remaining() -> list[str]:
        listed = site.run("ps", "-ww", "-u", "mtokens", "-o", "comm=,args=", user="root", check=False).output
        names = ("htgettoken", "storer", "guardian")
        return [line for line in listed.splitlines() if any(name in line for name in names)]

    site.wait_until(lambda: not remaining() and not site.leftovers(), "nothing of the login is left", 15)
    return remaining()


def behave(site: Laboratory, *how: str) -> None:
    """Let the person at the browser behave in another way."""
    site.lab("heal", "oidc")
    site.lab("fault", "oidc", *how)
