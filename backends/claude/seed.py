"""Makes an agent's own folder: a config directory that asks nothing at the start, settings, tools, memory."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.claude.private import Unreadable, cannot, private_folder, read_own, write_private
from backends.claude.prompt import as_prompt
from backends.claude.settings import mcp_config, settings

LINKED = ("commands", "agents", "skills")
"""Folders of the user's own ~/.claude that every agent has. Not the settings: they may run commands."""
_USER_MEMORY = "user.md"
_IDLE_AFTER_MS = 60_000
_MEMORY_LIMIT = 64 * 1024
_STATE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class Seed:
    """What an agent's folder is made of. `server`: the words that start its MCP server, none for no tools."""

    agent: str
    folder: Path
    worktree: Path
    home: Path
    socket: Path
    server: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planted:
    """Where the parts of an agent's folder are."""

    folder: Path

    @property
    def config(self) -> Path:
        """The session's CLAUDE_CONFIG_DIR."""
        return self.folder / "claude"

    @property
    def settings(self) -> Path:
        return self.folder / "settings.json"

    @property
    def servers(self) -> Path:
        return self.folder / "mcp.json"

    @property
    def prompts(self) -> Path:
        """Prompts that are too long for a command line."""
        return self.folder / "prompts"

    @property
    def spool(self) -> Path:
        """What hooks had to say while the slot's daemon was away."""
        return self.folder / "spool"


def plant(seed: Seed) -> Planted:
    """Make the folder, or bring it up to date, while the session does not run. Blocks. Raises HeroError."""
    planted = Planted(seed.folder)
    for folder in (planted.folder, planted.config, planted.prompts, planted.spool):
        private_folder(folder)
    said = settings(seed.agent, seed.socket, planted.spool, planted.prompts)
    _write(planted.settings, said)
    _write(planted.servers, mcp_config(seed.server))
    state = planted.config / ".claude.json"
    _write(state, _start_state(state, seed.worktree))
    own = seed.home / ".claude"
    for name in LINKED:
        _link(planted.config / name, own / name, is_there=(own / name).is_dir())
    has_memory = (own / "CLAUDE.md").is_file()
    _link(planted.config / _USER_MEMORY, own / "CLAUDE.md", is_there=has_memory)
    write_private(planted.config / "CLAUDE.md", _memory(seed.worktree, with_user=has_memory).encode())
    return planted


def _start_state(path: Path, worktree: Path) -> dict[str, Any]:
    """The program's own state as it is, without its questions at a start, and trusting this worktree only."""
    state: dict[str, Any] = {}
    with contextlib.suppress(FileNotFoundError, Unreadable, ValueError, RecursionError):
        found = json.loads(read_own(path, _STATE_LIMIT))
        state = found if isinstance(found, dict) else {}
    projects = state.get("projects")
    # The program knows its folder by the real path.
    place = os.path.realpath(worktree)
    known = projects.get(place) if isinstance(projects, dict) else None
    project = {**known, "hasTrustDialogAccepted": True} if isinstance(known, dict) else {}
    return {
        **state,
        "hasCompletedOnboarding": True,
        "messageIdleNotifThresholdMs": _IDLE_AFTER_MS,
        "projects": {place: project or {"hasTrustDialogAccepted": True}},
    }


def _memory(worktree: Path, *, with_user: bool) -> str:
    """The user's memory, and the repository's as text: the program itself leaves that out with its settings."""
    parts = [f"@./{_USER_MEMORY}"] if with_user else []
    for name in ("CLAUDE.md", ".claude/CLAUDE.md"):
        text = _text_within(worktree, name)
        if text.strip():
            # An `@path` of the repository's would take any file of the user's along, unasked.
            parts.append(f"# {name} of this repository\n\n{as_prompt(text, foreign=True)}")
    return "\n\n".join(parts) + "\n"


def _text_within(worktree: Path, name: str) -> str:
    """A text of the worktree; nothing where it leads out of it."""
    try:
        real = (worktree / name).resolve(strict=True)
        if not real.is_relative_to(worktree.resolve()):
            return ""
        return read_own(real, _MEMORY_LIMIT).decode("utf-8", "replace")
    except (OSError, RuntimeError, Unreadable):
        return ""


def _link(link: Path, target: Path, *, is_there: bool) -> None:
    """Have `link` lead to `target`, or be gone; a real folder that the program made there stays."""
    try:
        if link.is_symlink():
            link.unlink()
        if is_there and not link.exists():
            link.symlink_to(target)
    except OSError as error:
        raise cannot("link", link, error) from error


def _write(path: Path, value: dict[str, Any]) -> None:
    write_private(path, json.dumps(value, indent=1).encode())
