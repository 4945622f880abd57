"""What systemd says of units, as `systemctl show` prints it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backends.doctor.asking import Answer, ask
from backends.doctor.context import Context

PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,Result,ExecMainStatus,NRestarts,ConditionResult,"
    "ExecMainStartTimestampMonotonic"
)
OUR_UNITS = (
    "hero_team_sync.service",
    "hero_boxd.service",
    "hero_router.service",
    "hero_aibroker.service",
    "hero_webd.service",
)
SLOT_UNIT = "hero_slotd.service"

_LATELY = 600.0
"""Seconds after a start by itself in which a unit counts as one that keeps falling."""


@dataclass(frozen=True)
class Unit:
    """One unit; `up_for` in seconds, None where it does not run."""

    name: str
    loaded: bool
    active: str
    sub: str
    enabled: str
    result: str
    status: str
    restarts: int
    up_for: float | None
    condition: bool = True

    @property
    def short(self) -> str:
        return self.name.removesuffix(".service")


def parse_show(text: str) -> list[dict[str, str]]:
    """Units of `systemctl show`'s output: blocks of `Name=value` lines between empty ones."""
    blocks: list[dict[str, str]] = []
    fresh = True
    for line in text.splitlines():
        name, found, value = line.partition("=")
        if not found:
            fresh = True
            continue
        if fresh:
            blocks.append({})
            fresh = False
        blocks[-1][name] = value
    return blocks


def unit_of(block: Mapping[str, str], uptime: float) -> Unit:
    """A block as a unit; `uptime` is the monotonic clock's, in seconds."""
    began = _number(block.get("ExecMainStartTimestampMonotonic", "")) / 1e6
    active = block.get("ActiveState", "unknown")
    return Unit(
        name=block.get("Id", ""),
        loaded=block.get("LoadState") == "loaded",
        active=active,
        sub=block.get("SubState", ""),
        enabled=block.get("UnitFileState", ""),
        result=block.get("Result", ""),
        status=block.get("ExecMainStatus", ""),
        restarts=_number(block.get("NRestarts", "")),
        up_for=max(uptime - began, 0.0) if active == "active" and began else None,
        condition=block.get("ConditionResult") != "no",
    )


def fault_of(unit: Unit) -> tuple[bool, str]:
    """Whether what is wrong is bad, and what it is: a phrase, "" for nothing."""
    if not unit.loaded:
        return True, "is not installed"
    if unit.sub in ("auto-restart", "auto-restart-queued"):
        return True, f"keeps falling: it was started again {unit.restarts} times ({_why(unit)})"
    if unit.active == "failed":
        return True, f"has failed ({_why(unit)})"
    if unit.active in ("inactive", "deactivating"):
        return True, "does not run"
    if unit.restarts and unit.up_for is not None and unit.up_for < _LATELY:
        return False, f"fell {unit.restarts} times and runs again, for {unit.up_for:.0f} s now"
    if unit.enabled in ("disabled", "masked"):
        return True, f"is {unit.enabled}: the next boot does not start it"
    return False, ""


async def show_units(context: Context, units: Sequence[str], *, user: bool = False) -> list[Unit]:
    """The units called so; patterns give those that are loaded. Raises TimeoutError, NoSystemd."""
    where = ("--user",) if user else ()
    answer = await ask(
        "systemctl", *where, "show", f"--property={PROPERTIES}", "--", *units, env=manager_environment(context)
    )
    if answer.missing or answer.code:
        raise NoSystemd(answer)
    uptime = time.clock_gettime(time.CLOCK_MONOTONIC)
    return [unit_of(block, uptime) for block in parse_show(answer.out)]


class NoSystemd(Exception):
    """systemctl does not answer; `answer` tells how."""

    def __init__(self, answer: Answer):
        super().__init__(answer.complaint)
        self.answer = answer


def manager_environment(context: Context) -> dict[str, str]:
    """The environment by which a user's systemd is reached, also where no login set it."""
    return {"XDG_RUNTIME_DIR": f"/run/user/{os.geteuid()}", **context.environment}


def _why(unit: Unit) -> str:
    status = f", exit status {unit.status}" if unit.status not in ("", "0") else ""
    return f"{unit.result}{status}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
