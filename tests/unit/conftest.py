# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the collection importable by its name, and set what holds for every unit test."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings

CHECKOUT = Path(__file__).resolve().parents[2]
LINK = CHECKOUT / "collections" / "ansible_collections" / "fife" / "managed_tokens"

# pytest-ansible and ansible.cfg look for the collection there; `make setup` makes the same link.
# Where the checks build a collection root of exactly that shape, nothing is missing.
if CHECKOUT.parts[-4:] != LINK.parts[-4:] and not LINK.exists():
    LINK.parent.mkdir(parents=True, exist_ok=True)
    LINK.symlink_to("../../..")

# A slow machine is not a failing property.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
