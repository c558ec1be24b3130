# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Find out which nodes answer, each asked once however many services it has.

Silence is no error by itself: it only means that the push to the node is tried once and its error says so.
"""

from __future__ import annotations

import math
import socket
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._echo import is_answered, may_ask
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, OK, PING, Outcome, Stopwatch
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import (
    RunProgram,
    base_environment,
    find_program,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import last_words
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node, Service

ICMP = "icmp"
TCP = "tcp"
NONE = "none"
PROBES = (ICMP, TCP, NONE)
UNANSWERED = "ping_unanswered"

# Gives the reason for silence, None for an answer.
Probe = t.Callable[[Node], "str | None"]


def nodes_of(services: t.Iterable[Service]) -> list[Node]:
    """Give the nodes of all services, each once, in order; one that services reach at different ports is one node."""
    found: dict[str, Node] = {}
    for service in services:
        for node in service.nodes:
            found.setdefault(node.name, node)
    return list(found.values())


def echo_probe(timeout: float) -> Probe | None:
    """Give a probe by a socket of this process, a tenth of a program's cost; None where the system does not let this
    user have one."""
    if not may_ask():
        return None

    def probe(node: Node) -> str | None:
        try:
            return None if is_answered(node.address, timeout) else f"no answer within {timeout:g} s"
        except (OSError, UnicodeError) as err:
            return f"{node.address}: {_reason(err)}"

    return probe


def icmp_probe(run: RunProgram, timeout: float, options: t.Sequence[str]) -> Probe:
    """Give a probe by the system's ping program; `timeout` in seconds bounds each, `options` are added to its command
    line.

    Raises: Missing when there is no ping.
    """
    argv = [find_program("ping"), "-n", "-q", "-c", "1", "-W", str(max(1, math.floor(timeout))), *options]

    def probe(node: Node) -> str | None:
        done = run([*argv, node.address], env=base_environment(), timeout=timeout)
        if done.is_good:
            return None
        if done.timed_out or done.status == 1:
            return f"no answer within {timeout:g} s"
        return last_words(done.output, lines=1) or f"ping ended with exit status {done.status}"

    return probe


def tcp_probe(timeout: float) -> Probe:
    """Give a probe that connects to the node's ssh port."""

    def probe(node: Node) -> str | None:
        try:
            with socket.create_connection((node.address, node.port), timeout):
                return None
        except (OSError, UnicodeError) as err:
            return f"port {node.port}: {_reason(err)}"

    return probe


def _reason(error: OSError | UnicodeError) -> str:
    # A name that cannot be one is refused by Python's own encoder of host names.
    return (isinstance(error, OSError) and error.strerror) or str(error)


def ask(node: Node, probe: Probe) -> Outcome:
    """Probe one node and record what came of it."""
    watch = Stopwatch()
    try:
        silence = probe(node)
    except Missing as err:
        silence = err.msg
    if silence is None:
        return Outcome(PING, OK, node=node.name, started=watch.started, seconds=watch.seconds)
    return Outcome(
        PING,
        FAILED,
        node=node.name,
        started=watch.started,
        seconds=watch.seconds,
        kind=UNANSWERED,
        message=f"{node.name}: {silence}",
    )
