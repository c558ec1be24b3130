# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a message as Slack's incoming webhooks do: https://docs.slack.dev/reference/block-kit/blocks."""

from __future__ import annotations

import json
import typing as t

MOST_BLOCKS = 50
MOST_TEXT, MOST_SECTION, MOST_FIELD, MOST_HEADER, MOST_BLOCK_ID = 40000, 3000, 2000, 150, 255
MOST_FIELDS = MOST_CONTEXT = 10
MARKED, PLAIN = "mrkdwn", "plain_text"


def judge(body: bytes) -> tuple[dict[str, t.Any], str]:
    """Give the message and Slack's word for what is wrong with it, "" for an acceptable one."""
    try:
        message = json.loads(body)
    except ValueError:
        return {}, "invalid_payload"
    if not isinstance(message, dict):
        return {}, "invalid_payload"
    words, blocks = message.get("text", ""), message.get("blocks", [])
    if not isinstance(words, str) or len(words) > MOST_TEXT:
        return message, "invalid_payload"
    if not isinstance(blocks, list) or len(blocks) > MOST_BLOCKS or not all(map(_is_block, blocks)):
        return message, "invalid_blocks"
    names = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(names)) < len(names):
        return message, "invalid_blocks"
    return message, "" if words or blocks else "no_text"


def _is_block(block: object) -> bool:
    if not isinstance(block, dict):
        return False
    name = block.get("block_id", "")
    if not isinstance(name, str) or len(name) > MOST_BLOCK_ID:
        return False
    judged = JUDGES.get(str(block.get("type")))
    return judged is not None and judged(block)


def _is_section(block: dict[str, t.Any]) -> bool:
    fields = block.get("fields", [])
    if not isinstance(fields, list) or len(fields) > MOST_FIELDS or not ("text" in block or fields):
        return False
    return ("text" not in block or _is_text(block["text"], MOST_SECTION)) and all(
        _is_text(field, MOST_FIELD) for field in fields
    )


def _is_header(block: dict[str, t.Any]) -> bool:
    return _is_text(block.get("text"), MOST_HEADER, PLAIN)


def _is_context(block: dict[str, t.Any]) -> bool:
    elements = block.get("elements")
    return (
        isinstance(elements, list)
        and 1 <= len(elements) <= MOST_CONTEXT
        and all(_is_text(element, MOST_SECTION) for element in elements)
    )


def _is_text(found: object, most: int, *kinds: str) -> bool:
    """Say whether it is a text object of one of the kinds (either, when none is named) and of an allowed length."""
    if not isinstance(found, dict) or found.get("type") not in (kinds or (MARKED, PLAIN)):
        return False
    words = found.get("text")
    return isinstance(words, str) and 1 <= len(words) <= most


# The kinds of blocks that a report has a use for.
JUDGES: dict[str, t.Callable[[dict[str, t.Any]], bool]] = {
    "section": _is_section,
    "header": _is_header,
    "context": _is_context,
    "divider": lambda _block: True,
}
