"""The host that the machines run on: its programs and processes, and where the lab keeps things on it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MARK = "HERO_LAB"
"""The variable by which a process of a lab is known, even if whoever started it died before it could say so."""

_STEP = 0.02


class LabError(Exception):
    """The lab cannot do what was asked of it; the message is for people."""


def root() -> Path:
    """The folder of all that the lab keeps: images, downloads, and the disks of machines."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "hero-team-box" / "lab"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # images hold setuid programs
    return folder


@contextmanager
def turn(name: str) -> Iterator[None]:
    """One process at a time, of all that use this lab's folder, is inside `turn(name)`."""
    with (root() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*argv: str | Path, text: str = "") -> str:
    """What a program said; raises LabError with it if the program failed."""
    words = [str(word) for word in argv]
    done = subprocess.run(
        words, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise LabError(f"`{' '.join(words)}` failed ({done.returncode}):\n{without_hosts(done.stdout)[-3000:]}")
    return done.stdout


def works(*argv: str | Path) -> bool:
    """Whether a program succeeds; for questions, and to take away what may be gone already."""
    words = [str(word) for word in argv]
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def without_hosts(text: str) -> str:
    """`text` without the hosts of its URLs: logs of a lab name no registry, and no password in front of one."""
    return re.sub(r"(\b[a-z]+://)[^/\s'\"]+", r"\1HOST", text)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Written whole or not at all."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(value, indent=1) + "\n")
    beside.rename(path)


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote; empty where nothing was."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found


def remove(folder: Path) -> None:
    """A folder with all that is in it; one that is gone already is fine."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def boot_id() -> str:
    """What is different after each boot of the host."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True)
class Process:
    """A process that no later one with the same pid is taken for; `started` is in ticks since boot `boot`."""

    pid: int
    started: int
    boot: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def process(pid: int) -> Process | None:
    """The living process `pid`."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else Process(pid, int(fields[18]), boot_id())


def this_process() -> Process:
    """The one that asks."""
    found = process(os.getpid())
    assert found
    return found


def alive(one: Process | None) -> bool:
    """Whether it, and not another one with its pid, still runs."""
    return one is not None and process(one.pid) == one


def end(one: Process | None, with_signal: int = signal.SIGKILL, patience: float = 10.0) -> bool:
    """Signal it and wait until it is gone; False if it is still there after `patience` seconds."""
    if one is None or not alive(one):
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(one.pid, with_signal)
    return gone(one, patience)


def gone(one: Process, patience: float) -> bool:
    """Wait up to `patience` seconds for its end; whether it came."""
    return becomes(lambda: not alive(one), patience)


def becomes(condition: Callable[[], object], patience: float) -> bool:
    """Wait up to `patience` seconds for `condition`; whether it came."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_STEP)
    return True


def marked(folder: Path) -> list[Process]:
    """All processes that were started with the mark of the lab in `folder`."""
    wanted = f"{MARK}={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(process(int(entry.name)))
    return [one for one in found if one]


Started = subprocess.Popen[bytes]


def start(
    argv: Sequence[str], folder: Path, log: Path, variables: Mapping[str, str], *, keep: Sequence[int] = ()
) -> Started:
    """A background process with the mark of `folder`: no terminal, no input, nothing of our environment."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", MARK: str(folder), **variables}
    with log.open("w") as output:
        return subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=keep,
        )
