# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give tests a laboratory: a light one, and one with HTCondor, each started once."""

from __future__ import annotations

import os
import typing as t

import pytest
from laboratory import Laboratory
from onboarding_scene import no_programs
from remembered import PLAYGROUND
from report_scene import Scene, begin

if t.TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure(config: pytest.Config) -> None:
    """Refuse early what could only fail late."""
    if os.geteuid() != 0:
        raise pytest.UsageError("The integration tests start a laboratory and need root.")


@pytest.fixture(scope="session")
def light() -> Iterator[Laboratory]:
    """Start a laboratory without HTCondor: the demo's layout, tokens by htgettoken alone."""
    laboratory = Laboratory("it-light")
    laboratory.up("--light")
    yield laboratory
    laboratory.lab("down", check=False)


@pytest.fixture(scope="session")
def database() -> Iterator[Laboratory]:
    """Start a laboratory without HTCondor whose state is in PostgreSQL."""
    laboratory = Laboratory("it-database")
    laboratory.up("--light", "--postgres")
    yield laboratory
    laboratory.lab("down", check=False)


@pytest.fixture(scope="session")
def reporting() -> Iterator[Laboratory]:
    """Start a whole laboratory with PostgreSQL and what the report is sent to: mail, Slack, Prometheus and so on."""
    laboratory = Laboratory("it-report")
    laboratory.up("--report", "--postgres")
    yield laboratory
    laboratory.lab("down", check=False)


@pytest.fixture
def one(reporting: Laboratory) -> Iterator[Scene]:
    """Give a scene of the report in which all is well and nobody has been told anything, for what does not depend on
    the kind of database."""
    found = Scene(reporting, "")
    begin(found)
    yield found
    reporting.lab("heal")


@pytest.fixture(scope="session")
def condor() -> Iterator[Laboratory]:
    """Start a laboratory with a real pool and two credds: the demo's layout."""
    laboratory = Laboratory("it-condor")
    laboratory.up()
    yield laboratory
    laboratory.lab("down", check=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def lab(request: pytest.FixtureRequest) -> Laboratory:
    """Give a laboratory with the one kind of database, and with the other."""
    found: Laboratory = request.getfixturevalue("light" if request.param == "sqlite" else "database")
    return found


@pytest.fixture
def playground(light: Laboratory) -> Iterator[str]:
    """Give a directory for databases of the test's own."""
    light.run("mkdir", "-p", PLAYGROUND)
    yield PLAYGROUND
    light.run("chmod", "-R", "u+rwX", PLAYGROUND, user="root")
    light.run("rm", "-rf", PLAYGROUND, user="root")


@pytest.fixture
def site(reporting: Laboratory) -> t.Iterator[Laboratory]:
    """Give a laboratory in which all services are onboarded, and nobody is at the browser unless a test says so."""
    reporting.lab("heal")
    if reporting.push().status:
        raise AssertionError("the laboratory is not well")
    reporting.lab("fault", "oidc", "never")
    yield reporting
    reporting.lab("heal")
    assert no_programs(reporting) == []
    assert reporting.leftovers() == []
