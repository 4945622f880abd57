"""One session: what is known of it, and what follows whenever more is known; who acts on it is elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.slot.agents.dialogs import Dialogs
from backends.slot.agents.lines import Entry
from backends.slot.agents.log import AgentLog
from backends.slot.agents.record import Queued, Record, write_record
from backends.slot.agents.situation import Ended, Fact, Launched, Situation, after, shown

DEAF = "it does not take what is typed: look into its window"

TAKEN_KNOWN = 500
"""Ids of messages that are remembered, so that none is told twice."""


def now() -> datetime:
    """The present, with its zone."""
    return datetime.now(UTC)


class Session:
    """A session in `folder`. `on_change` is called whenever its record has changed, `on_fact` after each fact."""

    def __init__(
        self,
        folder: Path,
        record: Record,
        on_change: Callable[[Session], None],
        on_fact: Callable[[Session, Fact], None],
    ):
        self.folder = folder
        self.record = record
        self.situation = Situation(ended=None if record.agent.ended_at is None else Ended())
        self.log = AgentLog(folder)
        self.dialogs = Dialogs()
        self.speaking = asyncio.Lock()
        self.prompted = asyncio.Event()
        self.ended = asyncio.Event()
        self.typed: tuple[Queued, ...] = ()
        self.loaded: tuple[Queued, ...] = ()
        self.deaf = False
        self.left = ""
        self.tasks: set[asyncio.Task[Any]] = set()
        self._on_change = on_change
        self._on_fact = on_fact
        self._writing = threading.Lock()
        if record.agent.ended_at is not None:
            self.ended.set()

    @property
    def agent(self) -> Agent:
        return self.record.agent

    @property
    def id(self) -> str:
        return self.record.agent.id

    @property
    def alive(self) -> bool:
        """Whether its process is there, or about to be."""
        return self.situation.ended is None

    def know(self, fact: Fact) -> None:
        """Take `fact` in: the state follows."""
        if isinstance(fact, Launched):
            self.ended.clear()
            self.left, self.deaf = "", False
        self.situation = after(self.situation, fact)
        state, why, detail, waiting = shown(self.situation)
        if state == "idle" and self.record.queue:
            # It is about to be typed: nobody should see it as done for that moment.
            state, why = ("idle", "done") if self.deaf else ("working" if self.record.begun else "starting", "")
            detail = DEAF if self.deaf else ""
        if self.situation.dialogs != self.record.standing:
            self.keep(standing=self.situation.dialogs)
        changed: dict[str, Any] = {"state": state, "why": why, "detail": detail, "waiting": waiting}
        if isinstance(fact, Ended) and self.agent.ended_at is None:
            changed |= {"ended_at": now(), "pid": None, "window": ""}
        elif isinstance(fact, Launched):
            changed |= {"ended_at": None}
        self.change(**changed)
        if isinstance(fact, Ended):
            self.ended.set()
        self._on_fact(self, fact)

    def change(self, **fields: Any) -> None:
        """Change what people see of it."""
        before = self.agent
        agent = before.model_copy(update=fields)
        if (agent.state, agent.why) != (before.state, before.why):
            agent = agent.model_copy(update={"since": now()})
        if agent != before:
            self.record = self.record.model_copy(update={"agent": agent})
            self._on_change(self)

    def keep(self, **fields: Any) -> None:
        """Change what is kept of it besides."""
        self.record = self.record.model_copy(update=fields)
        self._on_change(self)

    def put(self, *queued: Queued) -> None:
        """Put something in line, to be said at its next turn; what came under the same id before is left out."""
        known = {one.id for one in self.record.queue if one.id} | set(self.record.taken)
        new = tuple(one for one in queued if one.id not in known)
        taken = (*self.record.taken, *(one.id for one in new if one.id))[-TAKEN_KNOWN:]
        self.record = self.record.model_copy(update={"taken": taken})
        self._queue((*self.record.queue, *new))

    def put_first(self, queued: Iterable[Queued]) -> None:
        """Put what it had already been told in line again, before all else."""
        self._queue((*queued, *self.record.queue))

    def said(self, what: Iterable[Queued]) -> None:
        """Some of the line was said."""
        done = list(what)
        self._queue(tuple(one for one in self.record.queue if one not in done))

    def write(self, *entries: Entry) -> None:
        """Add to its log."""
        self.log.add(entries, now())

    async def save(self) -> None:
        """Have the record on disk, durably. Raises HeroError."""
        await asyncio.to_thread(self.write_down, durable=True)

    def write_down(self, *, durable: bool) -> None:
        """Have the record on disk as it is now: never an older one over a newer. Blocks; raises HeroError."""
        with self._writing:
            write_record(self.folder, self.record, durable=durable)

    def spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        """Run `work` as a task of this session."""
        task: asyncio.Task[Any] = asyncio.create_task(work, name=f"agent-{self.id}-{name}")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def refuse_ended(self) -> None:
        """Raises HeroError `conflict` where it is over."""
        if not self.alive:
            raise HeroError(
                "conflict",
                f"Agent {self.agent.name} has ended.",
                hint=f"`hero_dev agent-resume {self.id}` goes on with it.",
            )

    def _queue(self, queue: tuple[Queued, ...]) -> None:
        self.record = self.record.model_copy(update={"queue": queue})
        pending = len(queue)
        if pending != self.agent.pending:
            self.change(pending=pending)
        else:
            self._on_change(self)
