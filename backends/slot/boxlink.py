"""The slot's one connection to the box: what changed goes out at once, nothing is lost, nobody waits."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from pathlib import Path

from backends.model.agents import Agent
from backends.model.box_calls import ReportParams, ReportResult
from backends.model.errors import HeroError
from backends.model.state import Operation, ServiceStatus, SlotStatus
from backends.rpc.connection import Connection, Dispatch, connect
from backends.slot.outbox import Outbox

log = logging.getLogger(__name__)

SPACING = 0.02
"""Seconds between two reports of changes; the first change after a rest goes out at once."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds between two attempts to reach the box."""

BATCH = 50
"""Events of the outbox in one report."""

ANSWER_SECONDS = 30.0


class BoxLink:
    """Keeps a connection to the box's daemon at `socket` and tells it of `slot` until `run` is cancelled.

    Each connection begins with the whole of `get_status()`; then cells, operations and agents follow, the newest
    state of each only, and the outbox's events until the box has them. `handlers` answers what the box calls back.
    While the box is away nothing waits for it and nothing piles up but the outbox on disk.
    """

    def __init__(
        self,
        socket: Path,
        slot: str,
        outbox: Outbox,
        get_status: Callable[[], SlotStatus],
        handlers: Dispatch | None = None,
    ):
        self._socket = socket
        self._slot = slot
        self._outbox = outbox
        self._get_status = get_status
        self._handlers = handlers
        self._cells: dict[str, ServiceStatus | None] = {}
        self._operations: dict[str, Operation] = {}
        self._agents: dict[str, Agent] = {}
        self._whole = False
        self._telling = False
        self._changed = asyncio.Event()
        self._recorded = asyncio.Event()
        self.connected = asyncio.Event()
        self._connection: Connection | None = None
        self._on_connected: list[Callable[[], None]] = []

    def when_connected(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever the box has taken the slot's first report of a connection."""
        self._on_connected.append(callback)

    def reach(self) -> Connection:
        """The connection to the box, to call it or see it lost. Raises HeroError unreachable while it is away."""
        if self._connection is None:
            raise HeroError("unreachable", "The box's daemon is away.", hint="It comes back by itself.")
        return self._connection

    def cell(self, cell: ServiceStatus) -> None:
        """A service's cell is now `cell`."""
        self._change(cell.service, cell)

    def gone(self, service: str) -> None:
        """The binding of `service` is gone."""
        self._change(service, None)

    def operation(self, operation: Operation) -> None:
        """An operation began, went on or ended."""
        if self._telling:
            self._operations[operation.id] = operation
            self._changed.set()

    def agent(self, agent: Agent) -> None:
        """An agent is now `agent`."""
        if self._telling:
            self._agents[agent.id] = agent
            self._changed.set()

    def status_changed(self) -> None:
        """Something of the slot itself changed (its problems, its people): the whole is told again."""
        self._whole = True
        self._changed.set()

    def recorded(self) -> None:
        """There is something new in the outbox."""
        self._recorded.set()

    async def run(self) -> None:
        """Connect, tell, and after a loss connect again, for ever."""
        pause = FIRST_PAUSE
        while True:
            try:
                connection = await connect(self._socket, self._handlers, label="The box's daemon")
            except HeroError as error:
                log.debug("the box is away: %s", error.message)
            else:
                if await self._serve(connection):
                    pause = FIRST_PAUSE
            # Twenty slots that lost the same box must not all come back in the same moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _serve(self, connection: Connection) -> bool:
        """Tell over `connection` until it is lost; whether the box took our first report."""
        taken = False
        tasks: list[asyncio.Task[object]] = []
        try:
            await self._begin(connection)
            taken = True
            self._connection = connection
            for callback in self._on_connected:
                callback()
            tasks = [
                asyncio.create_task(self._tell_changes(connection), name="tell-changes"),
                asyncio.create_task(self._tell_recorded(connection), name="tell-recorded"),
                asyncio.create_task(connection.wait_lost(), name="box-lost"),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except HeroError as error:
            log.warning("the box did not take the slot's report: %s", error.message)
        finally:
            self._telling = False
            self._connection = None
            self.connected.clear()
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(ended, HeroError):
                    log.info("the link to the box ended: %s", ended.message)
            await connection.close()
        return taken

    async def _begin(self, connection: Connection) -> None:
        # What changes from here on stays queued behind the whole status.
        self._cells.clear()
        self._operations.clear()
        self._agents.clear()
        self._whole = False
        self._telling = True
        result = await self._report(connection, ReportParams(slot=self._slot, status=self._get_status()))
        await self._outbox.reconcile(result.acknowledged)
        self.connected.set()
        self._recorded.set()

    async def _tell_changes(self, connection: Connection) -> object:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._report(connection, self._take_changes())
            await asyncio.sleep(SPACING)

    def _take_changes(self) -> ReportParams:
        cells, self._cells = self._cells, {}
        operations, self._operations = self._operations, {}
        agents, self._agents = self._agents, {}
        whole, self._whole = self._whole, False
        return ReportParams(
            slot=self._slot,
            status=self._get_status() if whole else None,
            cells=tuple(cell for cell in cells.values() if cell),
            removed=tuple(service for service, cell in cells.items() if cell is None),
            operations=tuple(operations.values()),
            agents=tuple(agents.values()),
        )

    async def _tell_recorded(self, connection: Connection) -> object:
        while True:
            await self._recorded.wait()
            self._recorded.clear()
            while events := await self._outbox.pending(BATCH):
                report = ReportParams(slot=self._slot, events=tuple(events), last_outbox_id=events[-1].seq)
                result = await self._report(connection, report)
                if result.acknowledged < events[0].seq:
                    raise HeroError("failed", "The box did not keep the events that it was given.")
                await self._outbox.acknowledge(result.acknowledged)

    async def _report(self, connection: Connection, report: ReportParams) -> ReportResult:
        params = report.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return ReportResult.model_validate(await connection.call("slot.report", params, timeout=ANSWER_SECONDS))

    def _change(self, service: str, cell: ServiceStatus | None) -> None:
        self._cells.pop(service, None)
        self._cells[service] = cell
        self._changed.set()
