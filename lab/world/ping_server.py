# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for a dead man's switch like healthchecks.io: one check, pinged with start, success, failure or a status."""

from __future__ import annotations

import re
import sys
import time
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world.json_lines import JsonLines
from world.stand_in_http import Reply, Request, read_layout, serve, text

# A server keeps no more of what a ping says.
MOST_BODY = 100_000
HIGHEST_STATUS = 255


def main() -> None:
    """Serve until killed."""
    layout = read_layout()
    check = urlsplit(Path(layout["paths"]["ping_url"]).read_text().strip()).path
    known = re.compile(re.escape(check) + r"(?:/(?P<signal>start|fail|log|\d{1,3}))?")
    log = JsonLines(Path(layout["paths"]["log"]) / "ping.jsonl")

    def answer(asked: Request) -> Reply:
        found = known.fullmatch(asked.path)
        if found is None:
            return text(HTTPStatus.NOT_FOUND, "(not found)")
        signal = found["signal"] or ""
        if signal.isdigit() and int(signal) > HIGHEST_STATUS:
            return text(HTTPStatus.BAD_REQUEST, "(invalid url format)")
        said = asked.body[:MOST_BODY].decode("utf-8", "replace")
        log.write({"signal": signal, "method": asked.method, "body": said, "time": round(time.time(), 3)})
        return text(HTTPStatus.OK, "OK")

    serve(layout, "ping", answer, over_tls=True)


if __name__ == "__main__":
    main()
