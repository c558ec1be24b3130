# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the collection importable by its name, and set what holds for every unit test."""

from __future__ import annotations

from pathlib import Path

from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = Path("ansible_collections", "fife", "managed_tokens")


def directory_of_collections() -> Path:
    """Give the directory from which the collection is found by its name; `make setup` makes the same link."""
    if CHECKOUT.parts[-3:] == NAME.parts:
        return CHECKOUT.parents[2]
    link = CHECKOUT / ".collections" / NAME
    if not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("../../..")
    return CHECKOUT / ".collections"


# ansible-test has done this already.
if AnsibleCollectionConfig.collection_finder is None:
    init_plugin_loader([str(directory_of_collections())])

# A slow machine is not a failing property.
settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unit")
