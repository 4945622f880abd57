"""Whether services are well: until one is up after its start, and from then on for all of them together."""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.model.service import Health
from backends.slot.probes import Checked, ask_command, ask_http, ask_sockets, sockets_in

__all__ = ["Checked", "HealthMonitor", "check_once", "wait_healthy"]

log = logging.getLogger(__name__)

FAILURES = 3
"""Checks in a row that must fail before a service that was well counts as unhealthy."""
SETTLE = 0.25
"""Seconds that a service without any check must live to count as started."""
FIRST_PAUSE, COMMAND_PAUSE, LAST_PAUSE = 0.002, 0.05, 0.25
"""Seconds between two looks at a starting service: at first, at first for a command, and at most."""
PATIENCE = 0.05
"""The pause grows with this share of the time waited, so a start is noticed at most 5 % late."""
ROUNDING = 1e-6
"""Share of an interval by which a timer may fire early and still be at its point."""

OnChange = Callable[[str, bool, str], None]
"""Takes a service, whether it is well, and why not."""


async def check_once(health: Health, *, socket_dir: Path, env: Mapping[str, str], cwd: Path) -> Checked:
    """Ask the service once, for `health.timeout` seconds at most. Without a check it is well.

    `socket_dir` holds its sockets, by a path short enough for them. `env` is added to a bare environment for
    a health command, whose relative program is of `cwd` and whose placeholders the caller has filled.
    """
    try:
        async with asyncio.timeout(health.timeout):
            return await _ask(health, socket_dir, env, cwd)
    except TimeoutError:
        return Checked(False, f"no answer within {health.timeout:g} s")


async def _ask(health: Health, socket_dir: Path, env: Mapping[str, str], cwd: Path) -> Checked:
    if health.http is not None:
        return await ask_http(f"{socket_dir}/web.sock", health.http)
    if health.command is not None:
        return await ask_command(health.command, env={**_bare_environment(), **env}, cwd=cwd)
    if health.socket:
        return await ask_sockets(sockets_in(socket_dir))
    return Checked(True)


def _bare_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


async def wait_healthy(
    health: Health, *, socket_dir: Path, env: Mapping[str, str], cwd: Path, died: asyncio.Event
) -> Checked:
    """Ask a starting service again and again until it is well, `died` is set or `health.start_timeout` is over."""
    latest = [Checked(False, "it has not been asked yet")]
    asking = asyncio.create_task(
        _until_well(health, socket_dir, env, cwd, latest), name=f"wait-healthy-{socket_dir.name}"
    )
    dying = asyncio.create_task(died.wait(), name=f"wait-died-{socket_dir.name}")
    try:
        await asyncio.wait((asking, dying), timeout=health.start_timeout, return_when=asyncio.FIRST_COMPLETED)
        if died.is_set():
            return Checked(False, "its process ended")
        if asking.done():
            return asking.result()
        return Checked(False, f"not healthy within {health.start_timeout:g} s: {latest[0].detail}")
    finally:
        asking.cancel()
        dying.cancel()
        await asyncio.gather(asking, dying, return_exceptions=True)


async def _until_well(
    health: Health, socket_dir: Path, env: Mapping[str, str], cwd: Path, latest: list[Checked]
) -> Checked:
    if not is_checkable(health):
        await asyncio.sleep(min(SETTLE, health.start_timeout / 2))
        return Checked(True)
    clock = asyncio.get_running_loop().time
    begun = clock()
    shortest = COMMAND_PAUSE if health.command else FIRST_PAUSE
    while True:
        latest[0] = await check_once(health, socket_dir=socket_dir, env=env, cwd=cwd)
        if latest[0].ok:
            return latest[0]
        await asyncio.sleep(min(LAST_PAUSE, max(shortest, (clock() - begun) * PATIENCE)))


def is_checkable(health: Health) -> bool:
    """Whether there is anything to ask; a service without a check is well while its process runs."""
    return health.http is not None or health.command is not None or health.socket


@dataclass
class _Watched:
    """A running service and what its checks have said so far (`ok` None: nothing yet)."""

    health: Health
    socket_dir: Path
    env: Mapping[str, str]
    cwd: Path
    ok: bool | None
    failures: int = 0
    due: float = 0.0
    asking: asyncio.Task[None] | None = None


class HealthMonitor:
    """All running services of a slot, each checked at its interval; tells changes only.

    The checks stand on one grid in time, so that one wake-up of the daemon serves all that share an interval.
    The monitor sleeps until the next of them, and for ever while nothing is watched.
    """

    def __init__(self, on_change: OnChange):
        self._on_change = on_change
        self._watched: dict[str, _Watched] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._origin: float | None = None

    def add(
        self,
        service: str,
        health: Health,
        *,
        socket_dir: Path,
        env: Mapping[str, str],
        cwd: Path,
        ok: bool | None = None,
    ) -> None:
        """Watch `service` from its next point of the grid on, anew if it is watched already.

        `ok` is what is known of it. While it is None one failed check is a change; once it was well, three in
        a row are; the first good one always is.
        """
        self.remove(service)
        if not is_checkable(health):
            return
        watched = _Watched(health, socket_dir, env, cwd, ok)
        watched.due = self._next_point(health.interval)
        self._watched[service] = watched
        self._set_timer()

    def remove(self, service: str) -> None:
        """Watch `service` no longer; nothing more is told of it. One that is not watched is fine."""
        watched = self._watched.pop(service, None)
        if watched and watched.asking:
            watched.asking.cancel()
        self._set_timer()

    async def close(self) -> None:
        """Watch nothing any longer, and wait for what was being asked."""
        for service in list(self._watched):
            self.remove(service)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _next_point(self, interval: float, after: float = 0.0) -> float:
        now = max(asyncio.get_running_loop().time(), after)
        # Slots start at different moments, so their grids do not coincide on a box.
        self._origin = now if self._origin is None else self._origin
        passed = math.floor((now - self._origin) / interval + ROUNDING)
        return self._origin + (passed + 1) * interval

    def _set_timer(self) -> None:
        soonest = min((watched.due for watched in self._watched.values()), default=None)
        if self._timer and (soonest is None or self._timer.when() != soonest):
            self._timer.cancel()
            self._timer = None
        if self._timer is None and soonest is not None:
            self._timer = asyncio.get_running_loop().call_at(soonest, self._ask_those_due, soonest)

    def _ask_those_due(self, point: float) -> None:
        self._timer = None
        for service, watched in self._watched.items():
            if watched.due > point:
                continue
            watched.due = self._next_point(watched.health.interval, after=point)
            # One that has not answered the last question yet is not asked a second.
            if watched.asking is None:
                self._begin(service, watched)
        self._set_timer()

    def _begin(self, service: str, watched: _Watched) -> None:
        task = asyncio.create_task(self._ask(service, watched), name=f"health-{service}")
        watched.asking = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, service: str, watched: _Watched) -> None:
        try:
            checked = await check_once(
                watched.health, socket_dir=watched.socket_dir, env=watched.env, cwd=watched.cwd
            )
        except Exception:
            log.exception("health check of %s", service)
            return
        finally:
            watched.asking = None
        if self._watched.get(service) is watched:
            self._take(service, watched, checked)

    def _take(self, service: str, watched: _Watched, checked: Checked) -> None:
        watched.failures = 0 if checked.ok else watched.failures + 1
        if watched.ok == checked.ok or (watched.ok and watched.failures < FAILURES):
            return
        watched.ok = checked.ok
        self._on_change(service, checked.ok, checked.detail)
