"""Which versions of everything there are, and whether what runs is what is installed."""

from __future__ import annotations

import asyncio
import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.doctor.asking import ask, in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, listed, passed_over, well
from backends.doctor.systemctl import OUR_UNITS, SLOT_UNIT, NoSystemd, Unit, show_units
from backends.model.errors import HeroError
from backends.rpc.sockets import listening
from backends.rpc.sync_client import SyncClient
from backends.version import VERSION

_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6}){0,3}")
_WHY_OLD = "What was mended since is not mended in what runs."

PROGRAMS: tuple[tuple[str, tuple[str, ...], tuple[int, ...], bool], ...] = (
    ("git", ("git", "--version"), (2, 34), True),
    ("caddy", ("caddy", "version"), (2, 6), False),
    ("systemd", ("systemctl", "--version"), (249,), False),
)
"""Each with what tells its version, the oldest that will do, and whether a rootless box needs it."""


def parse_version(text: str) -> tuple[int, ...]:
    """The first number in a program's first line; empty for none."""
    found = _NUMBER.search(text.partition("\n")[0])
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def outdated(units: Sequence[Unit], installed_at: float, now: float) -> list[str]:
    """The units that were started before the software that is in force now was (seconds since the epoch)."""
    return [one.short for one in units if one.up_for is not None and now - one.up_for < installed_at]


async def _programs(context: Context) -> Sequence[Found]:
    own = f"Hero {VERSION} on Python {platform.python_version()}"
    answers = await asyncio.gather(*(ask(*argv, env=context.environment) for _, argv, _, _ in PROGRAMS))
    told, wrong = [own], []
    for (name, _, least, everywhere), answer in zip(PROGRAMS, answers, strict=True):
        version = parse_version(answer.out)
        shown = ".".join(map(str, version)) or "of no version that it tells"
        if answer.missing and (context.system or everywhere):
            wrong.append(_program(context, "bad", name, f"There is no {name}."))
        elif not answer.missing:
            told.append(f"{name} {shown}")
        if version and version < least:
            oldest = ".".join(map(str, least))
            wrong.append(_program(context, "warn", name, f"{name} {shown} is older than {oldest}."))
    return [*wrong, well(f"{', '.join(told)}.")]


def _program(context: Context, state: str, name: str, what: str) -> Found:
    mend = f"{context.as_root}apt-get install {name}"
    return Found(state, what, "This software is made for newer ones.", mend, part=name)  # type: ignore[arg-type]


async def _box(context: Context) -> Sequence[Found]:
    if context.system:
        return await _against_software(context, OUR_UNITS, user=False)
    return await in_thread(lambda: [_told_version(context.box.rpc_socket)])


async def _slot(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over("the box's daemon starts those of its slots, of its own version")]
    return await _against_software(context, (SLOT_UNIT,), user=True)


async def _against_software(context: Context, names: Sequence[str], *, user: bool) -> list[Found]:
    try:
        installed = context.machine.software.lstat().st_mtime
        units = await show_units(context, names, user=user)
    except OSError:
        return [passed_over(f"{context.machine.software} is not there: this software runs from elsewhere")]
    except NoSystemd as problem:
        return [passed_over(f"systemd does not answer: {problem}")]
    old = outdated(units, installed, time.time())
    if old:
        where = "systemctl --user" if user else f"{context.as_root}systemctl"
        what = f"{listed(old)}: started before the version that is installed now."
        return [Found("warn", what, _WHY_OLD, f"{where} restart {' '.join(old)}")]
    version = context.machine.software.resolve().name
    return [well(f"What runs is of version {version}, which is installed.")]


def _told_version(socket: Path) -> Found:
    if not listening(socket):
        return passed_over("the box's daemon does not run; the first verb starts it")
    try:
        with SyncClient(socket, timeout=1.5) as client:
            status: dict[str, Any] = client.call("box.status")
    except HeroError as error:
        return Found(
            "bad", error.message, "Nobody sees the fleet.", "hero_dev box down --keep-services && hero_dev box up"
        )
    running = str(status.get("version", ""))
    if running != VERSION:
        what = f"The box's daemon is of version {running}, this software is {VERSION}."
        return Found("warn", what, _WHY_OLD, "hero_dev box down --keep-services && hero_dev box up")
    return well(f"The box's daemon is of version {running}, which is installed.")


CHECKS = (
    Check("versions.programs", "versions", _programs),
    Check("versions.box", "daemons of the box", _box),
    Check("versions.slot", "daemon of the slot", _slot, scope="slot"),
)
