"""Opens a log outside the cockpit: in the person's pager or editor."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.app import App

from backends.model.errors import HeroError
from backends.model.text import safe_line
from hero_tui import terminal


def pager_argv(path: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The command that shows `path` by pages: $PAGER, else the first that is installed. Raises HeroError."""
    wanted = shlex.split(environment.get("PAGER", ""))
    if wanted and wanted[0] != "cat":  # which shows no pages, and would be gone at once
        return [*wanted, str(path)]
    for name in ("less", "more"):
        if shutil.which(name):
            return [name, str(path)]
    raise HeroError("not_found", "No pager is known.", hint="Set PAGER, for example `export PAGER=less`.")


def tool_argv(path: Path, tool: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The command of `pager` or `editor`. Raises HeroError, also for a setting that is no command."""
    make = pager_argv if tool == "pager" else terminal.editor_argv
    try:
        return make(path, environment)
    except ValueError:
        name = "PAGER" if tool == "pager" else "EDITOR"
        raise HeroError(
            "usage", f"{name} is no command: a quote is not closed.", hint=f"Look at ${name}."
        ) from None


async def open_file(app: App[Any], path: Path, tool: str) -> None:
    """Show `path` to the person: inside tmux in a window, else the cockpit steps aside. Raises HeroError."""
    argv = tool_argv(path, tool)
    if shutil.which(argv[0]) is None:  # tmux would open a window for it that is gone before it is seen
        hint = f"Look at ${'PAGER' if tool == 'pager' else 'VISUAL and $EDITOR'}."
        raise HeroError("not_found", f"{safe_line(argv[0], 60)} is not installed.", hint=hint)
    await terminal.hand_over(app, argv, path.parent, path.name)
