# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for Loki: takes batches of lines as its HTTP API does, refuses what it would, and keeps each line."""

from __future__ import annotations

import json
import re
import sys
import time
import typing as t
from http import HTTPStatus
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world.json_lines import JsonLines
from world.stand_in_http import Reply, Request, read_layout, serve, text

# Loki's own limits, as they are without a configuration.
MOST_LABELS, MOST_LINE = 15, 256 * 1024
OLDEST_S, NEWEST_S = 7 * 86400, 600
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def lines_of(body: bytes) -> list[dict[str, t.Any]]:
    """Give the lines of a batch, each with its labels and its time in nanoseconds since the epoch.

    Raises: ValueError saying what Loki would refuse.
    """
    batch = json.loads(body)
    if not isinstance(batch, dict) or not isinstance(batch.get("streams"), list):
        raise ValueError("there is no list of streams")
    found = []
    for stream in batch["streams"]:
        if not isinstance(stream, dict) or not isinstance(stream.get("values"), list):
            raise ValueError("a stream has no values")
        labels = _labels(stream.get("stream"))
        found += [{"labels": labels, **_line(value)} for value in stream["values"]]
    return found


def _labels(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or not given:
        raise ValueError("at least one label pair is required per stream")
    if len(given) > MOST_LABELS:
        raise ValueError(f"a stream has {len(given)} label names; limit {MOST_LABELS}")
    for name, value in given.items():
        if not LABEL.fullmatch(name) or not isinstance(value, str):
            raise ValueError(f"the label {name!r} cannot be")
    return given


def _line(value: object) -> dict[str, t.Any]:
    """Understand [time, line] or [time, line, metadata]; times are texts."""
    if not isinstance(value, list) or not 2 <= len(value) <= 3 or not all(isinstance(part, str) for part in value[:2]):
        raise ValueError("a value is not a time and a line, both as texts")
    nanoseconds, line = value[:2]
    metadata = value[2] if len(value) > 2 else {}
    if not isinstance(metadata, dict) or not all(isinstance(part, str) for part in metadata.values()):
        raise ValueError("the metadata of a line are not all texts")
    if not nanoseconds.isascii() or not nanoseconds.isdigit():
        raise ValueError(f"the time {nanoseconds[:30]!r} is no number of nanoseconds")
    if len(line.encode()) > MOST_LINE:
        raise ValueError(f"max entry size {MOST_LINE} bytes exceeded")
    age = time.time() - int(nanoseconds) / 1e9
    if not -NEWEST_S <= age <= OLDEST_S:
        raise ValueError("the time is too far behind or ahead")
    return {"time": nanoseconds, "line": line, "metadata": metadata}


def main() -> None:
    """Serve until killed."""
    layout = read_layout()
    log = JsonLines(Path(layout["paths"]["log"]) / "loki.jsonl")

    def answer(asked: Request) -> Reply:
        if (asked.method, asked.path) != ("POST", "/loki/api/v1/push"):
            return text(HTTPStatus.NOT_FOUND, "404 page not found")
        if asked.kind != "application/json":
            return text(HTTPStatus.BAD_REQUEST, "only JSON is understood here")
        try:
            lines = lines_of(asked.body)
        except ValueError as err:
            return text(HTTPStatus.BAD_REQUEST, str(err))
        log.write(*lines)
        return Reply(HTTPStatus.NO_CONTENT)

    serve(layout, "loki", answer)


if __name__ == "__main__":
    main()
