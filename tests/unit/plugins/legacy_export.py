# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read configurations of the Go service as inventories, export them with ansible-inventory, and read the exports.

One JSON text per line comes in, one per line goes out: Ansible is loaded once for many configurations.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import typing as t
from dataclasses import asdict
from pathlib import Path

from ansible.cli.inventory import InventoryCLI
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.utils.display import Display

Seen = dict[str, t.Any]


def look(path: str) -> Seen:
    """Give what an inventory says: groups, variables as a task would see them, and the services they resolve to."""
    from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
    from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import resolve
    from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import SHARED_SETTINGS

    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[path])
    variables = inventory.groups["all"].get_vars()
    templar = Templar(loader=loader, variables=variables)
    plain = {name: templar.template(value) for name, value in variables.items()}
    groups = {name: sorted(host.name for host in group.get_hosts()) for name, group in inventory.groups.items()}
    general = {name: plain.get(f"managed_tokens_{name}") for name in (*SHARED_SETTINGS, "keytab_path")}
    view = InventoryView(groups, frozenset(groups["all"]))
    resolved = resolve(plain.get("managed_tokens_experiments", {}), general, view)
    return {
        "groups": groups,
        "hosts": {
            name: {
                key: value for key, value in host.get_vars().items() if key not in ("inventory_file", "inventory_dir")
            }
            for name, host in inventory.hosts.items()
        },
        "variables": plain,
        "services": {item.service.config_name: asdict(item) for item in resolved.wanted},
        "problems": sorted(resolved.problems),
    }


def export(source: str, target: str) -> None:
    """Do what `ansible-inventory --list --yaml --export` does, in a process of its own: it can be done once in each.

    Raises: RuntimeError when that ended badly.
    """
    pid = os.fork()
    if not pid:
        status = 1
        try:
            InventoryCLI(["ansible-inventory", "-i", source, "--list", "--yaml", "--export", "--output", target]).run()
        except SystemExit as err:
            status = int(err.code or 0)
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("ansible-inventory failed")


def both(text: str, directory: Path) -> Seen:
    """Give what a configuration says and what its export says; what was printed, when it ended the program."""
    source, target = directory / "managedTokens.yml", directory / "exported.yml"
    source.write_text(text, encoding="utf-8")
    target.unlink(missing_ok=True)
    # What has been said before would not be said again.
    Display()._errors.clear()
    Display()._warns.clear()
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            direct = look(str(source))
        except SystemExit as err:
            return {"status": err.code, "said": said.getvalue()}
        export(str(source), str(target))
        again = look(str(target))
    return {"direct": direct, "again": again, "said": said.getvalue()}


def main() -> None:
    init_plugin_loader([sys.argv[1]])
    with tempfile.TemporaryDirectory() as directory:
        for line in sys.stdin:
            print(json.dumps(both(json.loads(line), Path(directory)), default=str), flush=True)


if __name__ == "__main__":
    main()
