# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the simulator of nodes, or tell it something. Runs inside the world, as root; prints the answer, which is JSON.

Words: files (of every node: mode, UID and content in base64, by path), alter (every file gets another content of the
same length), empty (no node has files), counts (connections and logins so far), delay SECONDS (of every answer).
"""

from __future__ import annotations

import socket
import sys

CONTROL = "/srv/lab/simulator.sock"


def main() -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(CONTROL)
        connection.sendall(" ".join(sys.argv[1:]).encode() + b"\n")
        with connection.makefile("rb") as answer:
            sys.stdout.buffer.write(answer.read())


if __name__ == "__main__":
    main()
