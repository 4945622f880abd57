"""`hero_tui --plain`: the fleet for a screen reader or a log, a sentence a line, nothing painted over."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from backends.client.live import LiveBox, State
from backends.client.locate import Where
from backends.model.agents import Agent
from backends.model.inbox import InboxItem
from backends.model.state import Event, FleetSnapshot, ServiceStatus
from hero_tui import store
from screens.fleet_view import FleetView, SlotView
from screens.widgets.cells import is_faulty
from screens.widgets.celltext import clean
from screens.widgets.inbox_model import is_open

Say = Callable[[str], None]


def run(where: Where) -> int:
    """Print what the fleet is, then each change, until ctrl-c or nobody reads any more; the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a sign that the locale lacks ends nothing
    try:
        asyncio.run(_Plain(where, _print).run(sys.stdout.fileno()))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        pass
    return 0


def opening(view: FleetView) -> Iterator[str]:
    """The fleet in sentences: how big it is, what is broken, what each slot runs."""
    services = sum(len(slot.cells) for slot in view.slots.values())
    faults = [(user, cell) for user in view.users() for cell in view.slots[user].faulty]
    yield (
        f"Box {clean(view.box)}: {_count(len(view.slots), 'slot')}, {_count(services, 'service')}, "
        f"{_count(len(faults), 'fault')}."
    )
    for user, cell in faults:
        yield f"Needs attention: {_cell(user, cell)}"
    for user in view.users():
        yield from _problems(user, (), view.slots[user].head.problems)
    for user in view.users():
        yield f"{clean(user)} runs {_runs(view.slots[user])}."


def changes(before: FleetView, after: FleetView) -> Iterator[str]:
    """What differs, in sentences; nothing for what a person does not need to hear, such as progress."""
    for user in sorted({*before.slots, *after.slots}):
        old, new = before.slots.get(user), after.slots.get(user)
        if old is new:
            continue
        if old is None or new is None:
            yield f"{clean(user)} {'has a slot now' if new else 'has no slot any more'}."
            continue
        if old.head.stale != new.head.stale:
            yield f"The slot of {clean(user)} {'is away' if new.head.stale else 'is back'}."
        yield from _problems(user, old.head.problems, new.head.problems)
        yield from _cells(user, old, new)
        yield from _agents(user, old, new)


def question(item: InboxItem) -> str:
    """Something that waits for this person."""
    options = f" Options: {', '.join(map(clean, item.options))}." if item.options else ""
    how = f" Answer: hero_dev answer {clean(item.id)}."
    return f"{clean(item.sender)} asks you: {clean(item.text)}{options}{how}"


