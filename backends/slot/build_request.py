"""What to build, whether that can be begun at all, and how a build that failed is told to people."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.model.errors import HeroError
from backends.model.service import FILE_NAME, Build, ServiceDescription
from backends.model.text import safe_line
from backends.slot.build_log import BuildLog

_SHELL_KILLED = 128 + signal.SIGKILL
_KILLED = (-signal.SIGKILL, _SHELL_KILLED)
_LOOKED_AT = 40
_NO_MEMORY = re.compile(
    r"signal: 9, SIGKILL|Killed signal terminated program|fatal error: .*out of memory|Cannot allocate memory"
    r"|memory allocation of \d+ bytes failed|virtual memory exhausted|\bMemoryError\b|\bstd::bad_alloc\b"
    r"|LLVM ERROR: out of memory|JavaScript heap out of memory|(?:^|: )Killed\b",
    re.MULTILINE,
)
"""What compilers print, or who runs them, when memory was not enough."""

LAST_LINES = 5
"""Lines of output that the error of a failed build repeats."""


@dataclass(frozen=True)
class BuildRequest:
    """What to build. `id` is one plain file name; `dirty`: the worktree holds what `commit` (40 hex) has not.

    `again`: an attempt at this very build was cut off; what is left of it goes.
    """

    id: str
    service: str
    repo: str
    branch: str
    commit: str
    worktree: Path
    description: ServiceDescription
    dirty: bool = False
    again: bool = False


def check(request: BuildRequest, *, cancelled: bool) -> Build:
    """The `[build]` of the request. Raises HeroError for what cannot be begun at all."""
    if cancelled:
        raise HeroError("cancelled", f"The build of {request.service} was cancelled before it began.")
    if request.description.build is None:
        raise HeroError(
            "build_failed",
            f"{request.service} cannot be built: its {FILE_NAME} has no [build].",
            hint="Take a release of it: `--from release`.",
        )
    if not request.worktree.is_dir():
        raise HeroError(
            "not_found",
            f"{request.service} cannot be built: its worktree {safe_line(str(request.worktree))} is gone.",
            hint="`hero_dev sync` makes it again.",
        )
    return request.description.build


def header(request: BuildRequest) -> str:
    """The first lines of a build's log."""
    dirty = " (dirty)" if request.dirty else ""
    what = safe_line(f"{request.repo} {request.branch} {request.commit}{dirty}")
    command = request.description.build.command if request.description.build else ""
    return f"== {request.service} · {what} · {_now()} ==\n$ {command}\n"


def footer(status: int | None) -> str:
    """The last line of a build's log: how the command ended (None: by us, or it never ran), and when."""
    return f"\n== {'ended by Hero' if status is None else _how(status)} · {_now()} ==\n"


def failed(request: BuildRequest, log: BuildLog, status: int | None, *, cancelled: bool) -> HeroError:
    """The error for a command that ended with `status`, or (None) was ended by us."""
    data = {"log": str(log.path), "exit_code": status, "last_lines": log.last_lines(LAST_LINES)}
    if cancelled:
        return HeroError("cancelled", f"The build of {request.service} was cancelled.", data=data)
    if status is None:
        limit = request.description.build.timeout if request.description.build else 0
        return HeroError(
            "timeout",
            f"The build of {request.service} took longer than {limit:g} seconds and was ended.{_said(log)}",
            hint=f"Its log is {log.path}; `timeout` under [build] in {FILE_NAME} gives it more time.",
            data=data,
        )
    if status in _KILLED or _NO_MEMORY.search("\n".join(log.last_lines(_LOOKED_AT))):
        return _killed(request, log, status, data)
    message = f"The build of {request.service} failed: {_how(status)}.{_said(log)}"
    return HeroError("build_failed", message, hint=_where(log), data=data)


def _killed(request: BuildRequest, log: BuildLog, status: int, data: dict[str, Any]) -> HeroError:
    """The error for a build that had not enough memory, as far as one can tell."""
    how = f"was killed ({_how(status)})" if status in _KILLED else f"failed ({_how(status)})"
    return HeroError(
        "build_failed",
        f"The build of {request.service} {how}; probably the machine ran out of memory.{_said(log)}",
        hint=f"Let it do less at once (`env` under [build] in {FILE_NAME}: CARGO_BUILD_JOBS, MAKEFLAGS), or give "
        f"the machine memory or swap. {_where(log)}",
        data=data,
    )


def not_packed(error: HeroError, log: BuildLog) -> HeroError:
    """`error` of collecting the artifacts, with what the build said, which may tell why one is missing."""
    if error.code != "build_failed":
        return error
    data = {**error.data, "log": str(log.path), "exit_code": 0, "last_lines": log.last_lines(LAST_LINES)}
    hint = f"{error.hint} {_where(log)}"
    return HeroError(error.code, f"{error.message}{_said(log)}", hint=hint, data=data)


def _how(status: int) -> str:
    """In words; what a shell tells by 128 and more is a signal too."""
    if status == _SHELL_KILLED:
        return "signal 9"
    return f"exit {status}" if status >= 0 else f"signal {-status}"


def _said(log: BuildLog) -> str:
    return "".join(f"\n  {line}" for line in log.last_lines(LAST_LINES))


def _where(log: BuildLog) -> str:
    if log.failure:
        return f"The log {log.path} is not whole: {log.failure.strerror}."
    return f"The whole log is {log.path}."


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
