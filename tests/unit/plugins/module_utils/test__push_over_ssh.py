# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service is pushed to a real server on loopback."""

from __future__ import annotations

import asyncio
import os
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils import _push as push
from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Pushed
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair, contents_for
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import OTHER_TOKEN, TOKEN, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_node import files_below, serving, settings_for


def on_loopback(root: Path, token: bytes | None, **changes: t.Any) -> Pushed:
    """Push one service to a real server."""

    async def main() -> Pushed:
        async with serving(files_below(root)) as there:
            owner = service(uid=os.geteuid(), ccache=f"FILE:{root / 'none'}")
            pair = Pair(owner, there, contents_for(owner, there, token, present=token is not None))
            settings = PushSettings(settings_for(there), **changes)
            (done,) = await push.push_all([pair], Run.begin(Timeouts()), settings)
            return done

    return asyncio.run(main())


def test_push_all_over_a_real_connection_writes_renews_and_removes(tmp_path: Path) -> None:
    steps = [
        on_loopback(tmp_path, TOKEN, check_mode=True),
        on_loopback(tmp_path, OTHER_TOKEN),
        on_loopback(tmp_path, TOKEN),
        on_loopback(tmp_path, TOKEN),
    ]
    assert [item.outcome.status for item in steps] == ["changed", "changed", "changed", "ok"]
    # The role file has not changed with the token.
    assert [len(item.changes) for item in steps] == [3, 3, 2, 0]
    uid = os.geteuid()
    there = {path.name: path.read_bytes() for path in (tmp_path / "tmp").iterdir()}
    assert there == {
        f"vt_u{uid}": TOKEN,
        f"vt_u{uid}-dune_production": TOKEN,
        "default_role_dune_50100": b"production\n",
    }
    assert on_loopback(tmp_path, None).outcome.status == "changed"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_push_all_over_a_real_connection_a_link_is_refused_and_the_rest_delivered(tmp_path: Path) -> None:
    uid = os.geteuid()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / f"vt_u{uid}").symlink_to("/tmp/precious")
    done = on_loopback(tmp_path, TOKEN)
    assert (done.outcome.kind, done.outcome.message) == (
        "destination_symlink",
        f"dune_production on n1: /tmp/vt_u{uid} on n1 is a symbolic link; it is neither followed nor replaced.",
    )
    assert (tmp_path / "tmp" / f"vt_u{uid}-dune_production").read_bytes() == TOKEN
    assert not (tmp_path / "tmp" / "precious").exists()
