# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine says of itself, and of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from accounting import Hierarchies, cpu_seconds, hierarchies
from machine import busy_seconds, cores, cpu_model, quietness

HYBRID = """\
proc /proc proc rw 0 0
cgroup /sys/fs/cgroup/cpuacct cgroup rw,relatime,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
"""
UNIFIED = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"
OLD = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n"


@pytest.mark.parametrize(
    ("mounts", "wanted"),
    [
        (
            HYBRID,
            Hierarchies(Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup/memory")),
        ),
        (UNIFIED, Hierarchies(Path("/sys/fs/cgroup"), None, None)),
        (OLD, Hierarchies(None, Path("/sys/fs/cgroup/cpu,cpuacct"), None)),
        ("", Hierarchies(None, None, None)),
    ],
)
def test_hierarchies_are_found_among_the_mounts(mounts: str, wanted: Hierarchies) -> None:
    assert hierarchies(mounts) == wanted


def test_cpu_seconds_of_both_versions(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert cpu_seconds(tmp_path) == 2.5
    (tmp_path / "cpuacct.usage").write_text("1500000000\n")
    assert cpu_seconds(tmp_path) == 1.5


def test_waiting_and_guests_are_not_counted_as_busy() -> None:
    one = busy_seconds("cpu  100 20 30 1000 500 6 4 7 50 1\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert one == busy_seconds("cpu  100 20 30 0 0 6 4 0 0 0\n")
    assert one == pytest.approx(busy_seconds("cpu  50 10 15 0 0 3 2 0 0 0\n") * 2)


def test_cpu_model_is_the_first_processor_s() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz\nmodel name\t: Other\n") == "Some CPU @ 2 GHz"
    assert cpu_model("nothing of the kind")


def test_quietness_goes_by_the_worst_run() -> None:
    capacity = float(cores())
    assert "was quiet" in quietness([0.01 * capacity, 0.0], [1.0, 1.0])
    assert "was not quiet: something else took up to 20 %" in quietness([0.0, 0.4 * capacity], [1.0, 2.0])
