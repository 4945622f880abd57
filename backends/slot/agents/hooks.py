"""What the hooks of a session say: into its log and its state, and what each of them is to print."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Mapping
from typing import Any

from backends.model.agents import Waiting
from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.rpc.connection import Connection
from backends.slot.agents import failing, loop, speaking, unheard
from backends.slot.agents.dialogs import waiting_of
from backends.slot.agents.lines import Entry, bounded, entry_of, last_line, text_of
from backends.slot.agents.ports import BoxSide
from backends.slot.agents.record import Queued
from backends.slot.agents.session import Session, now
from backends.slot.agents.situation import (
    Checking,
    DialogClosed,
    DialogOpened,
    Prompted,
    TurnEnded,
    TurnFailed,
)

log = logging.getLogger(__name__)

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

STATUS_LINE = "StatusLine"
"""The event under which the status line's data is told."""


async def heard(session: Session, event: str, payload: Mapping[str, Any], caller: Connection, box: BoxSide) -> str:
    """Take in what a hook of `session` says over the connection `caller`; what it is to print."""
    if not session.alive:
        return ""
    _note(session, event, payload)
    if event == "PermissionRequest":
        return await _dialog(session, payload, caller, box)
    if event == "Stop":
        await _stop(session, payload, caller)
    return ""


def replayed(session: Session, event: str, payload: Mapping[str, Any]) -> None:
    """Take in what a hook said while nobody listened."""
    _note(session, event, payload)
    if event != "Stop":
        return
    session.know(TurnEnded())
    if loop.is_going(session):
        session.spawn(_go_on_late(session, text_of(payload.get("last_assistant_message"))), "loop")


def _note(session: Session, event: str, payload: Mapping[str, Any]) -> None:
    """What every event means, whether anybody waits for an answer or not."""
    if event == STATUS_LINE:
        _count(session, payload)
        return
    if (entry := entry_of(event, payload)) is not None and (entry.text or entry.kind != "answer"):
        session.write(entry)
    match event:
        case "SessionStart":
            model = safe_line(text_of(payload.get("model")), 100)
            session.change(session=_conversation(session, payload), model=model or session.agent.model)
            if payload.get("source") == "clear":
                unheard.heard(session)
        case "UserPromptSubmit":
            speaking.arrived(session)
            session.keep(begun=True)
            unheard.named(session, safe_line(text_of(payload.get("prompt_id")), 100))
            session.know(Prompted())
            session.change(turns=session.agent.turns + 1)
        case "Stop":
            session.change(last_line=last_line(text_of(payload.get("last_assistant_message"))))
            unheard.heard(session)
        case "SessionEnd":
            session.left = text_of(payload.get("reason"))
        case "StopFailure":
            text = last_line(text_of(payload.get("last_assistant_message")))
            session.change(last_line=text)
            error = safe_line(text_of(payload.get("error")), 100)
            session.know(TurnFailed(error, failing.in_words(error, text, session.agent)))
            unheard.heard(session)
            loop.end(session, "failed", text)


def _conversation(session: Session, payload: Mapping[str, Any]) -> str:
    """The conversation that is gone on with at a resume: `/clear` begins another."""
    told = text_of(payload.get("session_id"))
    return told if _UUID.fullmatch(told) else session.agent.session


def _count(session: Session, payload: Mapping[str, Any]) -> None:
    cost = _number(payload, "cost", "total_cost_usd")
    before = session.record.cost_before
    if before and cost >= before:
        # This version counts on where the conversation was left.
        session.keep(cost_before=0.0)
        before = 0.0
    model = payload.get("model")
    named = safe_line(text_of(model.get("id")), 100) if isinstance(model, Mapping) else ""
    session.change(
        cost=max(session.agent.cost, round(before + cost, 6)),
        context_used=min(_number(payload, "context_window", "used_percentage"), 100.0),
        model=named or session.agent.model,
    )


def _number(payload: Mapping[str, Any], part: str, name: str) -> float:
    inner = payload.get(part)
    found = inner.get(name) if isinstance(inner, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0.0
    return float(found) if math.isfinite(found) and 0 <= found < 1e9 else 0.0


async def _dialog(session: Session, payload: Mapping[str, Any], caller: Connection, box: BoxSide) -> str:
    waiting = _named(session, payload)
    given = payload.get("tool_input")
    dialog = session.dialogs.open(waiting, given if isinstance(given, Mapping) else {})
    session.know(DialogOpened(waiting))
    session.write(Entry("wait", bounded(waiting.text), waiting.tool))
    # Before anybody can answer it: a daemon that is killed must not give its id to another dialog.
    await _kept(session)
    box.ask(session.agent, waiting)
    answer = await _unless_left(dialog.answer, caller)
    session.dialogs.close(waiting.id)
    if answer is None and caller_stays_away(caller):
        return ""
    session.know(DialogClosed(waiting.id))
    box.settle(session.agent, waiting.id, answered=True, detail="" if answer else "in the terminal")
    return answer or ""


def caller_stays_away(caller: Connection) -> bool:
    """Whether we hung up ourselves: the hook comes back to the next daemon, and the dialog is open still."""
    return caller.error is not None and caller.error.code == "busy"


def _named(session: Session, payload: Mapping[str, Any]) -> Waiting:
    """The dialog under a number of its own; the one that it had before a restart of ours, if it is still that."""
    fresh = waiting_of("", payload, now())
    for known in session.situation.dialogs:
        if not session.dialogs.holds(known.id) and (known.tool, known.text) == (fresh.tool, fresh.text):
            return known
    number = session.record.dialogs + 1
    session.keep(dialogs=number)
    return fresh.model_copy(update={"id": f"{session.agent.session[:8]}-{number}"})


async def _kept(session: Session) -> None:
    try:
        await session.save()
    except HeroError as error:
        log.error("agent %s: %s", session.id, error.message)


async def _stop(session: Session, payload: Mapping[str, Any], caller: Connection) -> None:
    """A turn has ended; what is in line, a loop's next run too, is typed once the program rests."""
    if loop.is_going(session) and not session.record.queue:
        judging = asyncio.ensure_future(_next_run(session, text_of(payload.get("last_assistant_message"))))
        prompt = await _unless_left(judging, caller)
        if prompt is None:
            loop.end(session, "stopped", "its check was interrupted")
        elif prompt:
            session.put(Queued(text=prompt, kind="iteration"))
    session.know(TurnEnded())


async def _next_run(session: Session, answer: str) -> str:
    """The prompt of the loop's next run; empty where it has ended."""
    record = session.record.loop
    session.know(Checking(record.until if record else ""))
    verdict = await loop.judge(session, answer)
    session.know(Checking(""))
    if verdict.done:
        loop.end(session, "done", verdict.detail)
        return ""
    if loop.is_last(session):
        loop.end(session, "failed", verdict.detail or "it is not done after its last run")
        return ""
    loop.end(session, "again", verdict.detail)
    return loop.begin(session)


async def _go_on_late(session: Session, answer: str) -> None:
    if prompt := await _next_run(session, answer):
        session.put(Queued(text=prompt, kind="iteration"))


async def _unless_left(answer: asyncio.Future[str], caller: Connection) -> str | None:
    """The answer; None where the hook that waits for it was ended before."""
    left = asyncio.ensure_future(caller.wait_lost())
    both: list[asyncio.Future[Any]] = [answer, left]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() and not answer.cancelled() else None
    finally:
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)
