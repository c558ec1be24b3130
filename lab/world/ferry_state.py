# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what the stand-in for FERRY knows: accounts with their UIDs, and how it has been told to misbehave."""

from __future__ import annotations

import json
import threading
import typing as t
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from world.layout import PATHS
from world.misbehaviour import Misbehaviours, signature
from world.newcomer import FILE as NEWCOMERS
from world.newcomer import newcomers
from world.stand_in_http import Reply

FIRST_BULK_UID = 60001
CONTROL = Path(PATHS["control"])
# A number N, and there are accounts bulk0001 to bulkN as well.
ACCOUNTS_FILE = CONTROL / "ferry-accounts"
FAULTS_FILE = CONTROL / "ferry.json"


def refusal(status: int, text: str) -> Reply:
    """Give the answer that says no in FERRY's form."""
    return Reply(status, json.dumps({"ferry_status": "failure", "ferry_error": [text], "ferry_output": {}}).encode())


@dataclass
class FerryState:
    """The accounts of the layout's services, generated ones, and the active faults: files that are looked at for each
    request and read when they have changed."""

    services: list[dict[str, t.Any]]
    uids: dict[str, int] = field(default_factory=dict)
    faults: Misbehaviours = field(default_factory=lambda: Misbehaviours(FAULTS_FILE))
    seen: object = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        look = (signature(ACCOUNTS_FILE), signature(NEWCOMERS))
        with self.lock:
            if look == self.seen:
                return
            services = [*self.services, *newcomers()]
            uids = {service["account"]: int(service["uid"]) for service in services}
            text = ACCOUNTS_FILE.read_text().strip() if look[0] else ""
            for number in range(int(text) if text.isdigit() else 0):
                uids[f"bulk{number + 1:04d}"] = FIRST_BULK_UID + number
            self.uids, self.seen = uids, look

    def delay(self) -> float:
        """Give how many seconds an answer takes."""
        return self.faults.delay("ferry-slow")

    def breakdown(self) -> Reply | None:
        """Give the answer of a server that is broken or overloaded, whoever asks; it counts."""
        for fault in self.faults.active():
            if fault.name == "ferry-500" and self.faults.spend(fault, *fault.words):
                return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")
            if fault.name == "ferry-429" and self.faults.spend(fault, fault.words[1]):
                return Reply(HTTPStatus.TOO_MANY_REQUESTS, b'{"ferry_status": "failure"}', fault.words[0])
        return None

    def user_info(self, account: str) -> Reply:
        """Give what FERRY says of an account, or what the active faults make of it."""
        uid: int | str | None = self.uids.get(account)
        is_active, is_garbage = True, False
        for fault in self.faults.active():
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


def _number_or_text(word: str) -> int | str:
    try:
        return int(word)
    except ValueError:
        return word
