# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the simulator that takes the place of the nodes' ssh servers, and say what identifies its nodes."""

from __future__ import annotations

import time
from pathlib import Path

from world.ask_simulator import CONTROL
from world.layout import PATHS, Layout
from world.namespaces import WorldError, quietly
from world.stand_ins import LISTENS_WITHIN_S, argv_of, begin

DIRECTORY = Path("/srv/lab/nodes")


def start(layout: Layout, venv: Path) -> None:
    """Start the simulator, and write the known_hosts file: one key for all nodes.

    Raises: WorldError when it does not listen.
    """
    DIRECTORY.mkdir()
    key = DIRECTORY / "host_key"
    quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "simulated", "-f", str(key))
    public = key.with_suffix(".pub").read_text().rpartition(" ")[0]
    Path(PATHS["known_hosts"]).write_text("".join(f"{node.name} {public}\n" for node in layout.nodes))
    argv = argv_of("node_simulator", f"{venv}/bin/python", suffix="")
    starting = begin("node_simulator", "0.0.0.0", 22, [*argv, "--host-key", str(key), "--control", CONTROL])
    # A probe of the ssh port would be counted; the control socket is made after it.
    deadline = time.monotonic() + LISTENS_WITHIN_S
    while not Path(CONTROL).exists():
        if time.monotonic() > deadline or starting.process.poll() is not None:
            raise WorldError(f"The node simulator does not listen: {starting.errors.read_text()[-300:]!r}")
        time.sleep(0.02)
