# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find what belongs to one machine and not to the product: its paths, package registries, credentials in addresses.

Looks at every text file that git knows or would add, from the checkout given as the argument (default: here).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

# Homes that belong to the laboratory: the service account and the accounts of its experiments.
_OURS = r"(?:mtokens|[a-z0-9]+(?:pro|ana|test|r\d\d)|runner)\b"
_PRIVATE_NETWORK = r"(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+"

PATTERNS = {
    "a person's home directory": rf"(?<![\w.])/(?:home|Users)/(?!{_OURS})[A-Za-z0-9_.-]+",
    "root's home directory": r"(?<![\w.])/root/[\w.]",
    "a directory of one machine": r"(?<![\w.}$)-])/(?:work|workspace|workdir|scratch|mnt|opt/pypi\S*|opt/wheels)/\w",
    "a directory beside the checkout": r"(?<![\w.])\.\./shared\b",
    "a temporary directory with a random name": r"/tmp/(?:tmp\.?[A-Za-z0-9_]{8,}|bash_\w+)",
    "a setting of a package registry": r"(?i)\b(?:index[-_]url|find[-_]links|trusted[-_]host|_authToken)\s*[=: ]\s*\S",
    "a package mirror": r"(?i)https?://[^/\s\"']*(?:artifactory|nexus|devpi|mirror|proxy)[^/\s\"']*\.[^/\s\"']+/",
    "a source of Debian packages": r"^\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?https?://",
    "an address with a password": r"[a-z]+://[^/\s:@{<\"']+:[^/\s@{<$\"']+@",
    "an address in a private network": rf"https?://{_PRIVATE_NETWORK}\b",
}


def findings(name: str, text: str) -> list[str]:
    """Name each line of `text` that holds something of one machine."""
    return [
        f"{name}:{number}: {what}: {found.group().strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in PATTERNS.items()
        if (found := re.search(pattern, line))
    ]


def main() -> int:
    """Print all findings, and return the exit status."""
    checkout = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    listing = subprocess.run(
        ["git", "-C", str(checkout), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    problems = []
    for name in sorted(filter(None, listing.stdout.decode().split("\0"))):
        path = checkout / name
        if name == "tests/checks/machine_paths.py" or path.is_symlink() or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        problems += findings(name, text)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
