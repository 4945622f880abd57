"""Keeps the daemons of a rootless box's slots running: started by us, started again when they die."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths, SlotPaths
from backends.rpc.connection import connect
from backends.rpc.spawn import ensure_daemon
from backends.rpc.wire import FAREWELL

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Daemons that start at the same time: more would only make each of them slower."""

START_SECONDS = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds before a daemon that died is started again; longer each time, until one has lived STEADY_SECONDS."""

STEADY_SECONDS = 60.0


class Keeper:
    """`argv(user)` is the command of a slot's daemon. A daemon that took its leave (`slot.down`, SIGTERM) was
    meant to end: it is watched again once `seen` tells that somebody started it."""

    def __init__(self, box: BoxPaths, argv: Callable[[str], list[str]]):
        self.watched: set[str] = set()
        """Users whose slot's daemon runs and is watched."""
        self._box = box
        self._argv = argv
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, asyncio.Event] = {}
        self._starting = asyncio.Semaphore(AT_ONCE)
        self._trouble: dict[str, str] = {}
        self._closed = False

    @property
    def problems(self) -> tuple[str, ...]:
        """Slots whose daemon cannot be started, and why."""
        return tuple(f"The daemon of {user}'s slot: {why}" for user, why in sorted(self._trouble.items()))

    def keep(self, users: Iterable[str]) -> None:
        """Keep the daemons of these users' slots, where they have one, and of nobody else from now on."""
        wanted = {user for user in users if self._box.slot(user).root.is_dir()}
        for user in set(self._tasks) - wanted:
            self._tasks.pop(user).cancel()
            self._trouble.pop(user, None)
        if self._closed:
            return
        for user in sorted(wanted - set(self._tasks)):
            self._seen[user] = asyncio.Event()
            self._tasks[user] = asyncio.create_task(self._keep(user), name=f"keep {user}")

    def seen(self, user: str) -> None:
        """The daemon of this slot has reported."""
        if user in self._seen:
            self._seen[user].set()

    async def start(self, user: str) -> None:
        """Have the daemon of `user`'s slot answer. Raises HeroError."""
        paths = self._box.slot(user)
        async with self._starting:
            await asyncio.to_thread(
                ensure_daemon,
                paths.rpc_socket,
                self._argv(user),
                log=paths.log / "slotd.out",
                timeout=START_SECONDS,
            )

    async def close(self) -> None:
        """Watch no more; the daemons run on."""
        self._closed = True
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, user: str) -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while True:
            began = loop.time()
            try:
                await self.start(user)
                self._trouble.pop(user, None)
                if await self._until_gone(user):
                    self._seen[user].clear()
                    await self._seen[user].wait()
            except HeroError as error:
                log.warning("the daemon of %s's slot: %s", user, error)
                self._trouble[user] = error.message
            if loop.time() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _until_gone(self, user: str) -> bool:
        """Wait for a daemon's end; whether it took its leave. Raises HeroError where it is gone already."""
        connection = await connect(self._box.slot(user).rpc_socket)
        leaving = asyncio.Event()
        connection.listen(FAREWELL, lambda _: leaving.set())
        self.watched.add(user)
        try:
            await connection.wait_lost()
            return leaving.is_set()
        finally:
            self.watched.discard(user)
            await connection.close()


async def wait_for_exit(pidfd: int, timeout: float) -> bool:
    """Whether the process behind `pidfd` ended within `timeout` seconds; no polling."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), timeout)
        return ended.is_set()
    finally:
        loop.remove_reader(pidfd)


def has_run(paths: SlotPaths) -> bool:
    """Whether the slot may have processes of its own although its daemon is away."""
    folder: Path = paths.supervisor
    return folder.is_dir() and any(folder.iterdir())
