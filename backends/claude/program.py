"""Finds the `claude` program that a slot starts, and its version."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from backends import children
from backends.model.claude import ClaudeProgram
from backends.model.errors import HeroError

VERSION = "2.1.329"
"""The version that this release of the box was tried with; facts about it are in docs/claude.md."""

SETTING = "HERO_CLAUDE"
"""Names the program in a daemon's environment, where it is not to be searched."""

INSTALL = f"npm install -g @anthropic-ai/claude-code@{VERSION}"
_SECONDS = 20.0
_SAID = re.compile(rb"(\d{1,5}\.\d{1,5}\.\d{1,7}[\w.+-]{0,40})")
_known: dict[tuple[str, int, int], str] = {}


async def find_program(home: Path, environment: Mapping[str, str]) -> ClaudeProgram:
    """The program with its version; without one, `path` is empty and `hint` has the command that installs it.

    Never raises. The version is asked for once a file.
    """
    path = _locate(home, environment)
    if path is None:
        return ClaudeProgram(hint=f"Install Claude Code: `{INSTALL}`.")
    version = await _version(path, environment)
    if version is None:
        return ClaudeProgram(hint=f"{path} does not tell its version. Install it anew: `{INSTALL}`.")
    return ClaudeProgram(path=str(path), version=version)


def require(program: ClaudeProgram) -> Path:
    """Where the program is. Raises HeroError `not_found` with the command that installs it."""
    if not program.path:
        raise HeroError("not_found", "There is no working `claude` program here.", hint=program.hint)
    return Path(program.path)


def _locate(home: Path, environment: Mapping[str, str]) -> Path | None:
    """The one that is set (and then no other), on PATH, or where installers put it."""
    if named := environment.get(SETTING):
        return _executable(Path(named))
    on_path = shutil.which("claude", path=environment.get("PATH", os.defpath))
    if on_path and Path(on_path).is_absolute():
        return Path(on_path)
    places = (home / ".local" / "bin" / "claude", Path("/usr/local/bin/claude"))
    return next((found for place in places if (found := _executable(place))), None)


def _executable(path: Path) -> Path | None:
    return path if path.is_absolute() and path.is_file() and os.access(path, os.X_OK) else None


async def _version(path: Path, environment: Mapping[str, str]) -> str | None:
    try:
        found = path.stat()
    except OSError:
        return None
    key = (str(path), found.st_mtime_ns, found.st_ino)
    if key not in _known:
        match = _SAID.match(await _asked(path, environment))
        if match is None:
            return None
        _known[key] = match[1].decode("ascii")
    return _known[key]


async def _asked(path: Path, environment: Mapping[str, str]) -> bytes:
    """What `claude --version` prints; nothing where it cannot be started or does not end."""
    bare = {name: environment[name] for name in ("HOME", "PATH", "LANG") if name in environment}
    bare |= {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await children.start(
            [str(path), "--version"], cwd=Path("/"), env=bare, stdout=pipe, stderr=nowhere
        )
    except (OSError, ValueError):
        return b""
    try:
        async with asyncio.timeout(_SECONDS):
            told, _ = await process.communicate()
    except TimeoutError:
        return b""
    finally:
        children.end_group(process.pid, signal.SIGKILL)
    return told if process.returncode == 0 else b""
