"""`--loop`: run, look whether it is done, run again; how often, and how each run went, is in the record."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from backends import children
from backends.model.agents import Iteration
from backends.slot.agents.lines import Entry, last_line
from backends.slot.agents.record import Loop
from backends.slot.agents.session import Session, now

DONE_LINE = "LOOP: done"
"""The last line of an answer by which a session without `until` says that it is done."""

CHECK_SECONDS = 1800.0
_OUTPUT = 4000


class Verdict(NamedTuple):
    """What the stop condition says, and in which words."""

    done: bool
    detail: str = ""


def instructions(loop: Loop | None) -> str:
    """What a looping session is told besides its prompt."""
    if loop is None:
        return ""
    if loop.until:
        how = "After each run a check is made by the person's own command; its success ends the loop."
    else:
        how = f"When nothing is left to be done, end your answer with a line that says exactly: {DONE_LINE}"
    return f"You work in a loop: the same task is given to you up to {loop.limit} times. {how}"


def begin(session: Session) -> str:
    """Begin the next iteration; the prompt for it."""
    loop = session.record.loop
    assert loop is not None
    number = len(session.agent.iterations) + 1
    fresh = Iteration(number=number, started_at=now())
    session.change(iterations=(*session.agent.iterations, fresh))
    session.write(Entry("iteration", f"{number} of {loop.limit}"))
    return loop.prompt if number == 1 else f"Run {number} of {loop.limit} of your task:\n\n{loop.prompt}"


def end(session: Session, outcome: str, detail: str = "") -> None:
    """End the running iteration, and with any outcome but `again` the loop."""
    done = session.agent.iterations
    if done and done[-1].outcome == "running":
        fields = {"outcome": outcome, "detail": detail, "ended_at": now()}
        session.change(iterations=(*done[:-1], done[-1].model_copy(update=fields)))
        session.write(Entry("iteration", f"{done[-1].number}: {outcome}{f' ({detail})' if detail else ''}"))
    loop = session.record.loop
    if loop is not None and loop.going and outcome != "again":
        session.keep(loop=loop.model_copy(update={"going": False}))


def again(session: Session) -> str:
    """The prompt by which a loop goes on that was cut off in the middle of a run; empty where it may not."""
    last = is_last(session)
    end(session, "failed" if last else "again", "cut off")
    return "" if last else begin(session)


def is_going(session: Session) -> bool:
    return session.record.loop is not None and session.record.loop.going


def is_last(session: Session) -> bool:
    """Whether as many runs were made as may be."""
    loop = session.record.loop
    return loop is None or len(session.agent.iterations) >= loop.limit


async def judge(session: Session, answer: str) -> Verdict:
    """Whether the loop is done, after an `answer`. Cancelled, the command is ended with all that it started."""
    loop = session.record.loop
    assert loop is not None
    if not loop.until:
        return Verdict(last_line(answer).strip("*`_ .") == DONE_LINE)
    # The command is the owner's own, given to `--until` as one line for the shell, as in a git hook.
    return await _run(["/bin/sh", "-c", loop.until], Path(session.agent.worktree))


async def _run(argv: Sequence[str], cwd: Path) -> Verdict:
    pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    try:
        process = await children.start(argv, cwd=cwd, env=dict(os.environ), stdout=pipe, stderr=both)
    except (OSError, ValueError) as error:
        return Verdict(False, f"it cannot be run: {error}")
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError:
        return Verdict(False, f"it took longer than {CHECK_SECONDS:g} s")
    finally:
        children.end_group(process.pid, signal.SIGKILL)
        await process.wait()
    if process.returncode == 0:
        return Verdict(True)
    return Verdict(False, last_line(said[-_OUTPUT:].decode("utf-8", "replace")) or f"exit {process.returncode}")
