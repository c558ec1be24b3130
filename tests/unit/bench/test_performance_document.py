# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sections of docs/performance.md: a bench replaces its own, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from performance_document import HEAD, merged, section, write_section

ONE = section("against-baseline 2,1,2", "Small", ["first"])
TWO = section("against-baseline 2,1,20", "Other", ["second"])
MICRO = section("micro", "Steps", ["third"])


def test_an_empty_document_begins_with_the_head() -> None:
    found = merged("", "micro", MICRO)
    assert found.startswith(HEAD.rstrip("\n"))
    assert found.endswith(f"\n\n## Micro\n\n{MICRO}")


def test_a_section_is_replaced_where_it_stands() -> None:
    document = f"# Before\n\n{ONE}\nBetween, by hand.\n\n{MICRO}\nAfter.\n"
    again = section("against-baseline 2,1,2", "Small", ["again"])
    found = merged(document, "against-baseline 2,1,2", again)
    assert found == document.replace(ONE, again)
    assert "first" not in found


def test_a_new_section_stands_after_the_last_of_its_family() -> None:
    document = f"# Before\n\n{ONE}\nBetween, by hand.\n\n{MICRO}"
    found = merged(document, "against-baseline 2,1,20", TWO)
    assert found == f"# Before\n\n{ONE}\n{TWO}\nBetween, by hand.\n\n{MICRO}"


def test_a_key_that_begins_like_another_is_another() -> None:
    document = merged(merged("", "against-baseline 2,1,2", ONE), "against-baseline 2,1,20", TWO)
    assert ONE in document
    assert TWO in document


@pytest.mark.parametrize("order", [(ONE, TWO, MICRO), (MICRO, TWO, ONE)])
def test_merging_twice_changes_nothing(order: tuple[str, ...]) -> None:
    document = ""
    for text in order:
        key = text.partition("bench: ")[2].partition(" -->")[0]
        document = merged(document, key, text)
        assert merged(document, key, text) == document
    assert all(text in document for text in order)


@given(st.lists(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])), max_size=4))
def test_whatever_a_section_holds_can_be_replaced(body: list[str]) -> None:
    text = section("micro", "Steps", [line.replace("<!--", "") for line in body])
    document = merged(merged("", "micro", text), "against-baseline 2,1,2", ONE)
    assert merged(document, "micro", MICRO) == document.replace(text, MICRO)


def test_write_section_makes_the_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    write_section("micro", "Steps", ["third"], path)
    write_section("micro", "Steps", ["fourth"], path)
    assert "third" not in path.read_text()
    assert "fourth" in path.read_text()
    assert [found.name for found in tmp_path.iterdir()] == ["performance.md"]
