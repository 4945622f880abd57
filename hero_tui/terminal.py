"""Hands the terminal to another program: a window of its own inside tmux, else the cockpit steps aside."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from backends.model.errors import HeroError
from backends.model.text import safe_line

_NAME = 40
"""Characters of a window's name."""


def editor_argv(path: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The command that edits `path`: $VISUAL, $EDITOR, else the first that is installed. Raises HeroError."""
    name = "VISUAL" if environment.get("VISUAL", "").strip() else "EDITOR"
    try:
        wanted = shlex.split(environment.get(name, ""))
    except ValueError:
        raise HeroError(
            "usage", f"{name} is no command: a quote is not closed.", hint=f"Look at ${name}."
        ) from None
    if wanted:
        return [*wanted, str(path)]
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
    # Ctrl-c at this terminal comes to both, and is the program's alone. SIG_IGN the program would inherit.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        process = await asyncio.create_subprocess_exec(*argv, cwd=folder)
        return await process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


in_front: Callable[[Sequence[str], Path], Awaitable[int]] = _run
"""Runs a program that the person is to see; a resident cockpit has it run by the process that has the terminal."""


async def _in_tmux(argv: Sequence[str], folder: Path, name: str) -> None:
    window, place = tmux_literal(safe_line(name, _NAME)), tmux_literal(str(folder))
    words = ["new-window", "-n", window, "-c", place, "--", *argv]
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux", *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise HeroError("failed", f"tmux could not be started: {error.strerror}.") from error
    _, told = await process.communicate()
    if process.returncode:
        raise HeroError("failed", f"tmux opened no window: {safe_line(told.decode(errors='replace').strip())}")


def tmux_literal(text: str) -> str:
    """As tmux takes it for what it is: it would run what stands in `#(…)`."""
    return text.replace("#", "##")


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
        await process.communicate(text.encode(errors="replace"))
    except OSError:
        return
