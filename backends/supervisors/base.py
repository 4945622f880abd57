"""The port to whatever keeps a slot's processes running: what is asked of it, in which words."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from backends.model.errors import HeroError

Restart = Literal["always", "on-failure", "never"]
RunState = Literal["starting", "running", "stopping", "stopped", "backoff", "exited", "fatal", "unknown"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,99}")


class SupervisorLost(HeroError):
    """The supervising process has ended, or does not answer."""

    def __init__(self, message: str, *, hint: str = ""):
        super().__init__("unreachable", message, hint=hint)


def checked_name(name: str) -> str:
    """`name` if it can name a process; HeroError(usage) otherwise."""
    if _NAME.fullmatch(name):
        return name
    raise HeroError(
        "usage",
        f"{name[:100]!r} cannot name a process.",
        hint="A name has up to 100 letters, digits, `_`, `.`, `@`, `-`, and begins with a letter, digit or `_`.",
    )


@dataclass(frozen=True)
class JournalUnit:
    """A log that journald keeps: what the processes of one user unit wrote."""

    unit: str
    """The unit's whole name, `slot-web.service`."""


LogSource = Path | JournalUnit
"""Where output is read: a file with its rotations beside it, or the journal."""


@dataclass(frozen=True)
class ProcessSpec:
    """How one process is run. HeroError(usage) for what no system could run."""

    name: str
    argv: tuple[str, ...]
    """Program and arguments; a program without `/` is looked up on its PATH, a relative one from `cwd`."""
    cwd: Path
    env: Mapping[str, str]
    """Added to a minimal environment (PATH, HOME, LANG, USER, TMPDIR); nothing else is inherited."""
    log: Path
    """stdout and stderr go here, in the order in which they were written, unless `log_source` says journal."""
    restart: Restart = "on-failure"
    stop_timeout: float = 10.0
    """Seconds between SIGTERM and SIGKILL, both to the process and all that it has started."""
    memory_max: int | None = None
    """Bytes; kept only by a supervisor whose `limits_memory` is true."""
    log_max_bytes: int = 10 * 1024 * 1024
    """Size at which a log that is a file is rotated; 0 never rotates it."""
    log_backups: int = 3
    secret_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to `env`, and the process's alone: it stands in no file on a disk, no argument, no log, no event."""

    def __post_init__(self) -> None:
        checked_name(self.name)
        problem = _problem(self)
        if problem:
            raise HeroError("usage", f"The process `{self.name}` cannot be run: {problem}.")


def _problem(spec: ProcessSpec) -> str:
    if not spec.argv or not spec.argv[0]:
        return "it has no command"
    variables = {**spec.env, **spec.secret_env}
    texts = [*spec.argv, *variables, *variables.values(), str(spec.cwd), str(spec.log)]
    if any("\0" in text for text in texts):
        return "a NUL character stands in its command, environment or paths"
    for key in variables:
        if not key or "=" in key:
            return f"{key!r} cannot name an environment variable"
    if not spec.cwd.is_absolute() or not spec.log.is_absolute():
        return "its folder and its log need absolute paths"
    if spec.restart not in ("always", "on-failure", "never"):
        return f"{spec.restart!r} is no restart policy"
    if not (math.isfinite(spec.stop_timeout) and spec.stop_timeout >= 0):
        return f"{spec.stop_timeout} seconds cannot be waited"
    if spec.log_max_bytes < 0 or spec.log_backups < 0:
        return "the limits of its log are negative"
    return ""


@dataclass(frozen=True)
class ProcessState:
    """What one process does now."""

    name: str
    state: RunState
    """`backoff`: waits before it is started again; `exited`: ended by itself; `fatal`: given up, see `reason`;
    `unknown`: no longer supervised."""
    pid: int | None
    exit_code: int | None
    """How it last ended, kept through automatic restarts, cleared by a start that was asked for."""
    signal: int | None
    """The signal that last ended it, likewise."""
    reason: str
    """Why it is in this state, in plain words; empty when there is nothing to say."""
    since: datetime
    """When it entered this state (aware)."""
    restarts: int
    """Automatic restarts since the last start that was asked for."""


class Supervisor(Protocol):
    """Keeps processes running. Every name that is not known raises HeroError(not_found)."""

    @property
    def limits_memory(self) -> bool:
        """Whether `memory_max` is kept; if not, callers say so to the person who set it."""

    async def up(self) -> list[int]:
        """Start the supervising process or adopt the running one; there is never more than one.

        A new one first ends what an earlier one left running, and returns the pids of that. Whether it still
        knows the definitions of before is its own affair; callers apply what they start.
        """

    async def down(self) -> None:
        """Stop all processes cleanly, then the supervising process. Nothing to do if there is none."""

    async def apply(self, spec: ProcessSpec) -> None:
        """Register or replace a definition. A running process is not touched; its next start uses `spec`."""

    async def remove(self, name: str) -> None:
        """Stop the process and forget its definition."""

    async def start(self, name: str) -> None:
        """Start it unless it runs; returns when it is spawned. HeroError(failed) if it cannot be."""

    async def stop(self, name: str) -> None:
        """Stop it; returns when it is gone with all that it has started. Nothing to do if it does not run."""

    async def restart(self, name: str) -> None:
        """Stop it, then start it by the newest definition; returns when it is spawned."""

    async def states(self) -> dict[str, ProcessState]:
        """All processes, by name."""

    def watch(self) -> AsyncIterator[ProcessState]:
        """The state of every process, then each change as it happens; ends with SupervisorLost.

        A reader that was too slow gets the state of every process anew.
        """

    def log_source(self, name: str, file: Path) -> LogSource:
        """Where the output of the process `name` is read, known or not: `file`, which its definition names, or
        the journal."""

    async def unprovided(self) -> set[str]:
        """Processes that are meant to run and wait for their `secret_env`, which no disk keeps: apply and start
        them."""

    async def strays(self) -> list[int]:
        """Processes that an earlier supervising process started here and that nobody supervises now."""

    async def end_strays(self) -> list[int]:
        """End them (SIGTERM, then SIGKILL); returns their pids."""