def _problems(user: str, before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """What is wrong with a slot itself; that it is well again is said once, of all together."""
    yield from (f"The slot of {clean(user)}: {clean(one)}" for one in after if one not in before)
    if before and not after:
        yield f"Nothing is wrong any more with the slot of {clean(user)} itself."


def _cells(user: str, old: SlotView, new: SlotView) -> Iterator[str]:
    for name in sorted({*old.cells, *new.cells}):
        before, after = old.cells.get(name), new.cells.get(name)
        if before is after:
            continue
        if after is None:
            yield f"{clean(user)} does not run {clean(name)} any more."
        elif before is None or _heard(before) != _heard(after):
            yield _cell(user, after, before)


def _heard(cell: ServiceStatus) -> tuple[object, ...]:
    build = cell.build.state if cell.build else ""
    return cell.branch, cell.hash, cell.health, cell.drift, cell.exit_code, build


def _cell(user: str, cell: ServiceStatus, before: ServiceStatus | None = None) -> str:
    if cell.drift == "missing":
        return f"{clean(user)} {clean(cell.service)} of {clean(cell.branch)} is not installed."
    parts = [f"{clean(user)} {clean(cell.service)} is {cell.health}"]
    if cell.reason:
        parts.append(clean(cell.reason))
    if before is None or (before.branch, before.hash) != (cell.branch, cell.hash):
        parts.append(f"{clean(cell.branch)} {cell.hash[:8]}".strip())
    if cell.drift not in ("current", "pinned"):
        parts.append(f"{cell.drift}: {clean(cell.drift_reason)}" if cell.drift_reason else cell.drift)
    if cell.build and (before is None or not before.build or before.build.state != cell.build.state):
        parts.append(f"build {cell.build.state}")
    if is_faulty(cell) and cell.last_log:
        parts.append(f"it said: {clean(cell.last_log)}")
    return f"{', '.join(parts)}."


def _agents(user: str, old: SlotView, new: SlotView) -> Iterator[str]:
    for id_ in sorted({*old.agents, *new.agents}):
        before, after = old.agents.get(id_), new.agents.get(id_)
        if after is not None and (before is None or _mind(before) != _mind(after)):
            asks = f": {clean(after.waiting.text)}" if after.waiting else ""
            yield f"Agent {clean(after.name)} is {clean(after.says)}{asks}."


def _mind(agent: Agent) -> tuple[str, str]:
    return agent.says, agent.waiting.id if agent.waiting else ""


def _runs(slot: SlotView) -> str:
    cells = [
        f"{clean(cell.service)} {clean(cell.branch)} {cell.hash[:8]} {cell.health}" for cell in slot.cells.values()
    ]
    return ", ".join(cells) or "nothing"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


class _Plain:
    """One run: the line to the box, what was said already."""

    def __init__(self, where: Where, say: Say):
        self._me = where.user
        self._say = say
        self._fleet = store.Fleet()
        self._told: FleetView | None = None
        self._asked: set[str] = set()
        self._lost = False
        self._line = LiveBox(
            where, on_state=self._on_state, on_snapshot=self._on_snapshot, on_event=self._on_event
        )

    async def run(self, told_to: int | None = None) -> None:
        """Until it is cancelled, or nobody reads any more from the pipe that the sentences go into."""
        line = asyncio.ensure_future(self._line.run())
        try:
            with _unread(told_to, line.cancel):
                await asyncio.wait([line])
        finally:
            line.cancel()
            await self._line.close()
        if not line.cancelled():
            line.result()

    def _on_state(self, state: State, why: str) -> None:
        if state == "reconnecting" and not self._lost:
            self._say(f"The box does not answer: {clean(why)} Trying again.")
        if state == "online" and self._lost:
            self._say("The box answers again.")
        self._lost = state == "reconnecting"

    def _on_snapshot(self, snapshot: FleetSnapshot) -> None:
        self._fleet = store.with_snapshot(self._fleet, snapshot)
        self._tell()

    def _on_event(self, event: Event) -> None:
        self._fleet = store.with_event(self._fleet, event)
        if event.kind == "question.changed":
            self._hear(event)
        self._tell()

    def _hear(self, event: Event) -> None:
        try:
            item = InboxItem.model_validate(event.data)
        except ValueError:
            return
        if item.to == self._me and is_open(item) and item.id not in self._asked:
            self._asked.add(item.id)
            self._say(question(item))

    def _tell(self) -> None:
        before, self._told = self._told, self._fleet.view
        for sentence in opening(self._told) if before is None else changes(before, self._told):
            self._say(sentence)


@contextlib.contextmanager
def _unread(file: int | None, do: Callable[[], object]) -> Iterator[None]:
    """Meanwhile `do` is called once nobody reads from the pipe `file`, be there something to say or not."""
    loop = asyncio.get_running_loop()
    is_pipe = file is not None and stat.S_ISFIFO(os.fstat(file).st_mode)
    if file is not None and is_pipe:
        loop.add_reader(file, do)  # where one writes, nothing comes but the news that the other end is closed
    try:
        yield
    finally:
        if file is not None and is_pipe:
            loop.remove_reader(file)


def _print(sentence: str) -> None:
    print(f"{datetime.now().astimezone():%H:%M:%S} {sentence}", flush=True)
