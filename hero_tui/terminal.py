"""Hands the terminal to another program: a window of its own inside tmux, else the cockpit steps aside."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from backends.model.errors import HeroError


def editor_argv(path: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The command that edits `path`: $VISUAL, $EDITOR, else the first that is installed. Raises HeroError."""
    wanted = environment.get("VISUAL") or environment.get("EDITOR") or ""
    if wanted:
        return [*shlex.split(wanted), str(path)]
    for name in ("editor", "nano", "vim", "vi"):
        if shutil.which(name):
            return [name, str(path)]
    raise HeroError("not_found", "No editor is known.", hint="Set EDITOR, for example `export EDITOR=nano`.")


def shell_argv(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The person's shell."""
    return [environment.get("SHELL") or "/bin/sh"]


async def hand_over(app: App[Any], argv: Sequence[str], folder: Path, name: str) -> None:
    """Run `argv` in `folder`, in front of the person. Raises HeroError if it cannot be started."""
    if os.environ.get("TMUX"):
        await _in_tmux(argv, folder, name)
        return
    try:
        # Nothing may be drawn while the terminal is lent: the writer has stopped and its queue would fill up.
        with app.suspend(), app.batch_update():
            await in_front(argv, folder)
    except (SuspendNotSupported, OSError) as error:
        raise HeroError("failed", f"{argv[0]} could not be started: {error}.") from error
    finally:
        app.refresh(layout=True)


async def _run(argv: Sequence[str], folder: Path) -> int:
    process = await asyncio.create_subprocess_exec(*argv, cwd=folder)
    return await process.wait()


in_front: Callable[[Sequence[str], Path], Awaitable[int]] = _run
"""Runs a program that the person is to see; a resident cockpit has it run by the process that has the terminal."""


async def _in_tmux(argv: Sequence[str], folder: Path, name: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "tmux",
        "new-window",
        "-n",
        name,
        "-c",
        str(folder),
        "--",
        *argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _, told = await process.communicate()
    if process.returncode:
        raise HeroError("failed", f"tmux opened no window: {told.decode(errors='replace').strip()}")


async def copy_in_tmux(text: str) -> None:
    """Give the text to tmux too: it reaches the clipboard outside where a program's own OSC 52 does not."""
    if not os.environ.get("TMUX"):
        return
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux",
            "load-buffer",
            "-w",
            "-",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await process.communicate(text.encode())
    except OSError:
        return
