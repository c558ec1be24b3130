# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports go one way, from the doors to the engine; files stay small and are named after what they hold."""

from __future__ import annotations

import ast
import sys
import typing as t
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
OURS = "ansible_collections.fife.managed_tokens."
ENGINE = "plugins.module_utils"
CONTROLLER = "plugins.plugin_utils"
DOORS = ("action", "callback", "filter", "inventory", "lookup", "modules", "test")
GROUND_FLOOR = frozenset({"_errors", "_outcome", "_redaction", "_service"})
# What the engine must not know even though ansible.module_utils holds it: these are the surface of a door.
DOOR_SURFACES = ("ansible.module_utils.basic", "ansible.module_utils.api", "ansible.module_utils.common.arg_spec")
FORBIDDEN_NAMES = frozenset({"common", "helper", "helpers", "misc", "miscellaneous", "util", "utils"})
LONGEST_FILE = 400


class Import(t.NamedTuple):
    """One imported name, in full, and where it is imported."""

    name: str
    line: int


def imports_of(path: Path, plugins: Path) -> list[Import]:
    """List everything a file imports anywhere in it, also inside functions and for types only.

    `from package import name` counts as `package.name`, whether that is a file or something in one; relative names are
    resolved against the place of the file below `plugins`.
    """
    package = (OURS + ".".join(path.relative_to(plugins.parent).parts[:-1])).split(".")
    found: list[Import] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            found += [Import(f"{source}.{alias.name}", node.lineno) for alias in node.names]
    return found


def is_within(name: str, package: str) -> bool:
    """Tell whether `name` is the package or something in it."""
    return name == package or name.startswith(package + ".")


def objection(kind: str, stem: str, name: str) -> str | None:
    """Say why a file of this kind of plugin must not import `name`; None when it may."""
    ours = name.removeprefix(OURS) if name.startswith(OURS) else None
    if ours is not None and any(is_within(ours, f"plugins.{door}") for door in DOORS):
        return "nobody imports a door"
    if kind in ("module_utils", "modules") and ours is not None and not is_within(ours, ENGINE):
        return "it may use the engine only"
    if (
        kind in ("module_utils", "modules")
        and is_within(name, "ansible")
        and not name.startswith("ansible.module_utils.")
    ):
        return "of Ansible it may use ansible.module_utils only"
    if kind == "module_utils":
        if any(is_within(name, surface) for surface in DOOR_SURFACES):
            return "the engine takes values and gives values, it knows no AnsibleModule"
        used = ours.split(".")[2] if ours is not None and ours.count(".") >= 2 else None
        if stem in GROUND_FLOOR and used is not None and used not in GROUND_FLOOR:
            return "the ground floor stands on nothing but itself"
    if kind == "modules" and ours is None and not is_within(name, "ansible"):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names:
            return "a module uses other libraries through the engine only"
    return None


def wrong_imports(plugins: Path) -> list[str]:
    """Name each import below `plugins` that goes against the direction."""
    problems = []
    for path in sorted(plugins.rglob("*.py")):
        place = path.relative_to(plugins)
        for imported in imports_of(path, plugins):
            reason = objection(place.parts[0], path.stem, imported.name)
            if reason:
                problems.append(f"plugins/{place}:{imported.line}: imports {imported.name}: {reason}")
    return problems


def engine_circles(plugins: Path) -> list[str]:
    """Name a circle of engine files that import each other, if there is one."""
    files = {path.stem: path for path in sorted((plugins / "module_utils").glob("*.py"))}
    prefix = f"{OURS}{ENGINE}."
    uses = {
        stem: {
            name.removeprefix(prefix).split(".")[0]
            for name, _line in imports_of(path, plugins)
            if name.startswith(prefix)
        }
        for stem, path in files.items()
    }
    # Take away what stands on nothing that is left, until nothing more can be taken.
    while free := [stem for stem, used in uses.items() if not (used - {stem}) & uses.keys()]:
        for stem in free:
            del uses[stem]
    return sorted(uses)


def bad_files(checkout: Path) -> list[str]:
    """Name each Python file that is too long or whose name says nothing."""
    problems = []
    for part in ("plugins", "lab", "tests"):
        for path in sorted((checkout / part).rglob("*.py")):
            place = path.relative_to(checkout)
            # A directory of results of ansible-test is no source.
            if place.parts[:2] == ("tests", "output"):
                continue
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LONGEST_FILE:
                problems.append(f"{place}: {lines} lines, more than {LONGEST_FILE}")
            words = {path.stem.strip("_"), *(parent.strip("_") for parent in place.parts[2:-1])}
            problems += [f"{place}: the name {word!r} does not say what it holds" for word in words & FORBIDDEN_NAMES]
    return problems


