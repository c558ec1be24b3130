# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine would allow is worked out from what was measured."""

from __future__ import annotations

import pytest
from figures import Sample
from limits import evenly_divided, of_bare_logins, of_even_division


def sample(wall: float, client: float, nodes: float, cores: int = 2) -> Sample:
    return Sample(wall, client, nodes, 0.0, 0.0, None, 0, 1, 1, cores=cores)


@pytest.mark.parametrize(
    ("start", "taken", "seconds"),
    [
        (0.5, sample(9.0, 2.5, 2.0), 2.5),
        (0.5, sample(9.0, 2.5, 2.0, cores=4), 1.5),
        # A run cannot be over before Ansible has started.
        (0.5, sample(9.0, 0.3, 0.0), 0.5),
    ],
)
def test_evenly_divided_has_one_core_for_the_start_and_all_for_the_rest(
    start: float, taken: Sample, seconds: float
) -> None:
    assert evenly_divided(start, taken) == pytest.approx(seconds)


def test_of_even_division_is_told_of_medians_and_against_the_baseline() -> None:
    ours = {"one way": [sample(9.0, 2.5, 2.0), sample(9.0, 2.5, 4.0), sample(9.0, 2.5, 2.0)]}
    told = of_even_division(0.5, ours, [sample(9.0, 0.0, 0.0), sample(10.0, 0.0, 0.0), sample(11.0, 0.0, 0.0)])
    assert told.endswith("one way 2.50 s, **0.25** of the baseline's time.")
    assert "start takes 0.50 s" in told


def test_of_bare_logins_shares_them_among_the_cores() -> None:
    told = of_bare_logins(1.0, 3.0, 2, [sample(6.0, 0.0, 0.0)])
    assert "2.00 s in all; ours took **3.0** x that" in told
