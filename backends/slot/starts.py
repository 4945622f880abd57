"""Each start of a service until it has settled, well within its time or not, and its health from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from backends.model.paths import SlotPaths
from backends.model.service import ServiceDescription
from backends.slot.board import Board
from backends.slot.health import Checked, HealthMonitor, wait_healthy
from backends.slot.launch import Launch


@dataclass
class Start:
    """A start that has not settled: `died` is set when its process ended; no task before that is spawned."""

    died: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[Checked] | None = None


class Starts:
    """The starts of a slot's services, one at most of each; what they come to is told to the board.

    `sockets` is the short real folder of `var/sockets`; `admit` is called once a service is up or given up.
    """

    def __init__(
        self, paths: SlotPaths, sockets: Path, launch: Launch, board: Board, admit: Callable[[str], None]
    ):
        self._paths = paths
        self._sockets = sockets
        self._launch = launch
        self._board = board
        self._admit = admit
        self._starts: dict[str, Start] = {}
        self._monitor = HealthMonitor(self._checked)

    def of(self, service: str) -> Start | None:
        """The start of `service` that has not settled."""
        return self._starts.get(service)

    def expect(self, service: str) -> Start:
        """A start whose process is not there yet: nothing that is told of the old one may begin or end it."""
        start = self._starts[service] = Start()
        return start

    def begin(self, service: str, description: ServiceDescription) -> Start:
        """A start whose process is there: it is asked until it is well, its time is over, or it died."""
        start = self.expect(service)
        start.task = asyncio.create_task(self._settle(service, description, start), name=f"health-{service}")
        return start

    async def settled(self, service: str) -> Checked:
        """How the last start of `service` settled: healthy within its time, or why not."""
        start = self._starts.get(service)
        if start is None or start.task is None:
            return Checked(True, "")
        return await asyncio.shield(start.task)

    def forget(self, service: str) -> None:
        """Nobody waits any longer for an earlier start to settle."""
        self.unwatch(service)
        start = self._starts.pop(service, None)
        if start and start.task:
            start.task.cancel()

    def unwatch(self, service: str) -> None:
        """Ask after its health no more."""
        self._monitor.remove(service)

    def lose(self) -> None:
        """Nobody can say any more what becomes of the processes: every start has failed."""
        for start in self._starts.values():
            start.died.set()

    async def close(self) -> None:
        """End what runs here; the services run on."""
        tasks = [start.task for start in self._starts.values() if start.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._monitor.close()

    async def _settle(self, service: str, description: ServiceDescription, start: Start) -> Checked:
        folder = self._sockets / service
        checked = await wait_healthy(
            description.health,
            socket_dir=folder,
            cwd=self._paths.current(service),
            env=self._launch.environment(service, description),
            died=start.died,
        )
        self._admit(service)
        if self._starts.get(service) is not start:
            return checked
        del self._starts[service]
        if start.died.is_set():
            self._board.update(service, starting=False)
            return checked
        self._board.update(service, checked=checked.ok, check_detail=checked.detail, starting=False)
        self._monitor.add(
            service,
            description.health,
            socket_dir=folder,
            cwd=self._paths.current(service),
            env=self._launch.environment(service, description),
            ok=checked.ok,
        )
        return checked

    def _checked(self, service: str, ok: bool, detail: str) -> None:
        self._board.update(service, checked=ok, check_detail=detail)
