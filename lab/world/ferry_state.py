# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what the stand-in for FERRY knows: accounts with their UIDs, and how it has been told to misbehave."""

from __future__ import annotations

import contextlib
import json
import threading
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from world.layout import PATHS

FIRST_BULK_UID = 60001
CONTROL = Path(PATHS["control"])
# A number N, and there are accounts bulk0001 to bulkN as well.
ACCOUNTS_FILE = CONTROL / "ferry-accounts"
FAULTS_FILE = CONTROL / "ferry.json"


@dataclass(frozen=True)
class Reply:
    """What goes back to the client; `retry_after` in seconds, when there is such a header."""

    status: int
    body: bytes
    retry_after: str = ""


@dataclass(frozen=True)
class Misbehaviour:
    """A fault that is active; the same one made again has another `mark`, and counts from the start."""

    name: str
    words: list[str]
    mark: str


def read_faults() -> list[Misbehaviour]:
    with contextlib.suppress(FileNotFoundError):
        return [Misbehaviour(**entry) for entry in json.loads(FAULTS_FILE.read_text())]
    return []


def write_faults(faults: t.Sequence[Misbehaviour]) -> None:
    temporary = FAULTS_FILE.with_suffix(".new")
    temporary.write_text(
        json.dumps([{"name": entry.name, "words": entry.words, "mark": entry.mark} for entry in faults])
    )
    temporary.replace(FAULTS_FILE)


def refusal(status: int, text: str) -> Reply:
    """Give the answer that says no in FERRY's form."""
    return Reply(status, json.dumps({"ferry_status": "failure", "ferry_error": [text], "ferry_output": {}}).encode())


@dataclass
class FerryState:
    """The accounts of the layout's services, generated ones, and the active faults: files that are looked at for each
    request and read when they have changed."""

    services: list[dict[str, t.Any]]
    uids: dict[str, int] = field(default_factory=dict)
    faults: list[Misbehaviour] = field(default_factory=list)
    spent: Counter[str] = field(default_factory=Counter)
    seen: tuple[object, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        looks = (_signature(ACCOUNTS_FILE), _signature(FAULTS_FILE))
        with self.lock:
            if looks == self.seen:
                return
            uids = {service["account"]: int(service["uid"]) for service in self.services}
            text = ACCOUNTS_FILE.read_text().strip() if looks[0] else ""
            for number in range(int(text) if text.isdigit() else 0):
                uids[f"bulk{number + 1:04d}"] = FIRST_BULK_UID + number
            self.uids, self.faults, self.seen = uids, read_faults(), looks

    def delay(self) -> float:
        """Give how many seconds an answer takes."""
        return max((float(fault.words[0]) for fault in self.faults if fault.name == "ferry-slow"), default=0.0)

    def breakdown(self) -> Reply | None:
        """Give the answer of a server that is broken or overloaded, whoever asks; it counts."""
        for fault in self.faults:
            if fault.name == "ferry-500" and self._spend(fault, *fault.words):
                return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")
            if fault.name == "ferry-429" and self._spend(fault, fault.words[1]):
                return Reply(HTTPStatus.TOO_MANY_REQUESTS, b'{"ferry_status": "failure"}', fault.words[0])
        return None

    def user_info(self, account: str) -> Reply:
        """Give what FERRY says of an account, or what the active faults make of it."""
        uid: int | str | None = self.uids.get(account)
        is_active, is_garbage = True, False
        for fault in self.faults:
            if fault.words[:1] not in ([], [account]):
                continue
            if fault.name == "ferry-unknown":
                uid = None
            elif fault.name == "ferry-uid":
                uid = _number_or_text(fault.words[1])
            elif fault.name == "ferry-inactive":
                is_active = False
            elif fault.name == "ferry-garbage":
                is_garbage = True
        if uid is None:
            reply = refusal(HTTPStatus.OK, f"user {account} not found")
        else:
            output = {
                "expirationdate": "2038-01-01",
                "fullname": f"Service account {account}",
                "groupaccount": False,
                "status": is_active,
                "uid": uid,
                "vopersonid": f"lab-{account}",
            }
            body = {"ferry_status": "success", "ferry_error": [], "ferry_output": output}
            reply = Reply(HTTPStatus.OK, json.dumps(body).encode())
        return Reply(reply.status, reply.body[: len(reply.body) // 2]) if is_garbage else reply

    def _spend(self, fault: Misbehaviour, count: str = "") -> bool:
        """Say whether the fault still has a request to spoil, and take it; without a count it always has."""
        with self.lock:
            if count and self.spent[fault.mark] >= int(count):
                return False
            self.spent[fault.mark] += 1
            return True


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _number_or_text(word: str) -> int | str:
    try:
        return int(word)
    except ValueError:
        return word
