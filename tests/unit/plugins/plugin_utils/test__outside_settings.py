# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a setting in the environment or in ansible.cfg, and is none, is told of."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible import constants

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._outside_settings import (
    NAMES,
    check_outside,
    of_environment,
    of_section,
    with_database,
)

ENVIRONMENT: tuple[tuple[str, str], ...] = (
    ("MANAGED_TOKENS_THRESHHOLD", "is unknown and does not count; did you mean 'MANAGED_TOKENS_THRESHOLD'?"),
    ("MANAGED_TOKEN_THRESHOLD", "is unknown and does not count; did you mean 'MANAGED_TOKENS_THRESHOLD'?"),
    ("managed_tokens_threshold", "is unknown and does not count; did you mean 'MANAGED_TOKENS_THRESHOLD'?"),
    ("MANAGED_TOKENS_SERVICE", "does not count; managed_tokens_service is set in the inventory or with -e."),
)


@pytest.mark.parametrize(("name", "words"), ENVIRONMENT)
def test_of_environment_a_name_near_one_of_ours_is_told(name: str, words: str) -> None:
    assert of_environment({name: "CanaryValue"}) == [f"The environment variable {name} {words}"]


def test_of_environment_what_counts_or_is_somebody_elses_is_not_told() -> None:
    ours = [f"MANAGED_TOKENS_{name.upper()}" for name in NAMES]
    others = [
        "MANAGED_TOKENS_CACHE",
        "MANAGED_TOKENS_DEV_ENVIRONMENT_LABEL",
        "MANAGED_TOKENS",
        "MY_TOKENS_LOKI",
        "HOME",
    ]
    assert of_environment(dict.fromkeys([*ours, *others], "x")) == []


def section(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "ansible.cfg"
    path.write_text("\n".join(["[defaults]", "forks = 5", "[managed_tokens]", *lines]) + "\n")
    return path


KEYS: tuple[tuple[str, str], ...] = (
    ("thresold", "; did you mean 'threshold'?"),
    ("managed_tokens_threshold", "; did you mean 'threshold'?"),
    ("service", "; managed_tokens_service is set in the inventory or with -e."),
    ("managed_tokens_service", "; managed_tokens_service is set in the inventory or with -e."),
    ("zzzzzz", "."),
)


@pytest.mark.parametrize(("key", "words"), KEYS)
def test_of_section_unknown_key_is_told_with_its_place(key: str, words: str, tmp_path: Path) -> None:
    path = section(tmp_path, "threshold = 1", f"{key} = CanaryValue%s")
    assert of_section(str(path)) == [f"{path}: [managed_tokens] has the unknown key {key!r}{words}"]


def test_of_section_known_keys_other_sections_and_no_file_are_fine(tmp_path: Path) -> None:
    path = section(tmp_path, *(f"{name} = x ; a comment" for name in NAMES))
    assert of_section(str(path)) == []
    assert of_section(None) == of_section(str(tmp_path / "none.cfg")) == []
    path.write_text("no section\n")
    assert of_section(str(path)) == []


def test_check_outside_warns_of_the_environment_and_refuses_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(constants, "CONFIG_FILE", None)
    monkeypatch.setenv("MANAGED_TOKENS_THRESHHOLD", "1")
    check_outside(warnings.append)
    assert len(warnings) == 1
    monkeypatch.setattr(constants, "CONFIG_FILE", str(section(tmp_path, "thresold = 1")))
    with pytest.raises(BadInput, match="unknown key 'thresold'; did you mean 'threshold'"):
        check_outside(warnings.append)


def test_with_database_the_task_wins_over_the_environment_over_ansible_cfg(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = section(tmp_path, "database = '/cfg.db'", "database_password = cfg", "database_timeout = 3 ; seconds")
    monkeypatch.setattr(constants, "CONFIG_FILE", str(path))
    monkeypatch.setenv("MANAGED_TOKENS_DATABASE_PASSWORD", "environment")
    assert with_database({"database_timeout": 5, "x": 1}, {**DATABASE_SPEC, "x": {}}) == {
        "database": "/cfg.db",
        "database_password": "environment",
        "database_timeout": 5,
        "x": 1,
    }


@pytest.mark.parametrize(("options", "spec"), [({"database": ""}, {"database": {}}), ({"x": 1}, {"x": {}})])
def test_with_database_leaves_what_is_said_and_what_knows_no_database(
    options: dict[str, object], spec: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANAGED_TOKENS_DATABASE", "/environment.db")
    assert with_database(dict(options), spec) == options
