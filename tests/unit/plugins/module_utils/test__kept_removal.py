# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kept tokens of a service are found by name, and never those of another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_removal import find_kept, is_of, remove_kept
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import TOKEN, service

PREFIX = f"vt_u{os.getuid()}-"
OWN = service("dune_production")
LONGER = service("x-dune_production")


@pytest.mark.parametrize(
    ("file", "others", "expected"),
    [
        (f"{PREFIX}dune_production", [], True),
        (f"{PREFIX}credd1-dune_production", [], True),
        (f"{PREFIX}credd1-x-dune_production", [], True),
        (f"{PREFIX}credd1-x-dune_production", [LONGER], False),
        (f"{PREFIX}credd1-dune_production", [LONGER], True),
        (f"{PREFIX}credd1-dune_analysis", [], False),
        (f"{PREFIX}credd1-dune_production.tmp", [], False),
        ("vt_u999999-credd1-dune_production", [], False),
        ("last-known-uids.json", [], False),
    ],
)
def test_is_of_takes_the_longest_name_of_a_service(file: str, others: list[object], expected: bool) -> None:
    assert is_of(file, OWN, others) is expected  # type: ignore[arg-type]


def test_is_of_tells_services_of_one_real_name_apart_by_their_credds() -> None:
    own = service("dune_production", name="x_production", credds=(Credd("c1"),))
    rival = service("nova_production", name="x_production", credds=(Credd("c2"),))
    assert is_of(f"{PREFIX}c1-x_production", own, [rival])
    assert not is_of(f"{PREFIX}c2-x_production", own, [rival])
    assert not is_of(f"{PREFIX}c3-x_production", own, [rival])


NAMES = st.lists(st.sampled_from(("a_p", "b-a_p", "c-b-a_p", "a_q", "b_p")), unique=True, min_size=2, max_size=5)


@given(NAMES, st.sampled_from(("c1", "c1-b", "x-c")))
def test_is_of_gives_each_file_to_one_service_at_the_most(names: list[str], credd: str) -> None:
    services = [service(name) for name in names]
    for name in names:
        file = f"{PREFIX}{credd}-{name}"
        owners = [item for item in services if is_of(file, item, [o for o in services if o is not item])]
        assert len(owners) == 1


def test_find_and_remove_kept_tokens(tmp_path: Path) -> None:
    own = service(token_dir=str(tmp_path))
    for name in ("c1-dune_production", "c2-dune_production", "c1-dune_analysis"):
        (tmp_path / f"{PREFIX}{name}").write_bytes(TOKEN)
    found = find_kept(own, [])
    assert [path.name for path in found] == [f"{PREFIX}c1-dune_production", f"{PREFIX}c2-dune_production"]
    assert [remove_kept(path) for path in found] == [True, True]
    assert [remove_kept(path) for path in found] == [False, False]
    assert [path.name for path in tmp_path.iterdir()] == [f"{PREFIX}c1-dune_analysis"]


def test_find_kept_finds_nothing_where_no_directory_is(tmp_path: Path) -> None:
    assert find_kept(service(token_dir=str(tmp_path / "none")), []) == []


def test_remove_kept_refuses_what_is_no_plain_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadFile, match="no plain file"):
        remove_kept(link)
    assert link.is_symlink()
