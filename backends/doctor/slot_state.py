"""What a slot itself knows of its troubles: its manifest, its daemon, switches that were cut off."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.doctor.asking import ask, in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, listed, passed_over, well
from backends.doctor.systemctl import SLOT_UNIT, manager_environment
from backends.model.errors import HeroError
from backends.model.manifest import Manifest
from backends.model.tomlfile import SIZE_LIMIT, InvalidFile, parse
from backends.rpc.sockets import listening
from backends.rpc.sync_client import SyncClient

LONG = 1800.0
"""Seconds after which a switch that is not done counts as stuck."""

_SECONDS = 1.5


def read_problems(file: Path) -> list[str]:
    """What is wrong with the manifest in `file`, a sentence each. Raises OSError."""
    with file.open("rb") as content:
        text = content.read(4 * SIZE_LIMIT).decode("utf-8", "replace")
    try:
        parse(Manifest, text, file.name)
    except InvalidFile as error:
        return [str(problem) for problem in error.problems]
    return []


async def _manifest(context: Context) -> Sequence[Found]:
    file = context.slot.manifest
    try:
        problems = await in_thread(lambda: read_problems(file))
    except FileNotFoundError:
        return [passed_over("this slot has no manifest yet")]
    except OSError as error:
        return [Found("bad", f"{file} cannot be read: {error.strerror}.", "", f"ls -l {file}")]
    if not problems:
        return [well(f"{file} holds.")]
    why = "The last manifest that held stays in force; no verb can change this one."
    return [Found("bad", problem, why, f"$EDITOR {file}") for problem in problems[:10]]


async def _daemon(context: Context) -> Sequence[Found]:
    socket = context.slot.rpc_socket
    if not await in_thread(lambda: listening(socket)):
        if context.system:
            return [_silent(context, socket)]
        return [passed_over("the slot's daemon does not run; the first verb starts it")]
    try:
        status = await in_thread(lambda: _status(socket))
    except HeroError as error:
        return [Found("bad", error.message, "No verb works in this slot.", error.hint or "hero_dev logs slotd")]
    return [*_problems(status), *_services(status)]


def _silent(context: Context, socket: Path) -> Found:
    async def mend() -> str:
        environment = manager_environment(context)
        answer = await ask("systemctl", "--user", "restart", SLOT_UNIT, env=environment, seconds=20)
        if answer.code:
            raise HeroError("failed", f"systemctl did not restart hero_slotd: {answer.complaint}.")
        return "hero_slotd was restarted; the services ran on."

    what = f"{context.user}'s daemon does not answer at {socket}."
    return Found(
        "bad",
        what,
        "No verb works in this slot.",
        "systemctl --user restart hero_slotd",
        repair=mend,
        once=SLOT_UNIT,
    )


def _status(socket: Path) -> dict[str, Any]:
    with SyncClient(socket, timeout=_SECONDS) as client:
        status: dict[str, Any] = client.call("slot.status", {"fresh": False})
    return status


def _problems(status: dict[str, Any]) -> list[Found]:
    problems = [str(problem) for problem in status.get("problems", ())]
    if not problems:
        return [well("The slot's daemon has nothing to complain of.")]
    return [Found("warn", problem, "The slot's daemon says so.", "hero_dev status") for problem in problems[:10]]


def _services(status: dict[str, Any]) -> list[Found]:
    names = {"title": "services", "part": "services"}
    services = status.get("services", ())
    ill = [one for one in services if one.get("health") in ("crashed", "unhealthy")]
    if not ill:
        return [well(f"None of {len(services)} services is ill.", **names)]
    shown = listed(
        [f"{one.get('service')} ({one.get('health')}: {one.get('reason') or 'no reason told'})" for one in ill]
    )
    logs = " ".join(str(one.get("service")) for one in ill[:3])
    return [
        Found(
            "warn",
            f"{shown}.",
            "They do not do what they should.",
            f"hero_dev logs {logs}",
            names["title"],
            names["part"],
        )
    ]


async def _journal(context: Context) -> Sequence[Found]:
    if not context.slot.journal.is_dir():
        return [well("No switch was cut off.")]
    running = await in_thread(lambda: listening(context.slot.rpc_socket))
    left = await in_thread(lambda: _left(context.slot.journal, LONG if running else 0.0))
    if not left:
        return [well("No switch was cut off.")]
    why = "What runs may be the old or the new version; the slot's daemon decides that when it starts."
    mend = "systemctl --user restart hero_slotd" if context.system else "hero_dev status (it starts the daemon)"
    since = f", for more than {LONG / 60:.0f} minutes" if running else ""
    return [Found("bad" if running else "warn", f"A switch of {listed(left)} was not ended{since}.", why, mend)]


def _left(journal: Path, older_than: float) -> list[str]:
    now = time.time()
    return [path.stem for path in sorted(journal.glob("*.json")) if now - path.lstat().st_mtime >= older_than]


CHECKS = (
    Check("slot.manifest", "manifest", _manifest, scope="slot"),
    Check("slot.daemon", "daemon of the slot", _daemon, scope="slot"),
    Check("slot.journal", "switches that were cut off", _journal, scope="slot"),
)
