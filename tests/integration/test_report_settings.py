# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the report as a site writes them: encrypted, templates, and broken."""

from __future__ import annotations

import json

from report_scene import SQLITE, Scene


def test_settings_of_the_inventory_may_be_encrypted_and_templates(one: Scene) -> None:
    """Ansible resolves them for tasks; a callback has to see to it."""
    make = (
        'cd /home/mtokens; echo vault-word > word; webhook=$(sed -n \'s/.*_slack_webhook": "\\(.*\\)",*/\\1/p\' '
        "/srv/lab/inventory/group_vars/all/report.yml); ansible-vault encrypt_string --vault-password-file word "
        '--name secret_webhook "$webhook" > vaulted.yml 2> /dev/null; '
        "printf '%s\\n' 'managed_tokens_slack_webhook: \"{{ secret_webhook }}\"' >> vaulted.yml"
    )
    one.lab.run("sh", "-c", make)
    assert "services/T000" not in one.lab.run("cat", "/home/mtokens/vaulted.yml").output
    one.fault("account-refused", "dunepro")
    vault = ("-e", "@/home/mtokens/vaulted.yml", "--vault-password-file", "/home/mtokens/word")
    one.run(*vault, "-e", "managed_tokens_threshold=1", "-e", "managed_tokens_smtp_host=")
    (post,) = one.sinks.slack()
    assert "dune_production" in json.dumps(post)
    one.lab.run("rm", "-f", "/home/mtokens/word", "/home/mtokens/vaulted.yml")


def test_a_bad_setting_costs_no_other_one_and_is_not_shown(one: Scene) -> None:
    """Ansible quotes the line where a template is broken, and a value of a wrong type."""
    lines = [
        "managed_tokens_smtp_password: 'Canary{#Password'",
        "managed_tokens_database_password: !unsafe 'Canary{#Database'",
        "managed_tokens_slack_webhook: ['https://canary.lab.example/CanaryHook']",
        "managed_tokens_smtp_port: CanaryPort",
    ]
    file = "/home/mtokens/bad.yml"
    one.lab.run("/usr/bin/python3", "-c", f"import sys; open('{file}', 'w').write(sys.argv[1])", "\n".join(lines))
    one.fault("account-refused", "dunepro")
    bad = ("-e", f"@{file}", "-e", "managed_tokens_threshold=1", "-e", f"managed_tokens_database={SQLITE}")
    for report in ("callback", "task"):
        done = one.run("-vvvv", *bad, "-e", f"managed_tokens_report={report}")
        assert done.status == 2, done.output
        for name in ("smtp_password", "slack_webhook", "smtp_port"):
            assert f"managed_tokens_{name} does not count: it " in done.flat
        assert "database_password does not count" not in done.flat
        assert "Canary" not in done.output
        # All other settings count.
        assert [to for to, _subject in one.told()] == ["admins@lab.example", "dune@lab.example"]
        one.lab.run("rm", "/srv/lab/state/last_run.json")
    one.lab.run("rm", file)