def test_imports_of_all_plugins_go_from_the_doors_to_the_engine() -> None:
    assert wrong_imports(CHECKOUT / "plugins") == []


def test_engine_has_no_circle() -> None:
    assert engine_circles(CHECKOUT / "plugins") == []


def test_files_are_small_and_named_after_what_they_hold() -> None:
    assert bad_files(CHECKOUT) == []


PLANTED: tuple[tuple[str, str, str], ...] = (
    ("module_utils/_x.py", "from ansible.module_utils.basic import AnsibleModule", "no AnsibleModule"),
    ("module_utils/_x.py", "from ansible.module_utils import basic", "no AnsibleModule"),
    ("module_utils/_x.py", "import ansible.utils.display", "ansible.module_utils only"),
    ("module_utils/_x.py", "def f():\n    from ansible.utils.display import Display", "ansible.module_utils only"),
    ("module_utils/_x.py", f"from {OURS}plugins.plugin_utils._door import Door", "engine only"),
    ("module_utils/_x.py", f"from {OURS}plugins import plugin_utils", "engine only"),
    ("module_utils/_x.py", "from ..plugin_utils import _door", "engine only"),
    ("module_utils/_x.py", "from ..modules.ping_nodes import main", "nobody imports a door"),
    ("module_utils/_outcome.py", f"from {OURS}plugins.module_utils._ping import ping", "ground floor"),
    ("module_utils/_errors.py", "from . import _ping", "ground floor"),
    ("modules/ping_nodes.py", "from ansible.plugins.action import ActionBase", "ansible.module_utils only"),
    ("modules/ping_nodes.py", "import asyncssh", "through the engine"),
    ("modules/ping_nodes.py", f"from {OURS}plugins.plugin_utils._door import Door", "engine only"),
    ("action/ping_nodes.py", f"from {OURS}plugins.modules.ping_nodes import SPEC", "nobody imports a door"),
    ("plugin_utils/_door.py", f"from {OURS}plugins.callback.report import CallbackModule", "nobody imports a door"),
    ("callback/report.py", f"from {OURS}plugins.inventory.managed_tokens import InventoryModule", "a door"),
)


@pytest.mark.parametrize(("place", "source", "reason"), PLANTED)
def test_wrong_imports_planted_import_is_found(tmp_path: Path, place: str, source: str, reason: str) -> None:
    plant(tmp_path / "plugins" / place, source)
    assert len(found := wrong_imports(tmp_path / "plugins")) == 1
    assert found[0].startswith(f"plugins/{place}:")
    assert reason in found[0]


ALLOWED: tuple[tuple[str, str], ...] = (
    ("module_utils/_x.py", f"import asyncssh\nfrom {OURS}plugins.module_utils._errors import BadInput"),
    ("module_utils/_x.py", "from ansible.module_utils.common.text.converters import to_text"),
    ("module_utils/_service.py", "from . import _errors, _outcome"),
    (
        "modules/ping_nodes.py",
        f"import json\nfrom ansible.module_utils.basic import AnsibleModule\nfrom {OURS}{ENGINE} import _x",
    ),
    ("plugin_utils/_door.py", f"import ansible.plugins.action\nfrom {OURS}{ENGINE}._x import y"),
    ("action/ping_nodes.py", f"from {OURS}{CONTROLLER}._door import Door\nimport asyncssh"),
)


@pytest.mark.parametrize(("place", "source"), ALLOWED)
def test_wrong_imports_right_import_is_let_alone(tmp_path: Path, place: str, source: str) -> None:
    plant(tmp_path / "plugins" / place, source)
    assert wrong_imports(tmp_path / "plugins") == []


def test_engine_circles_planted_circle_is_found(tmp_path: Path) -> None:
    engine = tmp_path / "plugins" / "module_utils"
    plant(engine / "_a.py", "from . import _b")
    plant(engine / "_b.py", f"def f():\n    from {OURS}{ENGINE}._c import x")
    plant(engine / "_c.py", "from . import _a")
    plant(engine / "_d.py", "import json")
    assert engine_circles(tmp_path / "plugins") == ["_a", "_b", "_c"]


def test_bad_files_long_file_and_empty_name_are_found(tmp_path: Path) -> None:
    plant(tmp_path / "plugins/module_utils/_long.py", "\n" * (LONGEST_FILE + 1))
    plant(tmp_path / "plugins/module_utils/_utils.py", "")
    plant(tmp_path / "lab/world/helpers/dns.py", "")
    plant(tmp_path / "tests/unit/fine.py", "\n" * LONGEST_FILE)
    assert [problem.partition(":")[0] for problem in bad_files(tmp_path)] == [
        "plugins/module_utils/_long.py",
        "plugins/module_utils/_utils.py",
        "lab/world/helpers/dns.py",
    ]


def plant(path: Path, source: str) -> None:
    """Write a file with its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
