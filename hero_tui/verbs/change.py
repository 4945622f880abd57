"""A change of the slot, seen through: begun, its progress shown, its end told; or only its plan."""

from __future__ import annotations

import sys
import time
from typing import Any

from backends.client.blocking import connect_slot, run_operation
from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.rpc.sync_client import FOREVER
from hero_tui.render.plan import nothing_lines, outcome_lines, plan_lines, runs
from hero_tui.render.progress import Progress, progress_on
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO, exit_code
from hero_tui.verbs.session import Session, slot_client

Params = dict[str, Any]

_PATIENCE_SECONDS = 20.0
_AGAIN_SECONDS = 0.2
"""For how long, and how often, a daemon that went away is asked for again."""


def carry_out(session: Session, method: str, params: Params) -> int:
    """Run a long call to its end and tell how it ended; returns the exit code. Raises HeroError."""
    where = session.where()
    where.slot()
    progress = progress_on(sys.stderr, session.errors(), quiet=session.quiet or _only_json(session))
    progress.begin(_title(method, params))
    try:
        operation = _see_through(where, method, _given(params), progress)
    finally:
        progress.clear()
    return tell_end(session, where, operation)


def tell_end(session: Session, where: Where, operation: dict[str, Any]) -> int:
    """Print how an operation ended; returns the exit code. Raises HeroError for one that failed."""
    error = operation["error"]
    if error is not None and session.json:
        session.answer({"error": error, "operation": operation})
        return exit_code(error["code"])
    if error is not None:
        raise _with_what_runs(where, operation)
    nothing = bool(operation["result"].get("nothing_to_do"))
    if session.json:
        session.answer(operation)
    elif nothing:
        session.confirm(nothing_lines(operation))
    else:
        service = _service_now(where, operation["service"])
        session.confirm(outcome_lines(operation, service, session.terminal()))
    return NOTHING_TO_DO if nothing else DONE


def tell_plans(session: Session, action: str, asked: list[Params]) -> int:
    """Print what each of the calls would do; 3 if that is nothing at all. Raises HeroError."""
    with slot_client(session.where()) as client:
        plans = [client.call("slot.plan", {"action": action, **_given(params)}) for params in asked]
    if session.json:
        session.answer({"plans": plans})
    else:
        terminal = session.terminal()
        session.show([line for plan in plans for line in plan_lines(plan, terminal)])
    return NOTHING_TO_DO if all(plan["nothing_to_do"] for plan in plans) else DONE


def _see_through(where: Where, method: str, params: Params, progress: Progress) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def told(operation: dict[str, Any]) -> None:
        seen.update(operation)
        progress.told(operation)

    try:
        return run_operation(where, method, params, told)
    except HeroError as error:
        if error.code != "unreachable" or not seen:
            raise
        progress.clear()
        return _after_loss(where, seen["id"], error)


def _after_loss(where: Where, operation: str, lost: HeroError) -> dict[str, Any]:
    """The daemon went away in the middle: the one that takes its place knows how the operation ended."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with connect_slot(where) as client:
                return dict(client.call("operation.wait", {"operation": operation}, timeout=FOREVER))
        except HeroError as error:
            if error.code == "unreachable" and time.monotonic() < deadline:
                time.sleep(_AGAIN_SECONDS)  # the one that was killed may still hold its socket
                continue
            raise HeroError(
                "unreachable",
                f"The slot's daemon went away while it worked: {lost.message}",
                hint=f"{error.message} `hero_dev status` shows what runs now.",
            ) from error


def _with_what_runs(where: Where, operation: dict[str, Any]) -> HeroError:
    """The operation's error; where one service was concerned, with what that runs now."""
    found = operation["error"]
    service = _service_now(where, operation["service"])
    now = f"{runs(service)}." if service else ""
    hint = "\n".join(line for line in (found["hint"], now) if line)
    return HeroError(found["code"], found["message"], hint=hint)


def _service_now(where: Where, service: str) -> dict[str, Any] | None:
    """The one service that an operation was about, as it is now; None where it was about several, or none."""
    if not service:
        return None
    try:
        with slot_client(where) as client:
            status = client.call("slot.status", {"fresh": False})
    except HeroError:
        return None
    return next((one for one in status["services"] if one["service"] == service), None)


def _title(method: str, params: Params) -> str:
    """What is done, until the daemon tells it in its words."""
    names = [params.get("service"), *(params.get("services") or ())]
    return " ".join([method.removeprefix("slot."), *(str(name) for name in names if name)])


def _given(params: Params) -> Params:
    """The parameters that were named; the daemon has the defaults."""
    return {name: value for name, value in params.items() if value is not None}


def _only_json(session: Session) -> bool:
    """Under --json a progress bar may be drawn on a terminal, but no lines go into anybody's log."""
    return session.json and not session.errors().live
