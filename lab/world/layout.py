# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say who and what lives in the laboratory: experiments, roles, accounts, nodes, credds, and where each is reached."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field, replace

REALM = "LAB.EXAMPLE"
DOMAIN = "lab.example"
SERVICE_ACCOUNT = "mtokens"
SERVICE_UID = 50000
FIRST_UID = 50100
TOKEN_HOST = f"push.{DOMAIN}"

EXPERIMENTS = ("dune", "nova", "mu2e")
ROLES = ("production", "analysis", "test")
VAULT_PORT, FERRY_PORT, DATABASE_PORT = 8200, 8445, 5432
# Where the report goes, by the first label of the server's name; mail is taken with TLS from the start as well.
REPORT_PORTS = {
    "mail": 25,
    "slack": 8443,
    "pushgateway": 9091,
    "prometheus": 9090,
    "otlp": 4318,
    "loki": 3100,
    "ping": 8444,
}
MAIL_TLS_PORT = 465
MAIL_USER = "reporter"
# Where the Pushgateway's clients come while it is told to be slow.
LATE_ADDRESS = "127.0.5.100"
SUFFIXES = {"production": "pro", "analysis": "ana", "test": "test"}

PATHS = {
    "pki": "/srv/lab/pki",
    "keytabs": "/srv/lab/keytabs",
    "host_keytabs": "/srv/lab/host-keytabs",
    "log": "/srv/lab/log",
    "control": "/srv/lab/control",
    "inventory": "/srv/lab/inventory",
    "known_hosts": "/srv/lab/known_hosts",
    "bin": "/srv/lab/bin",
    "token_dir": "/srv/lab/state/service-credd-vault-tokens",
    "database": "/srv/lab/state/managed-tokens.db",
    "mail": "/srv/lab/mail",
    "mail_password": "/srv/lab/mail.password",
    "slack_url": "/srv/lab/slack.url",
    "ping_url": "/srv/lab/ping.url",
}


@dataclass(frozen=True)
class Service:
    name: str
    experiment: str
    role: str
    account: str
    uid: int
    principal: str
    credkey: str
    keytab: str


@dataclass(frozen=True)
class Machine:
    """A named address; nodes say which experiments they serve."""

    name: str
    address: str
    experiments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    services: tuple[Service, ...]
    nodes: tuple[Machine, ...]
    is_light: bool = False
    postgres: bool = False
    report: bool = False
    simulated: bool = False
    kdc: Machine = field(default_factory=lambda: Machine(f"kdc.{DOMAIN}", "127.0.1.1"))
    token_host: Machine = field(default_factory=lambda: Machine(TOKEN_HOST, "127.0.1.2"))
    vault: Machine = field(default_factory=lambda: Machine(f"vault.{DOMAIN}", "127.0.2.1"))
    ferry: Machine = field(default_factory=lambda: Machine(f"ferry.{DOMAIN}", "127.0.2.2"))
    database: Machine = field(default_factory=lambda: Machine(f"database.{DOMAIN}", "127.0.4.1"))
    report_servers: dict[str, Machine] = field(
        default_factory=lambda: {
            name: Machine(f"{name}.{DOMAIN}", f"127.0.5.{number}") for number, name in enumerate(REPORT_PORTS, 1)
        }
    )
    collector: Machine = field(default_factory=lambda: Machine(f"collector.{DOMAIN}", "127.0.3.10"))
    credds: tuple[Machine, ...] = field(
        default_factory=lambda: tuple(Machine(f"credd{number}.{DOMAIN}", f"127.0.3.{number}") for number in (1, 2))
    )

    @property
    def machines(self) -> tuple[Machine, ...]:
        """Everything that has a name and an address."""
        servers = (self.kdc, self.token_host, self.vault, self.ferry, self.database, self.collector)
        return (*servers, *self.report_servers.values(), *self.credds, *self.nodes)

    def to_dict(self) -> dict[str, t.Any]:
        """Give the plain form that stands in layout.json for tests and tools."""
        plain = asdict(self)
        plain |= {"realm": REALM, "domain": DOMAIN, "service_account": SERVICE_ACCOUNT, "paths": PATHS}
        plain |= plain.pop("report_servers")
        ports = {"vault": VAULT_PORT, "ferry": FERRY_PORT, "database": DATABASE_PORT, **REPORT_PORTS}
        for name, port in ports.items():
            plain[name]["port"] = port
        plain["mail"] |= {"tls_port": MAIL_TLS_PORT, "user": MAIL_USER}
        plain["pushgateway"]["late_address"] = LATE_ADDRESS
        for credd in plain["credds"]:
            credd["oauth_dir"] = f"/srv/lab/condor/{credd['name'].partition('.')[0]}/oauth"
        return plain


