"""Calls for the command line: blocking, quick to import, starting a daemon only when none answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from backends.client.locate import Where
from backends.client.start import boxd_argv, slotd_argv, start_box, start_slot
from backends.model.errors import HeroError
from backends.rpc.sync_client import FOREVER, SyncClient

__all__ = ["boxd_argv", "call_box", "call_slot", "connect_box", "connect_slot", "run_operation", "slotd_argv"]

Told = Callable[[dict[str, Any]], None]


def connect_box(where: Where, *, start: bool = True) -> SyncClient:
    """A connection to the box's daemon, started if need be. Raises HeroError `unreachable`."""
    return _connect(where.box.rpc_socket, partial(start_box, where), start=start)


def connect_slot(where: Where, user: str = "", *, start: bool = True) -> SyncClient:
    """A connection to a slot's daemon, started if need be. Raises HeroError."""
    socket = where.slot(user).rpc_socket
    return _connect(socket, partial(start_slot, where, user or where.user), start=start)


def call_slot(where: Where, method: str, params: dict[str, Any]) -> Any:
    """One call to the chosen slot. Raises HeroError."""
    with connect_slot(where) as client:
        return client.call(method, params)


def call_box(where: Where, method: str, params: dict[str, Any] | None = None, *, start: bool = True) -> Any:
    """One call to the box. Raises HeroError."""
    with connect_box(where, start=start) as client:
        return client.call(method, params or {})


def run_operation(where: Where, method: str, params: dict[str, Any], told: Told) -> dict[str, Any]:
    """Begin a long call in the chosen slot and wait for its end; `told` gets each Operation on the way.

    Returns the ended Operation as a dict. KeyboardInterrupt cancels it, then returns how that ended.
    """
    with connect_slot(where) as client:
        operation = client.call(method, params)["operation"]
        try:
            return _wait(client, operation, told)
        except KeyboardInterrupt:
            with connect_slot(where) as other:
                return _cancel(other, operation, told)


def _cancel(client: SyncClient, operation: str, told: Told) -> dict[str, Any]:
    try:
        client.call("operation.cancel", {"operation": operation})
    except HeroError as error:
        if error.code != "conflict":
            raise
    return _wait(client, operation, told)


def _wait(client: SyncClient, operation: str, told: Told) -> dict[str, Any]:
    result = client.call(
        "operation.wait",
        {"operation": operation},
        timeout=FOREVER,
        on_notification=lambda one: told(one.params) if one.method == "operation" else None,
    )
    return dict(result)


def _connect(socket: Path, started: Callable[[], None], *, start: bool) -> SyncClient:
    try:
        return SyncClient(socket)
    except HeroError as error:
        if error.code != "unreachable" or not start:
            raise
    started()
    return SyncClient(socket)
