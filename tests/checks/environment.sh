# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Sourced by the checks: where the checkout is, and the Python environment they run in.
# shellcheck shell=bash
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
export checks=$checkout/tests/checks
cache=${MANAGED_TOKENS_CACHE:-/var/cache/managed-tokens-lab}
venv=${MANAGED_TOKENS_TEST_VENV:-$cache/venv}
if [ ! -x "$venv/bin/python" ]; then
    echo "The checks need the Python environment $venv, which does not exist: run \`make setup\` first." >&2
    exit 2
fi
export PATH=$venv/bin:$PATH LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

# Name the Python programs without a suffix below the given directories.
python_programs() {
    grep -rlIE --exclude='*.*' '^#!.*python3?( |$)' "$@" 2> /dev/null || true
}
