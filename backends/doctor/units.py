"""Whether systemd runs what the box and the slot need, without falling over."""

from __future__ import annotations

import pwd
from collections.abc import Sequence

from backends.doctor.asking import ask, in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, Repair, listed, passed_over, well
from backends.doctor.systemctl import (
    OUR_UNITS,
    SLOT_UNIT,
    NoSystemd,
    Unit,
    fault_of,
    manager_environment,
    show_units,
)
from backends.model.errors import HeroError

_ROOTLESS = "a rootless box starts its daemons itself, without systemd"
_WHY = {
    "hero_boxd": "Without it nobody sees the fleet, and nothing is built.",
    "hero_team_sync": "Without it changes of the team repo reach no account.",
    "hero_router": "Without it no service answers at its address.",
    "hero_webd": "Without it there is no cockpit in the browser.",
    "hero_aibroker": "Without it no agent runs on an org key.",
    "hero_slotd": "Without it no verb works in this slot; its services run on.",
}


async def _of_box(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over(_ROOTLESS)]
    try:
        units = await show_units(context, OUR_UNITS)
    except NoSystemd as problem:
        return [
            Found("bad", f"systemd does not answer: {problem}.", "It runs everything here.", "systemctl status")
        ]
    found = [one for unit in units if (one := _judged(context, unit)) is not None]
    return found or [well(f"{listed([unit.short for unit in units])} run.")]


async def _managers(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over(_ROOTLESS)]
    uids = await in_thread(lambda: _uids(context.users))
    try:
        found = await show_units(context, [f"user@{uid}.service" for uid in uids.values()]) if uids else []
    except NoSystemd as problem:
        return [passed_over(f"systemd does not answer: {problem}")]
    active = {unit.name for unit in found if unit.active == "active"}
    down = {user: uid for user, uid in uids.items() if f"user@{uid}.service" not in active}
    if not down:
        return [well(f"A systemd of their own runs for {listed(list(uids)) or 'nobody yet'}.")]
    return [
        Found(
            "bad",
            f"{user}'s own systemd does not run.",
            "Nothing of that slot runs until its next login; systemd does not bring back one that was killed.",
            f"{context.as_root}systemctl start user@{uid}",
            repair=_start(context, f"user@{uid}.service", f"{user}'s own systemd") if context.is_root else None,
        )
        for user, uid in down.items()
    ]


def _uids(users: Sequence[str]) -> dict[str, int]:
    uids = {one.pw_name: one.pw_uid for one in pwd.getpwall()}
    return {user: uids[user] for user in users if user in uids}


def _start(context: Context, unit: str, what: str) -> Repair:
    async def mend() -> str:
        answer = await ask("systemctl", "start", unit, env=context.environment, seconds=20)
        if answer.code:
            raise HeroError("failed", f"systemctl did not start {unit}: {answer.complaint}.")
        return f"{what} was started."

    return mend


async def _of_slot(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over(_ROOTLESS)]
    try:
        units = await show_units(context, (SLOT_UNIT, "slot-*.service"), user=True)
    except NoSystemd as problem:
        return [
            Found(
                "bad",
                f"The user's systemd does not answer: {problem}.",
                "Nothing of this slot runs without it.",
                f"As root: loginctl enable-linger {context.user}",
            )
        ]
    found = [one for unit in units if (one := _judged(context, unit)) is not None]
    services = sum(1 for unit in units if unit.name != SLOT_UNIT)
    return found or [well(f"hero_slotd runs, and {services} services are loaded.")]


def _judged(context: Context, unit: Unit) -> Found | None:
    bad, fault = fault_of(unit)
    ours = unit.name in (*OUR_UNITS, SLOT_UNIT)
    if not ours and (unit.active == "inactive" or unit.enabled == "disabled"):
        return None  # a service that was stopped is no fault
    if unit.name == SLOT_UNIT and not unit.condition:
        return passed_over("this slot has no manifest yet, so its daemon has nothing to do")
    if not fault:
        return None
    why = _WHY.get(unit.short, "The service does not do what it should.")
    return Found(
        "bad" if bad else "warn",
        f"{unit.short} {fault}.",
        why,
        _mend(context, unit),
        repair=_repair(context, unit),
        once=unit.name,
    )


def _mend(context: Context, unit: Unit) -> str:
    user = unit.name not in OUR_UNITS
    if not unit.loaded:
        return f"{'As root: ' if user else context.as_root}deploy/bootstrap.sh"
    if unit.active == "active" and unit.enabled not in ("disabled", "masked"):
        return f"{'' if user else context.as_root}journalctl {'--user-unit' if user else '--unit'} {unit.short} -e"
    if unit.name == SLOT_UNIT:
        return f"systemctl --user enable --now {unit.short}"
    if user:
        return f"hero_dev logs {unit.short.removeprefix('slot-')}"
    return f"{context.as_root}systemctl enable --now {unit.short}"


def _repair(context: Context, unit: Unit) -> Repair | None:
    slot = unit.name == SLOT_UNIT
    able = unit.loaded and unit.enabled != "masked" and (slot or (context.is_root and unit.name in OUR_UNITS))
    if not able or (unit.active == "active" and unit.enabled != "disabled"):
        return None
    where = ("--user",) if slot else ()

    async def mend() -> str:
        environment = manager_environment(context)
        await ask("systemctl", *where, "reset-failed", unit.name, env=environment)
        answer = await ask("systemctl", *where, "enable", "--now", unit.name, env=environment, seconds=20)
        if answer.code:
            raise HeroError("failed", f"systemctl did not start {unit.short}: {answer.complaint}.")
        return f"{unit.short} is enabled and was started."

    return mend


CHECKS = (
    Check("units.box", "units of the box", _of_box),
    Check("units.managers", "systemd of each user", _managers),
    Check("units.slot", "units of the slot", _of_slot, scope="slot"),
)
