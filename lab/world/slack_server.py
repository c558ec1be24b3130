# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for Slack's incoming webhooks: one address, Slack's rules for messages, and each accepted one kept."""

from __future__ import annotations

import sys
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world.json_lines import JsonLines
from world.slack_rules import judge
from world.stand_in_http import Reply, Request, read_layout, serve, text


def main() -> None:
    """Serve until killed."""
    layout = read_layout()
    webhook = urlsplit(Path(layout["paths"]["slack_url"]).read_text().strip()).path
    log = JsonLines(Path(layout["paths"]["log"]) / "slack.jsonl")

    def answer(asked: Request) -> Reply:
        if asked.path != webhook:
            return text(HTTPStatus.NOT_FOUND, "no_service")
        if asked.method != "POST":
            return text(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
        if asked.kind != "application/json":
            return text(HTTPStatus.BAD_REQUEST, "invalid_payload")
        message, wrong = judge(asked.body)
        if wrong:
            return text(HTTPStatus.BAD_REQUEST, wrong)
        log.write(message)
        return text(HTTPStatus.OK, "ok")

    serve(layout, "slack", answer, over_tls=True)


if __name__ == "__main__":
    main()