def experiment_name(number: int) -> str:
    return EXPERIMENTS[number] if number < len(EXPERIMENTS) else f"exp{number + 1:02d}"


def role_name(number: int) -> str:
    return ROLES[number] if number < len(ROLES) else f"role{number + 1:02d}"


def make_service(experiment: str, role: str, uid: int) -> Service:
    account = experiment + SUFFIXES.get(role, "r" + role.removeprefix("role"))
    credkey = f"{account}/managed-tokens/{TOKEN_HOST}"
    keytab = f"{PATHS['keytabs']}/{account}.keytab"
    return Service(f"{experiment}_{role}", experiment, role, account, uid, f"{credkey}@{REALM}", credkey, keytab)


def demo_layout(*, is_light: bool, postgres: bool = False, report: bool = False) -> Layout:
    """Three experiments, five services, eight nodes, one of them shared by two experiments."""
    wanted = {"dune": ("production", "analysis"), "nova": ("production", "analysis"), "mu2e": ("production",)}
    services = [
        make_service(experiment, role, FIRST_UID + 10 * number + position)
        for number, (experiment, roles) in enumerate(wanted.items())
        for position, role in enumerate(roles)
    ]
    own = {"dune": 3, "nova": 2, "mu2e": 2}
    names = [
        (f"{experiment}gpvm{number:02d}", (experiment,))
        for experiment, count in own.items()
        for number in range(1, count + 1)
    ]
    return Layout(tuple(services), _machines([*names, ("shared01", ("nova", "mu2e"))]), is_light, postgres, report)


def grid_layout(
    experiments: int, roles: int, nodes: int, *, is_light: bool, postgres: bool = False, report: bool = False
) -> Layout:
    """Give a regular laboratory: so many experiments, each with so many roles and nodes of its own."""
    names = [experiment_name(number) for number in range(experiments)]
    services = [
        make_service(experiment, role_name(position), FIRST_UID + roles * number + position)
        for number, experiment in enumerate(names)
        for position in range(roles)
    ]
    machines = [
        (f"{experiment}gpvm{number:02d}", (experiment,)) for experiment in names for number in range(1, nodes + 1)
    ]
    return Layout(tuple(services), _machines(machines), is_light, postgres, report)


def simulated_layout(
    count: int,
    experiments: int | None,
    roles: int | None,
    *,
    is_light: bool,
    postgres: bool = False,
    report: bool = False,
) -> Layout:
    """Give a laboratory with so many simulated nodes, spread evenly: by default an experiment of two roles for each
    hundred of them."""
    wanted = experiments or max(1, round(count / 100))
    grid = grid_layout(wanted, roles or 2, 1, is_light=is_light, postgres=postgres, report=report)
    names = [
        (f"{experiment}gpvm{number:02d}", (experiment,))
        for position, experiment in enumerate(map(experiment_name, range(wanted)))
        for number in range(1, count // wanted + (position < count % wanted) + 1)
    ]
    return replace(grid, nodes=_machines(names), simulated=True)


def _machines(names: t.Sequence[tuple[str, tuple[str, ...]]]) -> tuple[Machine, ...]:
    return tuple(
        Machine(f"{name}.{DOMAIN}", f"127.1.{number // 200}.{number % 200 + 1}", experiments)
        for number, (name, experiments) in enumerate(names)
    )
