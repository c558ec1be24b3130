# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer says of an account, with every shape of error text and UID."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils import _ferry_answer as ferry
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    AccountUnknown,
    RegistryAnswer,
    TokensError,
    UidInvalid,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_client import Answer
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, plain_data


def expressions(**changes: str) -> ferry.Expressions:
    """Give the default expressions, but for the changes."""
    problems: list[str] = []
    texts = {"uid": ferry.DEFAULT_UID, "error": ferry.DEFAULT_ERROR, "active": ferry.DEFAULT_ACTIVE, **changes}
    found = {name: ferry.read_expression(text, name, problems) for name, text in texts.items()}
    assert problems == []
    return ferry.Expressions(**t.cast("dict[str, ferry.Expression]", found))


def read(body: t.Any, status: int = 200, **changes: str) -> ferry.Reading:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ferry.read_answer(Answer(status, content), expressions(**changes))


def answer(**changes: t.Any) -> dict[str, t.Any]:
    plain = {"ferry_status": "success", "ferry_error": [], "ferry_output": {"uid": 50100, "status": True}, **changes}
    return {key: value for key, value in plain.items() if value is not ...}


NO_ERRORS: tuple[t.Any, ...] = ([], None, "", ..., [""], [None], False)


@pytest.mark.parametrize("error", NO_ERRORS)
def test_read_answer_every_form_of_no_error_is_none(error: t.Any) -> None:
    assert read(answer(ferry_error=error)) == ferry.Reading(50100)


ERRORS: tuple[tuple[t.Any, str], ...] = (
    (["no such user"], "no such user"),
    (["one", "", "two."], "one; two"),
    ("no such user", "no such user"),
    ({"code": 7}, '{"code": 7}'),
    ([7], "7"),
    (["a\n\x1b[31mb"], "a b"),
    ([f"token {CANARY}"], "token [redacted]"),
)


@pytest.mark.parametrize(("error", "words"), ERRORS)
def test_read_answer_error_text_means_that_the_account_is_not_known(error: t.Any, words: str) -> None:
    with pytest.raises(AccountUnknown) as caught:
        read(answer(ferry_status="failure", ferry_error=error))
    assert caught.value.msg == f"The registry says: {words}."


def test_read_answer_failure_without_a_reason_is_one_all_the_same() -> None:
    with pytest.raises(AccountUnknown, match="failure, without a reason"):
        read(answer(ferry_status="failure"))


def test_read_answer_only_an_explicit_false_is_inactive() -> None:
    actives = [False, True, None, 0, "no"]
    found = [read(answer(ferry_output={"uid": 1, "status": value})).is_active for value in actives]
    assert found == [False, True, True, True, True]
    assert read(answer(ferry_output={"uid": 1})).is_active


def test_read_answer_with_expressions_of_another_registry() -> None:
    plain = {"people": [{"unix": "0050100", "enabled": False}], "trouble": None}
    found = read(plain, uid="people[0].unix", error="trouble", active="people[0].enabled")
    assert found == ferry.Reading(50100, is_active=False)


NO_ANSWERS: tuple[tuple[t.Any, int, type[TokensError], str], ...] = (
    (b"<html>hello</html>", 200, RegistryAnswer, "The registry answered with something that is not JSON."),
    (b"\xff\xfe", 200, RegistryAnswer, "The registry answered with something that is not JSON."),
    (b"[" * 100_000, 200, RegistryAnswer, "The registry answered with something that is not JSON."),
    ([1], 200, RegistryAnswer, "The registry answered with JSON that is no object."),
    ({}, 200, RegistryAnswer, "In the registry's answer managed_tokens_ferry_uid finds nothing."),
    (
        answer(ferry_output=None),
        200,
        RegistryAnswer,
        "In the registry's answer managed_tokens_ferry_uid finds nothing.",
    ),
    (b"", 302, RegistryAnswer, "The registry answered with HTTP 302."),
    (answer(ferry_error=["bad query"]), 400, RegistryAnswer, "The registry answered with HTTP 400: bad query."),
    (b"", 404, AccountUnknown, "The registry answered with HTTP 404."),
    (answer(ferry_error="nobody"), 404, AccountUnknown, "The registry answered with HTTP 404: nobody."),
)


@pytest.mark.parametrize(("body", "status", "kind", "words"), NO_ANSWERS)
def test_read_answer_anything_else_is_told(body: t.Any, status: int, kind: type[TokensError], words: str) -> None:
    with pytest.raises(kind) as caught:
        read(body, status)
    assert caught.value.msg == words


def test_read_answer_expression_that_does_not_fit_the_answer_is_told() -> None:
    with pytest.raises(RegistryAnswer, match=r"^managed_tokens_ferry_uid cannot be applied to the registry's answer: "):
        read(answer(), uid="length(ferry_output.uid)")


GOOD_UIDS: tuple[tuple[t.Any, int], ...] = ((1, 1), (2**32 - 2, 2**32 - 2), ("50100", 50100), (" 7 ", 7))
BAD_UIDS: tuple[t.Any, ...] = (
    0, -1, 2**32 - 1, 2**64, True, False, 1.5, 50100.0, 1e300, "", "0", "-1", "+1", "1.0", "²", "٣", "0x10", "1e3",
    "root", [], [1], {}, {"uid": 1}, "9" * 5000,
)  # fmt: skip


@pytest.mark.parametrize(("value", "uid"), GOOD_UIDS)
def test_read_uid_of_whole_numbers_and_their_digits(value: t.Any, uid: int) -> None:
    assert ferry.read_uid(value) == uid


@pytest.mark.parametrize("value", BAD_UIDS, ids=lambda value: repr(value)[:20])
def test_read_uid_refuses_everything_else(value: t.Any) -> None:
    with pytest.raises(UidInvalid, match=r"it has to be a whole number from 1 to 4294967294\.$"):
        ferry.read_uid(value)


@given(plain_data() | st.builds(answer, ferry_output=st.fixed_dictionaries({"uid": plain_data()})))
def test_read_answer_of_any_json_is_a_uid_or_an_expected_error(body: t.Any) -> None:
    try:
        content = json.dumps(body).encode()
    except TypeError:  # YAML knows keys that JSON does not
        return
    try:
        found = read(content)
    except (AccountUnknown, RegistryAnswer, UidInvalid):
        return
    assert 0 < found.uid < 2**32 - 1


BROKEN: tuple[tuple[str, str], ...] = (
    ("", "x is empty; it has to be a JMESPath expression."),
    ("a..b", "x is 'a..b', which is no JMESPath expression: it breaks at character 3."),
    ("a[", "x is 'a[', which is no JMESPath expression: it ends too early."),
    ("a.b)", "x is 'a.b)', which is no JMESPath expression: it breaks at character 4."),
)


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_read_expression_tells_where_it_breaks(text: str, words: str) -> None:
    problems: list[str] = []
    assert ferry.read_expression(text, "x", problems) is None
    assert problems == [words]


@given(st.text(max_size=12))
def test_read_expression_of_any_text_is_one_or_a_problem(text: str) -> None:
    problems: list[str] = []
    assert (ferry.read_expression(text, "x", problems) is None) == (len(problems) == 1)
