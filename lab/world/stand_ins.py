# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the servers that stand in for those of a site, and wait until they listen."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from world.layout import PATHS
from world.namespaces import WorldError

HERE = Path("/srv/ansible/ansible_collections/fife/managed_tokens/lab/world")
LISTENS_WITHIN_S = 10.0


def start(name: str, address: str, port: int) -> None:
    """Start <name>_server.py, and return when its port answers.

    Raises: WorldError when it does not.
    """
    errors = Path(PATHS["log"]) / f"{name}.err"
    with errors.open("w") as log:
        child = subprocess.Popen(
            ["/usr/bin/python3", str(HERE / f"{name}_server.py"), "--layout", "/srv/lab/layout.json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    deadline = time.monotonic() + LISTENS_WITHIN_S
    while time.monotonic() < deadline and child.poll() is None:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise WorldError(f"The {name} stand-in does not listen: {errors.read_text()[-300:]!r}")
