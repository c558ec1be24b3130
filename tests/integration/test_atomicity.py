# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a destination as fast as possible while it is replaced over and over: only whole tokens, never open to
others."""

from __future__ import annotations

import json

from laboratory import VENV, Laboratory

PUSHES = 200

# Runs inside as the service account: the engine's own push, with two tokens taking turns.
PUSHER = """
import asyncio, json, sys
from pathlib import Path
sys.path.insert(0, "/srv/ansible")
from ansible_collections.fife.managed_tokens.plugins.module_utils import _push as push
from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import take_ticket
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair, contents_for
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import SshSettings, read_known_hosts
plain, node, times = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
cache = Path("/home/mtokens/ccache")
take_ticket(plain["principal"], Path(plain["keytab"]), cache)
service = Service(plain["name"], plain["name"], plain["experiment"], plain["role"], plain["account"], plain["uid"],
                  plain["principal"], plain["keytab"], ccache=f"FILE:{cache}", nodes=(Node(node, node),))
settings = PushSettings(SshSettings(read_known_hosts(["/srv/lab/known_hosts"])))
tokens = [b"hvs." + letter * 91 + b"\\n" for letter in (b"A", b"B")]
async def main():
    good = 0
    for number in range(times):
        contents = contents_for(service, service.nodes[0], tokens[number % 2], present=True)
        pairs = [Pair(service, service.nodes[0], contents)]
        pushed = await push.push_all(pairs, Run.begin(Timeouts()), settings)
        assert pushed[0].outcome.status == "changed", pushed[0].outcome
        good += 1
    print("pushed", good)
asyncio.run(main())
cache.unlink()
"""

READER = """
import collections, json, os, stat, sys
paths, end = sys.argv[1:-1], sys.argv[-1]
seen, modes, reads = collections.Counter(), set(), 0
while not os.path.exists(end):
    for path in paths:
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            seen["(absent)"] += 1
            continue
        seen[os.read(handle, 4096).decode()] += 1
        os.close(handle)
        reads += 1
    for entry in os.scandir("/tmp"):
        if "vt_" in entry.name:
            try:
                modes.add(stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode))
            except FileNotFoundError:
                pass
print(json.dumps({"seen": seen, "modes": sorted(modes), "reads": reads}))
"""


def test_a_reader_sees_whole_tokens_only(light: Laboratory) -> None:
    light.lab("heal")
    assert light.push().status == 0
    service = light.services[0]
    node = light.nodes_of(service)[0]
    paths = [f"/tmp/vt_u{service['uid']}", f"/tmp/vt_u{service['uid']}-{service['name']}"]
    before = light.files(node)
    for name, program in (("pusher", PUSHER), ("reader", READER)):
        light.run("/usr/bin/python3", "-c", f"open('/home/mtokens/{name}.py', 'w').write({program!r})")
    reading = f"/usr/bin/python3 /home/mtokens/reader.py {' '.join(paths)} /tmp/end > /tmp/seen 2> /dev/null &"
    light.node(node, "sh", "-c", reading)
    python = f"{VENV}/bin/python"
    done = light.run(python, "/home/mtokens/pusher.py", json.dumps(service), node, str(PUSHES))
    light.node(node, "touch", "/tmp/end")
    light.node(node, "sh", "-c", "for i in $(seq 100); do [ -s /tmp/seen ] && break; sleep 0.1; done")
    report = json.loads(light.node(node, "cat", "/tmp/seen").output)
    light.node(node, "rm", "/tmp/seen", "/tmp/end")
    assert f"pushed {PUSHES}" in done.output
    allowed = {before[paths[0]][2], "hvs." + "A" * 91 + "\n", "hvs." + "B" * 91 + "\n"}
    assert report["reads"] > PUSHES
    assert set(report["seen"]) <= allowed, "a reader saw something that is no whole token"
    assert len(report["seen"]) == 3, "the reader was not fast enough to see the tokens take turns"
    assert set(report["modes"]) <= {0o400, 0o600}
    assert light.push().status == 0
    assert light.files(node) == before
