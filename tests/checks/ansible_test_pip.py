# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let ansible-test make its environments without the site it downloads pip's installer from.

It first looks for a saved copy of that installer, one for each version of pip it knows; Python's own ensurepip does the
same work.
"""

from __future__ import annotations

import re
from pathlib import Path

import ansible_test

STAND_IN = "import ensurepip\n\nensurepip.bootstrap(upgrade=True, default_pip=True)\n"


def wanted_versions() -> set[str]:
    """Read from the installed ansible-test which versions of pip it may ask for."""
    source = Path(ansible_test.__path__[0]) / "_internal" / "python_requirements.py"
    return set(re.findall(r"""\bpip=['"]([0-9.]+)['"]""", source.read_text(encoding="utf-8")))


def main() -> None:
    """Save the stand-in for each version that has no saved installer yet."""
    versions = wanted_versions()
    if not versions:
        raise SystemExit(
            "No version of pip was found in ansible-test's sources: this script has to learn where it is now."
        )
    saved = Path.home() / ".ansible" / "test" / "cache"
    saved.mkdir(parents=True, exist_ok=True)
    for version in versions:
        installer = saved / f"get_pip_{version.replace('.', '_')}.py"
        if not installer.exists():
            installer.write_text(STAND_IN, encoding="utf-8")


if __name__ == "__main__":
    main()
