"""Asking the machine without waiting for ever: programs that are ended, blocking calls that are left behind."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from backends import children

T = TypeVar("T")

SECONDS = 1.8
"""What a program gets; less than a check, so that the check can say what did not answer."""
_OUTPUT_LIMIT = 1 << 20
_NOT_THERE = 127


@dataclass(frozen=True)
class Answer:
    """How a program ended: its exit status, standard output and standard error; 127: there is no such program."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def missing(self) -> bool:
        return self.code == _NOT_THERE

    @property
    def complaint(self) -> str:
        """The last thing that it said on standard error."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        return lines[-1] if lines else f"exit status {self.code}"


async def ask(*argv: str, env: Mapping[str, str], cwd: Path | None = None, seconds: float = SECONDS) -> Answer:
    """Run a program to its end. Raises TimeoutError, and it is ended then."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await children.start(argv, cwd=cwd, env={**env, "LC_ALL": "C.UTF-8"}, stdout=pipe, stderr=pipe)
    except FileNotFoundError:
        return Answer(_NOT_THERE, err=f"there is no {argv[0]} on PATH")
    except OSError as error:
        return Answer(126, err=f"{argv[0]} cannot be started: {error.strerror}")
    try:
        async with asyncio.timeout(seconds):
            out, said = await process.communicate()
    except TimeoutError:
        raise TimeoutError(f"`{' '.join(argv[:3])}` did not answer within {seconds:g} s") from None
    finally:
        if process.returncode is None:
            children.end_group(process.pid, signal.SIGKILL)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 1)
    return Answer(process.returncode or 0, _text(out), _text(said))


async def in_thread(work: Callable[[], T]) -> T:
    """The result of a call that may block for ever: given up, it is left to a thread that no exit waits for."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = (work(), None)
        except Exception as error:
            outcome = (None, error)
        with contextlib.suppress(RuntimeError):  # the loop may have closed meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True, name="doctor").start()
    return await result


def _text(output: bytes | None) -> str:
    return (output or b"")[:_OUTPUT_LIMIT].decode("utf-8", "replace")
