# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy that counts round trips passes everything on as it is, and a difference of delays is what is counted."""

from __future__ import annotations

import socket
import threading

from delay_proxy import DelayProxy, round_trips

LINES = [f"line {number}\n".encode() * 500 for number in range(40)]


def test_everything_is_passed_on_in_order_and_so_is_the_end() -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            there, _address = server.accept()
            with there:
                while data := there.recv(65536):
                    received.append(data)
                    there.sendall(data)

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        with DelayProxy("127.0.0.1", server.getsockname()[1]) as proxy:
            proxy.delay = 0.01
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=20.0) as sock:
                for line in LINES:
                    sock.sendall(line)
                sock.shutdown(socket.SHUT_WR)
                answers = []
                while data := sock.recv(65536):
                    answers.append(data)
        thread.join(20.0)
    assert b"".join(received) == b"".join(answers) == b"".join(LINES)


def test_round_trips_are_what_grows_with_the_delay() -> None:
    proxy = DelayProxy("127.0.0.1", 1)
    # Three ways there and back, and half a second that has nothing to do with them.
    assert round(round_trips(lambda: 0.5 + 3 * 2 * proxy.delay, proxy), 6) == 3.0
