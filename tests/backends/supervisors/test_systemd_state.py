"""States of processes from properties as a real systemd 252 told them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.supervisors.base import ProcessState
from backends.supervisors.systemd_state import USED, state_of

NOW = datetime(2026, 11, 20, tzinfo=UTC)
NEVER: dict[str, Any] = {
    "ActiveState": "inactive",
    "SubState": "dead",
    "LoadState": "loaded",
    "Result": "success",
    "Restart": "on-failure",
    "NRestarts": 0,
    "MainPID": 0,
    "ExecMainCode": 0,
    "ExecMainStatus": 0,
    "ExecMainStartTimestampMonotonic": 0,
    "ExecMainExitTimestampMonotonic": 0,
    "ActiveExitTimestampMonotonic": 0,
    "InactiveEnterTimestampMonotonic": 0,
    "StateChangeTimestamp": 0,
}
RUNNING = NEVER | {
    "ActiveState": "active",
    "SubState": "running",
    "MainPID": 4711,
    "ExecMainStartTimestampMonotonic": 1_000_000,
    "StateChangeTimestamp": 1_795_000_000_000_000,
}
ENDED = RUNNING | {
    "MainPID": 0,
    "ExecMainCode": 1,
    "ExecMainExitTimestampMonotonic": 2_000_000,
    "ActiveExitTimestampMonotonic": 2_000_300,
    "InactiveEnterTimestampMonotonic": 2_000_300,
}
FAILED = ENDED | {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": 7}
STOPPED = ENDED | {
    "ActiveState": "inactive",
    "SubState": "dead",
    "ExecMainCode": 2,
    "ExecMainStatus": 15,
    "ActiveExitTimestampMonotonic": 1_999_000,
}


def state(unit: dict[str, Any], before: ProcessState | None = None) -> ProcessState:
    return state_of("web", unit, before, NOW)


@pytest.mark.parametrize(
    ("unit", "run", "exit_code", "number", "restarts"),
    [
        (NEVER, "stopped", None, None, 0),
        (RUNNING, "running", None, None, 0),
        (RUNNING | {"ActiveState": "reloading"}, "running", None, None, 0),
        (RUNNING | {"ActiveState": "activating", "SubState": "start"}, "starting", None, None, 0),
        (RUNNING | {"ActiveState": "inactive", "SubState": "dead"}, "starting", None, None, 0),
        (RUNNING | {"ActiveState": "deactivating", "SubState": "stop-sigterm"}, "stopping", None, None, 0),
        (ENDED | {"ActiveState": "inactive", "SubState": "dead"}, "exited", 0, None, 0),
        (FAILED | {"Restart": "no"}, "exited", 7, None, 0),
        (
            FAILED | {"ExecMainCode": 2, "ExecMainStatus": 9, "Result": "signal", "Restart": "no"},
            "exited",
            None,
            9,
            0,
        ),
        (STOPPED, "stopped", None, 15, 0),
        # it ignored SIGTERM until its time was over
        (STOPPED | {"ActiveState": "failed", "Result": "timeout", "ExecMainStatus": 9}, "stopped", None, 9, 0),
        # somebody else's SIGTERM, which systemd takes for a clean end
        (STOPPED | {"ActiveExitTimestampMonotonic": 2_000_300, "Restart": "no"}, "exited", None, 15, 0),
        (
            FAILED | {"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": 2},
            "backoff",
            7,
            None,
            2,
        ),
        (FAILED | {"SubState": "failed-before-auto-restart"}, "backoff", 7, None, 0),
        # for a moment before it waits for its restart
        (FAILED | {"NRestarts": 1}, "exited", 7, None, 1),
        # stopped while it waited
        (FAILED | {"ActiveState": "inactive", "SubState": "dead", "NRestarts": 1}, "stopped", 7, None, 1),
        # the start limit, by which systemd leaves the result as it was
        (FAILED | {"NRestarts": 5, "InactiveEnterTimestampMonotonic": 2_700_000}, "fatal", 7, None, 4),
        (FAILED | {"NRestarts": 5, "Result": "start-limit-hit", "ExecMainStatus": 0}, "fatal", 0, None, 4),
        (FAILED | {"ExecMainStatus": 203}, "fatal", None, None, 0),
        (FAILED | {"ExecMainStatus": 200}, "fatal", None, None, 0),
        (NEVER | {"ActiveState": "failed", "SubState": "failed", "Result": "resources"}, "fatal", None, None, 0),
        ({}, "stopped", None, None, 0),
    ],
)
def test_a_unit_is_told_in_the_words_of_the_port(
    unit: dict[str, Any], run: str, exit_code: int | None, number: int | None, restarts: int
) -> None:
    found = state(unit)
    assert (found.state, found.exit_code, found.signal, found.restarts) == (run, exit_code, number, restarts)


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        (RUNNING, ""),
        (STOPPED, ""),
        (FAILED | {"Restart": "no"}, "exited with code 7"),
        (FAILED | {"Restart": "no", "ExecMainCode": 2, "ExecMainStatus": 9}, "killed by SIGKILL"),
        (FAILED | {"Restart": "no", "ExecMainCode": 2, "ExecMainStatus": 55}, "killed by signal 55"),
        (
            FAILED | {"Restart": "no", "ExecMainCode": 3, "ExecMainStatus": 11},
            "killed by SIGSEGV and left a core dump",
        ),
        (FAILED | {"Restart": "no", "Result": "oom-kill"}, "killed: it needed more memory than it may have"),
        (FAILED | {"Result": "start-limit-hit"}, "exited with code 7, 5 times within 3 s of its start"),
        (FAILED | {"ExecMainStatus": 203}, "its program cannot be executed"),
        (NEVER | {"ActiveState": "failed", "Result": "resources"}, "systemd could not start it (resources)"),
        (
            NEVER | {"LoadState": "bad-setting", "LoadError": ["x", "Unit has a bad unit file setting."]},
            "systemd does not take its unit (bad-setting: Unit has a bad unit file setting.)",
        ),
        (
            NEVER | {"ConditionTimestampMonotonic": 5, "ConditionResult": False},
            "it waits for its secrets, which no disk keeps",
        ),
        (NEVER | {"LoadState": "masked", "LoadError": ["", ""]}, "systemd does not take its unit (masked)"),
    ],
)
def test_the_reason_is_in_plain_words(unit: dict[str, Any], reason: str) -> None:
    assert state(unit).reason == reason


def test_how_it_ended_is_kept_through_automatic_restarts_only() -> None:
    waiting = state(FAILED | {"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": 0})
    again = state(RUNNING | {"NRestarts": 1}, waiting)
    assert (again.state, again.exit_code, again.reason) == ("running", 7, "")
    assert state(RUNNING | {"NRestarts": 0}, again).exit_code is None


def test_a_state_has_its_time_from_systemd_and_keeps_it_while_it_lasts() -> None:
    first = state(RUNNING)
    assert first.since == datetime.fromtimestamp(1_795_000_000, UTC)
    assert state(RUNNING | {"StateChangeTimestamp": 1_795_000_009_000_000}, first).since == first.since
    assert (
        state(RUNNING | {"MainPID": 4712, "StateChangeTimestamp": 1_795_000_009_000_000}, first).since
        > first.since
    )
    assert state(NEVER).since == NOW
    assert state(NEVER, replace(state(NEVER), since=first.since)).since == first.since


@given(
    st.dictionaries(
        st.sampled_from(sorted(USED - {"LoadError", "ExecStart"})),
        st.integers(0, 2**53)
        | st.sampled_from(["", "active", "failed", "inactive", "auto-restart", "no", "success"]),
    )
)
def test_nothing_that_systemd_may_tell_is_without_a_state(unit: dict[str, Any]) -> None:
    numbers = {
        key for key in unit if key.endswith(("Timestamp", "Monotonic", "PID", "Code", "Status", "NRestarts"))
    }
    typed = {key: value for key, value in unit.items() if isinstance(value, int) == (key in numbers)}
    assert state(typed).restarts >= 0
