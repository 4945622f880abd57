"""How a session ends: noticed from the kernel, told apart from a crash; or asked for, politely at first."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from dataclasses import replace
from pathlib import Path

from backends.claude.renewal import LOGIN_FOLDER, is_renewing
from backends.slot import processes
from backends.slot.agents import process
from backends.slot.agents.session import Session
from backends.slot.agents.situation import Ended
from backends.slot.agents.windows import Pane, Windows

log = logging.getLogger(__name__)

LEAVE_SECONDS = 4.0
"""Seconds for the program to leave by itself, and again after SIGTERM."""

RENEW_SECONDS = 10.0
"""Seconds that a session has to renew the user's login: ended amid that, all of them are logged out."""
_LOOK_SECONDS = 0.05

_MOVED_ON = (signal.SIGHUP, signal.SIGTERM)
"""What a machine sends that goes down: whoever ends so is brought back with it."""

_ALWAYS_SAID = ("Resume this session with", "claude --resume ", "Pane is dead")

_BY_HAND = ("prompt_input_exit", "logout")
"""Why the program ended, in its own words, where a person ended it in its window."""


async def ended(session: Session, windows: Windows) -> None:
    """The process of `session` is gone: leave nothing of it behind, and say how it ended."""
    window = session.agent.window
    pane = await _last_words(windows, window)
    server = pane is not None or await windows.answers()
    fact = verdict(pane, asked=not session.record.wanted, left=session.left, server=server)
    if session.record.has_key and session.situation.failure and fact.asked:
        fact = replace(fact, reason=session.situation.failure_text)
    if fact.crashed and pane is not None and pane.code and not number_of(pane):
        fact = replace(fact, reason=fact.reason + _quoted(await windows.screen(window, 0)))
    if pane is not None:
        await windows.close(window)
    # Before the end is known: who goes on with the session at once must not lose its new process.
    await asyncio.to_thread(process.end_marked, session.record.mark)
    swept = number_of(pane) in _MOVED_ON or (session.left == "other" and not (pane and pane.is_told))
    session.keep(wanted=session.record.wanted and swept, process=None)
    session.know(fact)


def _quoted(screen: str) -> str:
    """The program's last words, without those that it and tmux always say."""
    lines = [line for line in screen.splitlines() if not line.strip().startswith(_ALWAYS_SAID)]
    words = " ".join(" ".join(lines).split())[:300]
    return f". It said: {words}" if words else ""


def verdict(pane: Pane | None, *, asked: bool, left: str, server: bool) -> Ended:
    """What the end of a process was. `left`: the program's own word for its end; `server`: tmux answers still."""
    if asked:
        return Ended(asked=True)
    if pane is None:
        why = "its window was closed" if server else "its tmux server was ended"
        return Ended(reason=f"{why}; `hero_dev agent-resume` goes on with it")
    if number := number_of(pane):
        return Ended(crashed=True, reason=f"ended by {_name(number)}")
    if not pane.is_told and left not in _BY_HAND:
        return Ended(crashed=True, reason="ended by a signal")
    if pane.code:
        return Ended(crashed=True, reason=f"ended with exit {pane.code}")
    return Ended(asked=True, reason="left in its own window")


def number_of(pane: Pane | None) -> int:
    """The signal that ended the program, 0 for none; it tells of one by its exit code too."""
    if pane is None:
        return signal.SIGHUP
    # tmux misses the status of one end in ten or so.
    return pane.signal or (pane.code - 128 if pane.code and pane.code > 128 else 0)


async def end(session: Session, windows: Windows) -> None:
    """Have the session end: as a person would, then by SIGTERM, then by SIGKILL, with all that it started."""
    known = session.record.process
    if known is not None:
        await _renewed(session, known.pid)
    if session.situation.rests and await _asked_to_leave(windows, session.agent.window):
        await _gone(session, LEAVE_SECONDS)
    if known is not None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not session.alive:
                return
            process.signal_process(known, number)
            await _gone(session, LEAVE_SECONDS)
    elif session.agent.window:
        await windows.close(session.agent.window)


async def _renewed(session: Session, pid: int) -> None:
    """Return once the process does not renew the user's login (any more), or takes too long."""
    told = processes.environment_of(pid).get(LOGIN_FOLDER.encode(), b"")
    if not told:
        return
    folder = Path(os.fsdecode(told))
    for _ in range(int(RENEW_SECONDS / _LOOK_SECONDS)):
        if not session.alive or not await asyncio.to_thread(is_renewing, folder, pid):
            return
        await asyncio.sleep(_LOOK_SECONDS)
    log.warning("agent %s is ended while it renews the login: that takes too long", session.id)


async def _asked_to_leave(windows: Windows, window: str) -> bool:
    return bool(window) and await windows.key(window, "C-u") and await windows.type(window, "/exit")


async def _gone(session: Session, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await session.ended.wait()
    except TimeoutError:
        return


async def _last_words(windows: Windows, window: str) -> Pane | None:
    """How the window is once tmux has noticed the end, which may be a moment after us."""
    pane = None
    for _ in range(50):
        pane = await windows.pane(window) if window else None
        if pane is None or pane.is_told:
            return pane
        await asyncio.sleep(0.02)
    return pane


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
