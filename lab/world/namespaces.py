# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a private world out of Linux namespaces, and find one's way into it.

Everything a laboratory does to /etc, /tmp, users, addresses and processes happens inside; when the first process of
its PID namespace ends, for whatever reason, the kernel ends all the others and the mounts go with them.
"""

from __future__ import annotations

import ctypes
import difflib
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x20000000,
    0x40000000,
)
_libc = ctypes.CDLL(None, use_errno=True)


class WorldError(Exception):
    """Something a user can act on, in one sentence."""


def unshare(flags: int) -> None:
    """Leave namespaces of the kinds in `flags`.

    Raises: WorldError when the kernel does not let us.
    """
    if _libc.unshare(flags):
        code = ctypes.get_errno()
        raise WorldError(
            f"The kernel gives no namespaces ({os.strerror(code)}); "
            "a laboratory needs root and an ordinary Linux kernel."
        )


def nearest(word: str, known: t.Collection[str]) -> str:
    """Give the end of a sentence about an unknown word: the known one that is meant probably, or all of them."""
    near = difflib.get_close_matches(word, known, n=1)
    return (
        f"; did you mean {near[0]!r}?"
        if near
        else f": {', '.join(list(known)[:20])}{' ...' if len(known) > 20 else '.'}"
    )


def quietly(*argv: str, env: dict[str, str] | None = None, text: str | None = None) -> str:
    """Run a program and give what it printed.

    Raises: WorldError with its last words.
    """
    done = subprocess.run(argv, env=env, input=text, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise WorldError(f"{argv[0]} failed: {words[-1] if words else f'exit status {done.returncode}'}")
    return done.stdout


def mount(source: str, target: Path | str, kind: str = "", options: str = "") -> None:
    """Mount a file system, or bind a directory or file when no kind is given."""
    how = ["-t", kind] if kind else ["--bind"]
    quietly("mount", *how, *(["-o", options] if options else []), source, str(target))


def furnish(checkout: Path, cache: Path) -> None:
    """Cover what the laboratory must not touch with private copies, inside fresh namespaces.

    `checkout` appears at /srv/ansible/ansible_collections/fife/managed_tokens, wherever it is; `cache` stays where it
    is.
    """
    # Held open, because one of the mounts below may cover the way to them.
    held = {path: os.open(path, os.O_PATH | os.O_DIRECTORY) for path in (checkout, cache)}
    quietly("mount", "--make-rprivate", "/")
    mount("proc", "/proc", "proc")
    mount("tmpfs", "/srv", "tmpfs", "mode=0755")
    etc = Path("/srv/.etc")
    shutil.copytree("/etc", etc, symlinks=True, copy_function=_copy_readable)
    mount(str(etc), "/etc")
    for covered, mode in (("/tmp", "1777"), ("/var/tmp", "1777"), ("/run", "0755"), ("/home", "0755")):
        mount("tmpfs", covered, "tmpfs", f"mode={mode}")
    target = Path("/srv/ansible/ansible_collections/fife/managed_tokens")
    target.mkdir(parents=True)
    _bind_held(held[checkout], target)
    quietly("mount", "-o", "remount,bind,ro", str(target))
    if not (cache / "venv").exists():
        cache.mkdir(parents=True)
        _bind_held(held[cache], cache)
    for handle in held.values():
        os.close(handle)
    for directory in ("/run/sshd", "/run/user", "/srv/lab"):
        Path(directory).mkdir()


def _bind_held(handle: int, target: Path) -> None:
    # -c: the way that the handle was opened by is covered by now, and must not be looked up again.
    quietly("mount", "-c", "--bind", f"/proc/{os.getpid()}/fd/{handle}", str(target))


def _copy_readable(source: str, target: str) -> None:
    try:
        shutil.copy2(source, target, follow_symlinks=False)
    except OSError as err:
        raise WorldError(f"Cannot copy {source} into the laboratory: {err.strerror}.") from err


def set_hostname(name: str) -> None:
    encoded = name.encode()
    if _libc.sethostname(encoded, len(encoded)):
        raise WorldError(f"The kernel does not take the host name {name}.")


def enter_argv(pid: int, *, node: bool = False) -> list[str]:
    """Give the words that run what follows in the world of `pid`, or in a node of it (its mounts and host name)."""
    kinds = ["--mount", "--uts"] if node else ["--mount", "--net", "--pid", "--uts", "--ipc"]
    return ["nsenter", "--target", str(pid), *kinds, "--"]
