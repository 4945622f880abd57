"""Long calls of a slot: who runs, how far they are, how they ended, and what a kill interrupted."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.model.errors import HeroError
from backends.model.state import ErrorInfo, Operation
from backends.slot.files import remove_file, write_atomically

log = logging.getLogger(__name__)

KEPT = 100
"""Finished operations that stay readable."""

Work = Callable[["Progress"], Awaitable[dict[str, Any]]]
Watcher = Callable[[Operation], None]


@dataclass
class Progress:
    """What the running work tells of itself; every tell reaches the watchers at once."""

    _operations: Operations
    id: str
    cancel: asyncio.Event = field(default_factory=asyncio.Event)
    _committed: bool = False

    def tell(self, phase: str, done: int = 0, total: int | None = None) -> None:
        """The phase in words, and bytes or steps done of `total`."""
        self._operations.change(self.id, phase=phase, done=done, total=total)

    def commit(self) -> None:
        """From here on the work ends by itself; a cancel comes too late."""
        self._committed = True

    @property
    def cancellable(self) -> bool:
        return not self._committed


class Operations:
    """The slot's operations. A record of each running one is on disk, so that a kill is reported, not lost."""

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._folder = folder
        self._now = now
        self._all: OrderedDict[str, Operation] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, Progress] = {}
        self._watchers: set[Watcher] = set()
        self._locks: dict[str, str] = {}

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with each change; returns the function that ends it."""
        self._watchers.add(watcher)
        return lambda: self._watchers.discard(watcher)

    def interrupted(self) -> list[Operation]:
        """Operations that a kill of this daemon cut off; each is told once."""
        found = []
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []:
            try:
                was = Operation.model_validate_json(path.read_bytes())
            except (OSError, ValueError):
                remove_file(path)
                continue
            error = ErrorInfo(
                code="failed",
                message=f"{was.title}: the slot's daemon was killed in the phase {was.phase or 'start'!r}.",
                hint="Run it again.",
            )
            ended = was.model_copy(update={"state": "failed", "error": error, "finished_at": self._now()})
            self._remember(ended)
            remove_file(path)
            found.append(ended)
        return found

    def start(self, kind: str, work: Work, *, service: str = "", title: str = "", actor: str = "") -> str:
        """Run `work` as an owned task; returns the operation's id. One at a time a service.

        Raises HeroError `busy` while another operation holds the service.
        """
        if service and service in self._locks:
            other = self._all[self._locks[service]]
            raise HeroError(
                "busy",
                f"{service} is busy: {other.title or other.kind} is running ({other.phase or 'starting'}).",
                hint=f"Wait for it, or cancel operation {other.id}.",
                data={"operation": other.id},
            )
        operation = Operation(
            id=secrets.token_hex(6),
            kind=kind,
            service=service,
            title=title or f"{kind} {service}".strip(),
            actor=actor,
            started_at=self._now(),
        )
        if service:
            self._locks[service] = operation.id
        self._remember(operation)
        try:
            write_atomically(self._record(operation.id), operation.model_dump_json().encode(), durable=False)
        except HeroError:
            self._locks.pop(service, None)
            self._all.pop(operation.id, None)
            raise
        progress = Progress(self, operation.id)
        self._progress[operation.id] = progress
        self._tasks[operation.id] = asyncio.create_task(
            self._run(operation.id, work, progress), name=f"operation-{kind}-{service}"
        )
        self._tell(operation)
        return operation.id

    def hold(self, services: list[str], operation: str) -> None:
        """Take further services for a running operation. Raises HeroError `busy`, taking none."""
        for service in services:
            holder = self._locks.get(service)
            if holder not in (None, operation):
                other = self._all[holder]
                raise HeroError(
                    "busy",
                    f"{service} is busy: {other.title} is running.",
                    hint="Try again when it is done.",
                    data={"operation": other.id},
                )
        for service in services:
            self._locks[service] = operation

    def release(self, service: str, operation: str) -> None:
        """A running operation is done with `service`; others may take it."""
        if self._locks.get(service) == operation:
            del self._locks[service]

    def change(self, operation_id: str, **fields: Any) -> Operation:
        operation = self._all[operation_id].model_copy(update=fields)
        self._all[operation_id] = operation
        self._tell(operation)
        return operation

    def get(self, operation_id: str) -> Operation:
        """Raises HeroError `not_found`."""
        try:
            return self._all[operation_id]
        except KeyError:
            raise HeroError(
                "not_found",
                f"There is no operation {operation_id!r} in this slot.",
                hint="Finished operations are kept until the daemon restarts or a hundred newer ones ended.",
            ) from None

    def all(self) -> tuple[Operation, ...]:
        return tuple(self._all.values())

    def running_on(self, service: str) -> Operation | None:
        holder = self._locks.get(service)
        return self._all[holder] if holder else None

    async def wait(self, operation_id: str) -> Operation:
        """The operation, ended."""
        self.get(operation_id)
        if task := self._tasks.get(operation_id):
            await asyncio.shield(task)
        return self._all[operation_id]

    def cancel(self, operation_id: str) -> None:
        """Ask a running operation to stop; what it had not finished is undone.

        Raises HeroError when it is over, or past the point where it can stop.
        """
        operation = self.get(operation_id)
        progress = self._progress.get(operation_id)
        if operation.state != "running" or progress is None:
            raise HeroError("conflict", f"{operation.title} has already ended ({operation.state}).")
        if not progress.cancellable:
            raise HeroError(
                "conflict",
                f"{operation.title} is past the point where it can stop ({operation.phase}).",
                hint="Let it end; `hero_dev switch --back` undoes a switch.",
            )
        progress.cancel.set()
        asyncio.get_running_loop().call_soon(self._tasks[operation_id].cancel)

    async def close(self) -> None:
        """Cancel what runs and wait for it."""
        for operation_id, task in list(self._tasks.items()):
            if self._progress[operation_id].cancellable:
                task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, operation_id: str, work: Work, progress: Progress) -> None:
        fields: dict[str, Any]
        try:
            fields = {"state": "succeeded", "result": await work(progress)}
        except asyncio.CancelledError:
            error = ErrorInfo(code="cancelled", message="Cancelled; what ran before runs on.")
            fields = {"state": "cancelled", "error": error}
        except HeroError as error:
            state = "cancelled" if error.code == "cancelled" else "failed"
            info = ErrorInfo(code=error.code, message=error.message, hint=error.hint)
            fields = {"state": state, "error": info, "result": error.data}
        except Exception as error:  # the operation must end, and say so, whatever broke in it
            log.exception("operation %s broke", operation_id)
            info = ErrorInfo(
                code="internal",
                message=f"{type(error).__name__}: {error}",
                hint="This is a fault of the program; the traceback is in slotd.log.",
            )
            fields = {"state": "failed", "error": info}
        finally:
            for service in [name for name, holder in self._locks.items() if holder == operation_id]:
                del self._locks[service]
            self._tasks.pop(operation_id, None)
            self._progress.pop(operation_id, None)
            remove_file(self._record(operation_id))
        self.change(operation_id, finished_at=self._now(), **fields)

    def _remember(self, operation: Operation) -> None:
        self._all[operation.id] = operation
        while len(self._all) > KEPT:
            oldest = next((id_ for id_, op in self._all.items() if op.state != "running"), None)
            if oldest is None:
                return
            del self._all[oldest]

    def _tell(self, operation: Operation) -> None:
        for watcher in tuple(self._watchers):
            watcher(operation)

    def _record(self, operation_id: str) -> Path:
        return self._folder / f"{operation_id}.json"
