"""From what systemd says of a unit to the state of a process, in the port's words."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from backends.supervisors.base import ProcessState, RunState
from backends.supervisors.systemd_unit import CHDIR_FAILED, EXEC_FAILED, QUICK_EXIT, RESTART_DELAY, STARTS

Properties = Mapping[str, Any]
"""Properties of a unit and of a service as D-Bus carries them; one that is missing was never told."""

USED = frozenset(
    {
        *("ActiveState", "SubState", "LoadState", "LoadError", "Result", "Restart", "NRestarts", "MainPID"),
        *("ExecMainCode", "ExecMainStatus", "ExecMainStartTimestampMonotonic", "ExecMainExitTimestampMonotonic"),
        *("ActiveExitTimestampMonotonic", "InactiveEnterTimestampMonotonic", "StateChangeTimestamp"),
        *("ExecStart", "WorkingDirectory", "ConditionResult", "ConditionTimestampMonotonic"),
    }
)
"""The properties that matter here."""

AWAITS_SECRETS = "it waits for its secrets, which no disk keeps"
"""The reason of a process that was to start with the user manager, before anybody had provided its secrets."""

_EXITED, _KILLED, _DUMPED = 1, 2, 3  # si_code of SIGCHLD
_WAITING = {"auto-restart", "auto-restart-queued", "dead-before-auto-restart", "failed-before-auto-restart"}
_PLAIN: dict[str, RunState] = {
    "active": "running",
    "reloading": "running",
    "refreshing": "running",
    "activating": "starting",
    "deactivating": "stopping",
}


def state_of(name: str, unit: Properties, before: ProcessState | None, now: datetime) -> ProcessState:
    """The state of the process `name`.

    `before` is what was known of it: how it ended is kept from there through automatic restarts, which systemd
    forgets. `now` stands in where systemd tells no time.
    """
    state = _run_state(unit)
    exit_code, number = _ending(unit, before)
    pid = unit.get("MainPID") or None
    since = _since(unit, now)
    if before is not None and (before.state, before.pid) == (state, pid):
        since = before.since
    return ProcessState(
        name=name,
        state=state,
        pid=pid,
        exit_code=exit_code,
        signal=number,
        reason=_reason(unit, state, exit_code, number),
        since=since,
        restarts=_restarts(unit, state),
    )


def was_not_launched(unit: Properties) -> bool:
    """Whether the program of the last start could not be executed."""
    status = unit.get("ExecMainStatus")
    return unit.get("ExecMainCode") == _EXITED and status in (CHDIR_FAILED, EXEC_FAILED)


def how_it_ended(exit_code: int | None, number: int | None) -> str:
    """`exited with code 3`, `killed by SIGKILL`; empty where nothing ended."""
    if number is None:
        return "" if exit_code is None else f"exited with code {exit_code}"
    try:
        return f"killed by {signal.Signals(number).name}"
    except ValueError:
        return f"killed by signal {number}"


def _run_state(unit: Properties) -> RunState:
    active = unit.get("ActiveState", "inactive")
    if unit.get("SubState") in _WAITING:
        return "backoff"
    if active in _PLAIN:
        return _PLAIN[active]
    if unit.get("MainPID"):
        return "starting"  # told while systemd forks
    if active == "failed":
        return _failed(unit)
    ran = unit.get("ExecMainCode", 0) != 0
    # With a failure it would be `failed` or wait for its restart: somebody stopped it while it waited.
    waited = unit.get("Result", "success") != "success" or unit.get("Restart") == "always"
    return "exited" if ran and not waited and not _was_asked(unit) else "stopped"


def _failed(unit: Properties) -> RunState:
    if was_not_launched(unit):
        return "fatal"
    if _was_asked(unit):  # it did not end within its stop timeout
        return "stopped"
    if unit.get("ExecMainCode", 0) == 0:
        return "fatal"  # nothing ever ran: systemd lacked something
    return "fatal" if _was_given_up(unit) else "exited"


def _was_given_up(unit: Properties) -> bool:
    """Whether the start limit refused a restart. A unit is `failed` for a moment before it waits for one, too, and
    keeps its first result; so what tells is that it failed only after that wait."""
    if unit.get("Result") == "start-limit-hit":
        return True
    ended, failed = unit.get("ExecMainExitTimestampMonotonic", 0), unit.get("InactiveEnterTimestampMonotonic", 0)
    return bool(unit.get("Restart", "no") != "no" and failed - ended >= RESTART_DELAY * 1e6)


def _was_asked(unit: Properties) -> bool:
    """Whether the unit began to stop before its process ended, and not because of that."""
    started, left, ended = (
        unit.get(f"{what}TimestampMonotonic", 0) for what in ("ExecMainStart", "ActiveExit", "ExecMainExit")
    )
    return bool(started < left < ended)


def _ending(unit: Properties, before: ProcessState | None) -> tuple[int | None, int | None]:
    if was_not_launched(unit):
        return None, None
    code, status = unit.get("ExecMainCode", 0), unit.get("ExecMainStatus", 0)
    if code == _EXITED:
        return status, None
    if code in (_KILLED, _DUMPED):
        return None, status
    if before is not None and unit.get("NRestarts", 0) > 0:
        return before.exit_code, before.signal
    return None, None


def _reason(unit: Properties, state: RunState, exit_code: int | None, number: int | None) -> str:
    load = unit.get("LoadState", "loaded")
    if state == "stopped" and load != "loaded":
        return _not_loaded(unit, load)
    if state == "stopped" and unit.get("ConditionTimestampMonotonic") and not unit.get("ConditionResult", True):
        return AWAITS_SECRETS
    if state not in ("backoff", "exited", "fatal"):
        return ""
    result = unit.get("Result", "success")
    if result == "oom-kill":
        return "killed: it needed more memory than it may have"
    ended = how_it_ended(exit_code, number)
    if unit.get("ExecMainCode") == _DUMPED:
        ended += " and left a core dump"
    if state != "fatal":
        return ended
    if was_not_launched(unit):
        return "its program cannot be executed"
    if ended:
        return f"{ended}, {STARTS} times within {QUICK_EXIT:g} s of its start"
    return f"systemd could not start it ({result})"


def _not_loaded(unit: Properties, load: str) -> str:
    problem = unit.get("LoadError") or ["", ""]
    return f"systemd does not take its unit ({load}{': ' if problem[1] else ''}{problem[1]})"


def _restarts(unit: Properties, state: RunState) -> int:
    count = int(unit.get("NRestarts", 0))
    # The restart that the limit refused is counted, too.
    refused = state == "fatal" and count > 0 and not was_not_launched(unit)
    return count - 1 if refused else count


def _since(unit: Properties, now: datetime) -> datetime:
    microseconds = unit.get("StateChangeTimestamp", 0)
    return datetime.fromtimestamp(microseconds / 1e6, UTC) if microseconds else now
