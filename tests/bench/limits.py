# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what this machine would allow at best, from what was measured. Pure: numbers in, text out."""

from __future__ import annotations

import statistics
import typing as t

from figures import Sample


def of_bare_logins(client: float, nodes: float, cores: int, ours: t.Sequence[Sample]) -> str:
    """Give the sentence on bare logins, one for each pair, that cost `client` and `nodes` seconds of CPU."""
    seconds = (client + nodes) / cores
    wall = statistics.median(item.wall for item in ours)
    return (
        f"The machine's limit: bare logins, one for each pair, cost the nodes {nodes:.2f} s of CPU and the client "
        f"{client:.2f} s, on {cores} cores {seconds:.2f} s in all; ours took **{wall / seconds:.1f}** x that."
    )


def evenly_divided(start: float, sample: Sample) -> float:
    """Give the seconds that a run with this CPU would take if, after ansible-playbook's own `start` of so many seconds,
    no core were idle before its end."""
    used = sample.client_cpu + sample.node_cpu + sample.server_cpu
    return start + max(0.0, used - start) / sample.cores


def of_even_division(start: float, ours: t.Mapping[str, t.Sequence[Sample]], baseline: t.Sequence[Sample]) -> str:
    """Give the sentence on runs in which no core would be idle after Ansible's own start, which is one process's."""
    against = statistics.median(item.wall for item in baseline)
    parts = []
    for title, samples in ours.items():
        seconds = statistics.median(evenly_divided(start, item) for item in samples)
        parts.append(f"{title} {seconds:.2f} s, **{seconds / against:.2f}** of the baseline's time")
    return (
        f"ansible-playbook's own start takes {start:.2f} s. If from then on no core were ever idle, the same work "
        f"would take: {'; '.join(parts)}."
    )
