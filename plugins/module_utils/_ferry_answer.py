# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read the registry's answers with the JMESPath expressions of the settings."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    AccountUnknown,
    RegistryAnswer,
    UidInvalid,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_client import Answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import UID_MAX

DEFAULT_UID = "ferry_output.uid"
DEFAULT_ACTIVE = "ferry_output.status"
# A list, a text, null, nothing at all; and a failure that comes without a reason.
DEFAULT_ERROR = "ferry_error || (ferry_status == 'failure' && 'failure, without a reason')"

_DIGITS = re.compile(r"[0-9]{1,20}")


class Expression(t.Protocol):
    """A JMESPath expression that has been read."""

    def search(self, value: t.Any) -> t.Any:
        """Give what it finds, None for nothing."""


@dataclass(frozen=True, slots=True)
class Expressions:
    """Where UID, error text and activity stand in an answer."""

    uid: Expression
    error: Expression
    active: Expression


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says of an account; `is_active` is False only when it says so."""

    uid: int
    is_active: bool = True


def read_expression(text: str, setting: str, problems: list[str]) -> Expression | None:
    """Give the expression; one that cannot be read is a problem, with the place where it breaks."""
    import jmespath

    try:
        return t.cast("Expression", jmespath.compile(text))
    except jmespath.exceptions.EmptyExpressionError:
        problems.append(f"{setting} is empty; it has to be a JMESPath expression.")
    except jmespath.exceptions.ParseError as err:
        place = getattr(err, "lex_position", None)
        where = (
            f"it breaks at character {place + 1}"
            if isinstance(place, int) and 0 <= place < len(text)
            else "it ends too early"
        )
        problems.append(f"{setting} is {text!r}, which is no JMESPath expression: {where}.")
    except jmespath.exceptions.JMESPathError as err:
        problems.append(f"{setting} is {text!r}, which is no JMESPath expression: {one_line(str(err), 100)}.")
    return None


def read_answer(answer: Answer, expressions: Expressions) -> Reading:
    """Give what the answer says of the account that was asked for.

    Raises: AccountUnknown with the registry's words, RegistryAnswer, UidInvalid.
    """
    try:
        plain = json.loads(answer.body)
    except (ValueError, RecursionError):
        plain = None
    said = _error_text(_found(expressions.error, plain, "managed_tokens_ferry_error")) if plain is not None else ""
    if answer.status == 404:
        raise AccountUnknown(f"The registry answered with HTTP 404{f': {said}' if said else ''}.")
    if answer.status != 200:
        raise RegistryAnswer(f"The registry answered with HTTP {answer.status}{f': {said}' if said else ''}.")
    if not isinstance(plain, dict):
        what = "something that is not JSON" if plain is None else "JSON that is no object"
        raise RegistryAnswer(f"The registry answered with {what}.")
    if said:
        raise AccountUnknown(f"The registry says: {said}.")
    uid = _found(expressions.uid, plain, "managed_tokens_ferry_uid")
    if uid is None:
        raise RegistryAnswer("In the registry's answer managed_tokens_ferry_uid finds nothing.")
    is_active = _found(expressions.active, plain, "managed_tokens_ferry_active") is not False
    return Reading(read_uid(uid), is_active)


def read_uid(value: t.Any) -> int:
    """Give the UID that `value`, a whole number or its digits as text, stands for.

    Raises: UidInvalid.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    text = value.strip() if isinstance(value, str) else str(value) if is_number else ""
    if not _DIGITS.fullmatch(text) or not 0 < int(text) <= UID_MAX:
        raise UidInvalid(
            f"The registry gives {one_line(json.dumps(value), 60)} as UID; "
            f"it has to be a whole number from 1 to {UID_MAX}."
        )
    return int(text)


def _found(expression: Expression, plain: t.Any, setting: str) -> t.Any:
    import jmespath

    try:
        return expression.search(plain)
    except jmespath.exceptions.JMESPathError as err:
        raise RegistryAnswer(
            f"{setting} cannot be applied to the registry's answer: {one_line(str(err), 150).rstrip('.')}."
        ) from err


def _error_text(found: t.Any) -> str:
    if found is None or found is False:
        return ""
    items = found if isinstance(found, list) else [found]
    texts = [item if isinstance(item, str) else json.dumps(item) for item in items if item not in (None, False, "")]
    return one_line("; ".join(text.strip() for text in texts if text.strip()), 200).rstrip(".")
