"""One git process from start to end: no prompt, no hook, no shell, ended as a group, its complaints harmless."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

from backends import children
from backends.forge.git_errors import GitError, explain
from backends.model.text import safe_line, safe_text

STOP_GRACE = 5.0
"""Seconds that git gets after SIGTERM to remove its lock files."""

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")

# Settings by which a repository that somebody else wrote could make our git run a program.
_SAFE_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "log.showSignature=false",
    "protocol.ext.allow=never",
    "core.quotePath=false",
    "color.ui=false",
    "advice.detachedHead=false",
)
# Of git's own variables only these are a person's wish; the rest (GIT_DIR, GIT_INDEX_FILE, …)
# would send our commands into whatever repository started us.
_KEPT_VARIABLES = re.compile(r"GIT_(?:AUTHOR_|COMMITTER_|SSH|SSL_|PROXY_|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM)\Z)")


async def run_git(
    args: tuple[str, ...],
    *,
    cwd: Path | None = None,
    git_dir: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = 60,
) -> tuple[int, bytes, bytes]:
    """As `git`, with the exit status, standard output and standard error as they came."""
    place = git_dir or cwd
    argv = ["git", "--no-pager"]
    argv += [part for setting in _SAFE_CONFIG for part in ("-c", setting)]
    argv += [f"--git-dir={git_dir}"] if git_dir else []
    try:
        process = await children.start(
            [*argv, *args],
            cwd=cwd,
            env=_environment(cwd, env),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except (OSError, ValueError) as error:
        raise _not_started(args, place, error) from error
    try:
        async with asyncio.timeout(timeout):
            out, err = await process.communicate()
    except TimeoutError:
        await _stop(process)
        raise GitError(
            "timeout",
            f"`git {safe_line(args[0])}` did not end within {timeout:g} seconds{_in(place)}.",
            hint="Is the disk or the network slow? Try again.",
        ) from None
    except asyncio.CancelledError:
        await _stop(process)
        raise
    return process.returncode or 0, out, err


def shown_stderr(err: bytes) -> str:
    """What git complained, without terminal escapes and without passwords in addresses."""
    return _CREDENTIALS.sub("***@", safe_text(err.decode(errors="replace"))).strip()


def _environment(cwd: Path | None, extra: Mapping[str, str] | None) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or _KEPT_VARIABLES.match(k)}
    env |= {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }
    if cwd:
        env["GIT_CEILING_DIRECTORIES"] = str(Path(cwd).resolve().parent)
    return env | dict(extra or {})


def _not_started(args: tuple[str, ...], place: Path | None, error: OSError | ValueError) -> GitError:
    if isinstance(error, ValueError):
        return GitError(
            "usage",
            f"`git {safe_line(args[0])}` cannot take a name with a NUL or undecodable character.",
            hint="Check the name.",
        )
    if place and not place.is_dir():
        return explain(args, place, "not a git repository")
    if isinstance(error, FileNotFoundError):
        return GitError("failed", "There is no `git` on PATH.", hint="Install git 2.34 or newer.")
    return GitError("failed", f"Cannot run git{_in(place)}: {error.strerror}.", hint="Check the machine's limits.")


def _in(place: Path | None) -> str:
    return f" in {safe_line(str(place))}" if place else ""


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End git and all that it started: politely, so that it removes its locks, then for certain."""
    try:
        children.end_group(process.pid, signal.SIGTERM)
        await _ended(process)
    finally:
        children.end_group(process.pid, signal.SIGKILL)
    await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    # Not for ever: asyncio waits for the pipes too, which a daemon that git left behind may hold.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_GRACE)
