# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook on a terminal of its own in the background, and look at what it has shown so far."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
import time
import typing as t

from laboratory import LAB, Done, Laboratory

if t.TYPE_CHECKING:
    from types import TracebackType


class Terminal:
    """A command on a terminal inside the laboratory; what it shows is collected while it goes on."""

    def __init__(self, laboratory: Laboratory, *words: str) -> None:
        command = ["script", "-qfec", shlex.join(words), "/dev/null"]
        self._lab = laboratory
        self._program = subprocess.Popen(
            [str(LAB), "run", "--name", laboratory.name, "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TERM": "dumb", "NO_COLOR": "1"},
            start_new_session=True,
        )
        self._shown = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._program.kill()
        self._program.wait()

    def _read(self) -> None:
        assert self._program.stdout is not None
        while piece := self._program.stdout.read1():  # type: ignore[attr-defined]
            self._shown += piece

    @property
    def text(self) -> str:
        """What has been shown so far, with all white space folded."""
        return " ".join(self._shown.decode("utf-8", "replace").split())

    def wait_for(self, words: str, seconds: float = 60.0) -> str:
        """Return what is shown as soon as `words` are among it.

        Raises: AssertionError with what is shown instead.
        """
        end = time.monotonic() + seconds
        while words not in self.text:
            if time.monotonic() > end or (self._program.poll() is not None and not self._reader.is_alive()):
                raise AssertionError(f"{words!r} was not shown, but:\n{self._shown.decode('utf-8', 'replace')}")
            time.sleep(0.05)
        return self.text

    def press_ctrl_c(self) -> None:
        """Do what a person does who has had enough."""
        assert self._program.stdin is not None
        self._program.stdin.write(b"\x03")
        self._program.stdin.flush()

    def end(self, seconds: float = 120.0) -> Done:
        """Wait for its end, and give it."""
        status = self._program.wait(seconds)
        self._reader.join(10)
        return Done(status, self._shown.decode("utf-8", "replace"))
