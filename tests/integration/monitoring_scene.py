# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the role monitoring on this machine, and a Prometheus of the test's own; no laboratory is needed."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import typing as t
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from laboratory import ROOT, VENV, Done

if t.TYPE_CHECKING:
    from collections.abc import Iterator

# Only a hang lasts so long, also on a busy machine.
WITHIN_S = 60.0
PREFIX = "managed_tokens_monitoring_"


@dataclass(frozen=True)
class Site:
    """A directory with the collection, and places for rules and dashboard."""

    directory: Path

    @classmethod
    def new(cls, directory: Path) -> Site:
        """Make one in an empty directory."""
        link = directory / "ansible_collections" / "fife" / "managed_tokens"
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT)
        for name in ("rules", "dashboards"):
            (directory / name).mkdir()
        (directory / "ansible.cfg").write_text(
            "[defaults]\nlocalhost_warning = false\n[connection]\npipelining = true\n"
        )
        return cls(directory)

    @property
    def rules(self) -> Path:
        return self.directory / "rules" / "managed_tokens.yml"

    @property
    def dashboard(self) -> Path:
        return self.directory / "dashboards" / "managed_tokens.json"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(self.directory / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.directory),
            "PYTHONPATH": str(self.directory),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def play(self, *arguments: str, times: int = 1, **settings: t.Any) -> Done:
        """Run the playbook with these settings (names without prefix), so many times one after the other."""
        given = {
            "rules_dir": str(self.rules.parent),
            "dashboards_dir": str(self.dashboard.parent),
            **settings,
        }
        values = json.dumps({f"{PREFIX}{name}": value for name, value in given.items()})
        argv = ["ansible-playbook", *["fife.managed_tokens.monitoring"] * times, "-e", values, *arguments]
        return self.run(*argv)

    def run(self, *argv: str) -> Done:
        """Run a program with the collection at hand."""
        done = subprocess.run(
            argv, cwd=self.directory, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout)

    def write_metrics(self) -> Path:
        """Give a file with the metrics after runs in which of each sort something went well and something failed."""
        path = self.directory / "metrics.prom"
        program = Path(__file__).with_name("metrics_of_trouble.py")
        done = self.run(sys.executable, str(program), str(self.directory / "state.db"), str(path))
        assert done.status == 0, done.output
        return path


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that reads a file of metrics each second, and rules from a site."""

    address: str

    def get(self, path: str, **query: str) -> t.Any:
        """Ask its interface, and give what stands under data."""
        answer = _straight().open(f"{self.address}{path}?{urllib.parse.urlencode(query)}", timeout=10)
        with contextlib.closing(answer):
            return json.load(answer)["data"]

    def query(self, question: str) -> list[tuple[dict[str, str], float]]:
        """Give labels and value of every series that answers."""
        found = self.get("/api/v1/query", query=question)
        assert found["resultType"] in ("vector", "scalar")
        return [(series["metric"], float(series["value"][1])) for series in found["result"]]

    def rules(self) -> list[dict[str, t.Any]]:
        """Give all rules, with what came of evaluating them."""
        return [rule for group in self.get("/api/v1/rules")["groups"] for rule in group["rules"]]


def wait_until(is_so: t.Callable[[], bool], what: str) -> None:
    """Return when it is so; fails with `what` when that takes too long."""
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {WITHIN_S:g} s: {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def prometheus(site: Site, metrics: Path) -> Iterator[Prometheus]:
    """Run a Prometheus that has read the metrics."""
    with _served(metrics) as target, (site.directory / "prometheus.log").open("w") as log:
        often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        source = {"job_name": "tokens", "honor_labels": True, "static_configs": [{"targets": [target]}]}
        # JSON is YAML.
        config = {"global": often, "rule_files": [f"{site.rules.parent}/*.yml"], "scrape_configs": [source]}
        (site.directory / "prometheus.yml").write_text(json.dumps(config))
        address = f"127.0.0.1:{_free_port()}"
        server = subprocess.Popen(
            ["prometheus", f"--config.file={site.directory}/prometheus.yml", "--web.enable-lifecycle",
             f"--storage.tsdb.path={site.directory}/data", f"--web.listen-address={address}"],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            found = Prometheus(f"http://{address}")
            wait_until(lambda: _has_read(found), "Prometheus has read the metrics; see prometheus.log")
            yield found
        finally:
            server.terminate()
            server.wait(timeout=WITHIN_S)


def _has_read(server: Prometheus) -> bool:
    try:
        return bool(server.query("managed_tokens_build_info"))
    except OSError:
        return False


@contextlib.contextmanager
def _served(metrics: Path) -> Iterator[str]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(metrics.read_bytes())

        def log_message(self, *_words: t.Any) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _free_port() -> int:
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        return int(there.getsockname()[1])


def _straight() -> urllib.request.OpenerDirector:
    # Straight to it, whatever the environment says of proxies.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
