# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what htgettoken says while it asks somebody to log in."""

from __future__ import annotations

VAULT = "https://vault.lab.example:8200"
ADDRESS = "https://cilogon.lab.example/device/?user_code=D134-7ABC"
ASKED = (
    "\nAuthentication needed for dune_production\n"
    f"Attempting kerberos auth with {VAULT} ... succeeded\n"
    f"Attempting to get token from {VAULT} ... failed\n"
    f"Attempting OIDC authentication with {VAULT}\n\n"
    f"Complete the authentication at:\n    {ADDRESS}\nWhen prompted, enter code D134-7ABC\n"
    "No web open command defined, please copy/paste the above to any web browser\n"
    "Waiting for response in web browser\n"
)
