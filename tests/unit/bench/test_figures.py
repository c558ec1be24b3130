# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians, ratios and tables of what was measured."""

from __future__ import annotations

import typing as t

import pytest
from figures import ROWS, Column, Row, Sample, Series, aligned, cell, median, ratio, table

WALL = ROWS[0]


def sample(wall: float = 1.0, **changes: t.Any) -> Sample:
    """Give a sample of a run that took `wall` seconds."""
    values: dict[str, t.Any] = {
        "client_cpu": 0.5,
        "node_cpu": 0.25,
        "server_cpu": 0.0,
        "others_cpu": 0.0,
        "memory": None,
        "connections": 4,
        "in_place": 8,
        "wanted": 8,
    }
    return Sample(wall=wall, **{**values, **changes})


@pytest.mark.parametrize(
    ("walls", "wanted", "shown"),
    [
        ([2.0], 2.0, "2.00"),
        ([3.0, 1.0, 2.0], 2.0, "2.00 (1.00-3.00)"),
        ([1.0, 2.0], 1.5, "1.50 (1.00-2.00)"),
        ([2.001, 2.002], 2.0015, "2.00"),
    ],
)
def test_median_and_cell(walls: list[float], wanted: float, shown: str) -> None:
    samples = [sample(wall) for wall in walls]
    assert median(samples, WALL) == pytest.approx(wanted)
    assert cell(samples, WALL) == shown


def test_what_is_not_known_is_left_out_of_a_median() -> None:
    memory = Row("memory", lambda item: item.memory)
    samples = [sample(memory=None), sample(memory=30.0), sample(memory=10.0)]
    assert median(samples, memory) == 20.0
    assert (median([sample()], memory), cell([sample()], memory)) == (None, "-")


@pytest.mark.parametrize(("ours", "other", "wanted"), [(1.0, 4.0, 0.25), (1.0, 0.0, None)])
def test_ratio(ours: float, other: float, wanted: float | None) -> None:
    assert ratio([sample(ours)], [sample(other)], WALL) == wanted
    assert ratio([sample(ours)], [], WALL) is None


def test_busy_counts_everybody() -> None:
    found = sample(2.0, client_cpu=1.0, node_cpu=0.5, server_cpu=0.25, others_cpu=0.25, cores=2)
    assert found.busy == 0.5
    assert sample(0.0).busy == 0.0


def test_table_has_ratios_where_they_say_something() -> None:
    base, ours = [sample(4.0, load=3.0)], [sample(1.0, load=1.5)]
    lines = table([Column("baseline", base), Column("ours", ours, "baseline")])
    cells = {words[1].strip(): [word.strip() for word in words[2:-1]] for words in (line.split("|") for line in lines)}
    assert cells[""] == ["baseline", "ours", "/ baseline"]
    assert cells["wall, s"] == ["4.00", "1.00", "**0.25**"]
    assert cells["load of the machine before"] == ["3.0", "1.5", ""]
    assert cells["token files in place, %"] == ["100.0", "100.0", ""]
    assert "client's memory, all processes, MB" not in cells


def test_lines_of_a_table_are_equally_long() -> None:
    lines = aligned([["", "a"], ["long title", "1"], ["x", "12345"]])
    assert lines == [
        "|            |     a |",
        "|------------|------:|",
        "| long title |     1 |",
        "| x          | 12345 |",
    ]


def test_series_keeps_the_order_of_the_kinds() -> None:
    series = Series()
    for kind in ("b", "a", "b"):
        series.add(kind, sample())
    assert {kind: len(found) for kind, found in series.samples.items()} == {"b": 2, "a": 1}
    assert list(series.samples) == ["b", "a"]
