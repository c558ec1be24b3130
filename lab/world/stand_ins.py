# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the servers that stand in for those of a site, and wait until they listen."""

from __future__ import annotations

import socket
import subprocess
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from world.layout import PATHS
from world.namespaces import WorldError

HERE = Path("/srv/ansible/ansible_collections/fife/managed_tokens/lab/world")
LISTENS_WITHIN_S = 10.0


@dataclass(frozen=True)
class Starting:
    """A server that has been started and may not listen yet."""

    name: str
    address: str
    port: int
    process: subprocess.Popen[bytes]
    errors: Path

    def wait(self) -> None:
        """Return when its port answers.

        Raises: WorldError when it does not.
        """
        deadline = time.monotonic() + LISTENS_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection((self.address, self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise WorldError(f"The server {self.name} does not listen: {self.errors.read_text()[-300:]!r}")


def begin(name: str, address: str, port: int, argv: t.Sequence[str]) -> Starting:
    """Start a program that will listen there; what it says goes to <name>.err among the logs."""
    errors = Path(PATHS["log"]) / f"{name}.err"
    with errors.open("w") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    return Starting(name, address, port, process, errors)


def argv_of(name: str, python: str = "/usr/bin/python3", suffix: str = "_server") -> list[str]:
    """Give the words that start <name>_server.py, or <name><suffix>.py."""
    return [python, str(HERE / f"{name}{suffix}.py"), "--layout", "/srv/lab/layout.json"]


def start(name: str, address: str, port: int) -> None:
    """Start <name>_server.py, and return when its port answers.

    Raises: WorldError when it does not.
    """
    begin(name, address, port, argv_of(name)).wait()
