"""End the daemons of all slots, and with them, if asked, everything that the slots run; then the broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

from backends.box.box import Box
from backends.box.keeper import has_run, wait_for_exit
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.rpc.connection import Connection, connect
from backends.rpc.sockets import listening
from backends.supervisors.supervisord_wire import RPC_SOCKET

SECONDS = 90.0
"""How long one slot may take to stop its services."""
ATTEMPTS = 3
"""Daemons of one slot that are asked: one that dies of something else before it has stopped its services has done
nothing, and only the next one can."""


async def end_slots(box: Box, *, services: bool) -> None:
    """Have every slot's daemon end, and wait until its process has. Raises HeroError naming those that did not.

    With `services` agents end too, and nobody needs the broker any more.
    """
    if box.keeper:
        await box.keeper.close()
    names = sorted({*box.fleet.names(), *_left_running(box)})
    ended = await asyncio.gather(*(_end(box, name, services) for name in names), return_exceptions=True)
    failed = {name: error for name, error in zip(names, ended, strict=True) if isinstance(error, Exception)}
    if failed:
        raise HeroError(
            "failed",
            "Not every slot was stopped: " + "; ".join(f"{name}: {error}" for name, error in failed.items()),
            hint="See the slots' logs; `box down` again tries again.",
            data={"slots": sorted(failed)},
        )
    if services:
        await end_broker(box.paths.broker_socket)


async def end_broker(socket: Path) -> None:
    """Have the broker that answers at `socket` end, if one does; until its process has. Raises HeroError."""
    try:
        connection = await connect(socket, label="The broker")
    except HeroError:
        return
    try:
        await _end_process(connection, "aibroker.down", {}, "The broker")
    finally:
        await connection.close()


def _left_running(box: Box) -> list[str]:
    """Slots that may run something although the team does not know them and their daemon is away."""
    homes = box.paths.homes.iterdir() if box.paths.homes.is_dir() else ()
    return [home.name for home in homes if has_run(box.paths.slot(home.name))]


async def _end(box: Box, slot: str, services: bool) -> None:
    for _ in range(ATTEMPTS):
        daemon = box.links.get(slot) or await _reach(box, slot, services)
        if daemon is None:
            return
        try:
            told = await _end_process(daemon, "slot.down", {"services": services}, f"The daemon of {slot}'s slot")
        finally:
            await daemon.close()
        if not services or (told and not _supervised(box.paths.slot(slot))):
            return
    raise HeroError(
        "failed",
        f"The daemon of {slot}'s slot ended {ATTEMPTS} times before it had stopped the services.",
        hint=f"See {box.paths.slot(slot).log}.",
    )


def _supervised(slot: SlotPaths) -> bool:
    return listening(slot.rpc_socket.with_name(RPC_SOCKET))


async def _reach(box: Box, slot: str, services: bool) -> Connection | None:
    """A connection to a slot's daemon that does not report to us; None where there is nothing to end."""
    paths = box.paths.slot(slot)
    with contextlib.suppress(HeroError):
        return await connect(paths.rpc_socket)
    if not (services and box.keeper and has_run(paths)):
        return None
    # Its services may run on without it, and only it knows how to stop them.
    await box.keeper.start(slot)
    return await connect(paths.rpc_socket)


async def _end_process(daemon: Connection, method: str, params: dict[str, Any], title: str) -> bool:
    """Until its process has ended; whether it had answered before. Raises HeroError where it does not end."""
    try:
        pidfd = os.pidfd_open(daemon.peer.pid)
    except ProcessLookupError:
        return False
    try:
        answered = await _answers(daemon, method, params)
        if not await wait_for_exit(pidfd, SECONDS):
            raise HeroError("timeout", f"{title} did not end within {SECONDS:g} s.")
        return answered
    finally:
        os.close(pidfd)


async def _answers(daemon: Connection, method: str, params: dict[str, Any]) -> bool:
    """Whether it answers; one that does not may have been about to end already."""
    try:
        await daemon.call(method, params, timeout=SECONDS)
    except HeroError as error:
        if error.code != "unreachable":
            raise
        return False
    return True
