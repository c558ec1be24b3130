# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that people read says which controller wrote it, and which command shows more."""

from __future__ import annotations

import socket
import typing as t

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collection_version import collection_version
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import PUSH, RUN, SETUP, Key
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_origin import Origin, here

STATUS = "fife.managed_tokens.status"
SITE = Origin("push.example.org", ("inventory",), "1.2.3")

COMMANDS: tuple[tuple[Origin, list[Key], str], ...] = (
    (
        SITE,
        [Key(PUSH, "dune_production", "n1"), Key(PUSH, "dune_production", "n2")],
        f"ansible-playbook -i inventory {STATUS} -e managed_tokens_service=dune_production",
    ),
    (SITE, [Key(SETUP, "dune_production"), Key(SETUP, "nova_test")], f"ansible-playbook -i inventory {STATUS}"),
    (SITE, [Key(RUN, "token-push")], f"ansible-playbook -i inventory {STATUS}"),
    (Origin(), [], f"ansible-playbook -i INVENTORY {STATUS}"),
    (Origin("h", ("a b", "c;d")), [], f"ansible-playbook -i 'a b' -i 'c;d' {STATUS}"),
    (SITE, [Key(SETUP, "d" * 500)], f"ansible-playbook -i inventory {STATUS}"),
)


@pytest.mark.parametrize(("origin", "keys", "command"), COMMANDS)
def test_command_is_for_the_one_service_or_for_all(origin: Origin, keys: list[Key], command: str) -> None:
    assert origin.command(keys) == command


def test_in_words_names_host_inventory_and_version() -> None:
    assert SITE.in_words == "written by push.example.org, inventory inventory, fife.managed_tokens 1.2.3"
    assert Origin().in_words == "fife.managed_tokens unknown"


SOURCES: tuple[tuple[t.Any, tuple[str, ...]], ...] = (
    (None, ()),
    (("/etc/managed-tokens/inventory",), ("inventory",)),
    (("/etc/managed-tokens/inventory/", "/secret/place/old.yml"), ("inventory", "old.yml")),
    # Hosts, and no file.
    (("node1,node2,",), ()),
    (("/a/x", "/b/x", "/c/y", "/d/z"), ("x", "y")),
)


@pytest.mark.parametrize(("sources", "names"), SOURCES)
def test_here_is_this_machine_and_names_inventories_without_directories(
    sources: t.Any, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(inventory=sources))
    monkeypatch.setattr(socket, "gethostname", lambda: "push")
    assert here() == Origin("push", names, collection_version())
