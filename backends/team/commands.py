"""How root runs the machine's own programs: an argv, nothing of a caller's environment, an end to each."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Protocol

from backends import children
from backends.model.errors import HeroError
from backends.model.text import safe_line

SECONDS = 120.0
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class Run(Protocol):
    """Runs a program to its end; tests put their own in its place."""

    async def __call__(self, *argv: str, seconds: float = SECONDS, also: tuple[int, ...] = ()) -> str:
        """What it printed. Raises HeroError where it ends with another status than 0 or one of `also`."""
        ...


async def run(*argv: str, seconds: float = SECONDS, also: tuple[int, ...] = ()) -> str:
    """As `Run` says."""
    try:
        process = await children.start(
            argv,
            cwd=Path("/"),
            env=ENVIRONMENT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise HeroError(
            "failed", f"`{argv[0]}` cannot be started: {error.strerror}.", hint="Is it installed?"
        ) from error
    try:
        async with asyncio.timeout(seconds):
            out, _ = await process.communicate()
    except TimeoutError:
        raise HeroError("timeout", f"`{shown(argv)}` did not end within {seconds:g} s.") from None
    finally:
        if process.returncode is None:
            children.end_group(process.pid, signal.SIGKILL)
            await process.wait()
    text = out.decode("utf-8", "replace")
    if process.returncode not in (0, *also):
        lines = [line for line in text.splitlines() if line.strip()]
        why = safe_line(lines[-1], 300) if lines else f"exit code {process.returncode}"
        raise HeroError("failed", f"`{shown(argv)}` failed: {why}")
    return text


def shown(argv: tuple[str, ...]) -> str:
    """The command for a person."""
    return safe_line(" ".join(argv), 200)
