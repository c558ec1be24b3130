# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what was measured of runs, and make tables of medians and ratios. Pure: numbers in, text out."""

from __future__ import annotations

import statistics
import typing as t
from dataclasses import dataclass, field

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took: seconds of wall clock and of CPU, bytes of memory; `in_place` of `wanted` token files stood on
    the nodes afterwards.

    None is what this machine cannot measure, or what does not apply.
    """

    wall: float
    client_cpu: float
    node_cpu: float
    server_cpu: float
    others_cpu: float
    memory: float | None
    connections: int
    in_place: int
    wanted: int
    main: float | None = None
    own_cpu: float | None = None
    load: float = 0.0
    cores: int = 1

    @property
    def busy(self) -> float:
        """Give the share of the machine's CPU time that was used, by whomever, from 0 to 1."""
        used = self.client_cpu + self.node_cpu + self.server_cpu + self.others_cpu
        return used / (self.wall * self.cores) if self.wall else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its title, how a sample gives the number, its decimals, and whether a ratio says
    something."""

    title: str
    of: t.Callable[[Sample], float | None]
    decimals: int = 1
    has_ratio: bool = False


ROWS = (
    Row("wall, s", lambda sample: sample.wall, 2, True),
    Row("client CPU, s", lambda sample: sample.client_cpu, 2, True),
    Row("nodes' CPU, s", lambda sample: sample.node_cpu, 2, True),
    Row("other servers' CPU, s", lambda sample: sample.server_cpu, 2),
    Row("machine busy, %", lambda sample: 100 * sample.busy, 0),
    Row("client's memory, all processes, MB", lambda sample: _in_mb(sample.memory), 0, True),
    Row("main process of ansible-playbook, MB", lambda sample: _in_mb(sample.main), 0),
    Row("ssh connections", lambda sample: sample.connections, 0, True),
    Row("token files in place, %", lambda sample: 100 * sample.in_place / sample.wanted if sample.wanted else None, 1),
    Row("the bench's own part of client CPU, s", lambda sample: sample.own_cpu, 2),
    Row("load of the machine before", lambda sample: sample.load, 1),
    Row("CPU of anything else meanwhile, s", lambda sample: sample.others_cpu, 2),
)


def _in_mb(size: float | None) -> float | None:
    return None if size is None else size / MB


def median(samples: t.Sequence[Sample], row: Row) -> float | None:
    """Give the median of what is known; None when nothing is."""
    known = [value for value in map(row.of, samples) if value is not None]
    return statistics.median(known) if known else None


def cell(samples: t.Sequence[Sample], row: Row) -> str:
    """Give a median with the least and the greatest value, "-" when nothing is known."""
    known = [value for value in map(row.of, samples) if value is not None]
    if not known:
        return "-"
    shown = [f"{value:.{row.decimals}f}" for value in (statistics.median(known), min(known), max(known))]
    return shown[0] if shown[1] == shown[2] else f"{shown[0]} ({shown[1]}-{shown[2]})"


def ratio(ours: t.Sequence[Sample], other: t.Sequence[Sample], row: Row) -> float | None:
    """Give the ratio of two medians; None without both, or when the other is 0."""
    one, base = median(ours, row), median(other, row)
    return one / base if one is not None and base else None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: runs of the same kind; `against` is the title of the column that ratios refer to."""

    title: str
    samples: t.Sequence[Sample]
    against: str = ""


def table(columns: t.Sequence[Column], rows: t.Sequence[Row] = ROWS) -> list[str]:
    """Give the lines of a Markdown table with a row for each figure; rows about which nothing is known are left out."""
    by_title = {column.title: column for column in columns}
    head = [""]
    for column in columns:
        head += [column.title, *([f"/ {column.against}"] if column.against else [])]
    lines = [head]
    for row in rows:
        if all(median(column.samples, row) is None for column in columns):
            continue
        line = [row.title]
        for column in columns:
            line.append(cell(column.samples, row))
            if column.against:
                found = ratio(column.samples, by_title[column.against].samples, row) if row.has_ratio else None
                line.append("" if found is None else f"**{found:.2f}**")
        lines.append(line)
    return aligned(lines)


def aligned(lines: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Give a Markdown table, the first line its head, with columns of equal width: numbers to the right."""
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(lines[0]))]

    def joined(line: t.Sequence[str]) -> str:
        first, *others = zip(line, widths, strict=True)
        return "| " + " | ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return [joined(lines[0]), rule, *(joined(line) for line in lines[1:])]


@dataclass
class Series:
    """Samples collected under the title of their kind, in the order in which the kinds first came."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def add(self, title: str, sample: Sample) -> None:
        self.samples.setdefault(title, []).append(sample)
