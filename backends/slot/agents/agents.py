"""All sessions of a slot: begun, spoken to, ended; found again after a restart, brought back after a reboot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from backends.claude.spool import forget, read_spool
from backends.claude.status_file import SessionStatus
from backends.model.agent_calls import AgentStartParams
from backends.model.agents import Agent
from backends.model.errors import HeroError, unknown_name
from backends.slot.agents import ending, hooks, loop, process, standing
from backends.slot.agents.alarms import Alarms
from backends.slot.agents.making import new_record, warnings
from backends.slot.agents.opening import Opening
from backends.slot.agents.places import Place, choose
from backends.slot.agents.ports import BoxSide, Issues, Payers, Starter
from backends.slot.agents.record import Queued
from backends.slot.agents.returning import bring_back
from backends.slot.agents.session import Session, now
from backends.slot.agents.shelf import Shelf
from backends.slot.agents.situation import DialogOpened, Ended, Fact, Interrupted, Told, TurnFailed
from backends.slot.agents.speaking import arrived, drain, speak
from backends.slot.agents.telling import Teller
from backends.slot.agents.unheard import put_back
from backends.slot.agents.watching import StatusWatch
from backends.slot.agents.windows import Windows
from backends.slot.context import SlotContext

SHOWN_HOURS = 1
"""For how long the fleet shows a session that has ended."""

AWAY = "stopped"
"""In the place of a boot: the whole slot was stopped, and its sessions come back with it."""


class Agents:
    """The sessions of one slot. `told` gets each one's newest state, `windows` is where they run."""

    def __init__(
        self,
        slot: SlotContext,
        windows: Windows,
        starter: Starter,
        payers: Payers,
        box: BoxSide,
        told: Callable[[Agent], None],
        *,
        boot: Callable[[], str] = process.boot_id,
    ):
        self.windows = windows
        self.box = box
        self.issues: Issues | None = None
        self.when_ended: Callable[[Agent], None] = lambda _: None
        self._slot = slot
        self._starter = starter
        self._payers = payers
        self._boot = boot()
        self._sessions: dict[str, Session] = {}
        self._shelf = Shelf(slot.paths.agents, self._sessions.get)
        self._teller = Teller(told)
        self._watch = StatusWatch(self._status)
        self._alarms = Alarms(self._watch.look)
        self.opening = Opening(windows, starter, payers, self._watch, self._boot, self._process_ended)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def open(self) -> None:
        """Take up what lives, bring back what a reboot ended, tell the end of what else is gone."""
        self._watch.open()
        for folder, record in await asyncio.to_thread(self._shelf.records):
            self._sessions[folder.name] = Session(folder, record, self._changed, self._known)
        self._spawn(self._watch.run(), "agents-status")
        for session in tuple(self._sessions.values()):
            await self._take_up(session)

    async def close(self, *, end: bool = False) -> None:
        """Leave the sessions alone; with `end` they are ended, and come back when the slot does."""
        if end:
            await asyncio.gather(*(self._put_away(one) for one in self.living()))
        self._closing = True
        self._alarms.close()
        self._teller.close()
        self.opening.close()
        for session in self._sessions.values():
            await drain(session)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._watch.close()
        await self._shelf.close()

    def living(self) -> list[Session]:
        return [one for one in self._sessions.values() if one.alive]

    def all(self, *, ended: bool = True) -> tuple[Agent, ...]:
        """Every session, the newest first; without `ended` those that live, or ended badly."""
        found = sorted(self._sessions.values(), key=lambda one: int(one.id), reverse=True)
        return tuple(one.agent for one in found if ended or one.agent.state != "gone")

    def shown(self) -> tuple[Agent, ...]:
        """Those that the fleet shows: what lives, and what ended a while ago at most."""
        recent = now() - timedelta(hours=SHOWN_HOURS)
        return tuple(one for one in self.all() if one.ended_at is None or one.ended_at > recent)

    def session(self, name: str) -> Session:
        """One session by its number or `<slot>/<number>`. Raises HeroError `not_found`."""
        slot, _, id = name.rpartition("/")
        found = self._sessions.get(id) if slot in ("", self._slot.user) else None
        if found is None:
            raise unknown_name("agent", name, (one.id for one in self._sessions.values()))
        return found

    async def start(self, asked: AgentStartParams) -> tuple[Agent, tuple[str, ...]]:
        """Begin a session; its state, and what is to be known of it. Raises HeroError."""
        model = self._starter.model(asked.model)
        await self._starter.check()
        await self._payers.check()
        place, asked = await self._work(asked)
        told = warnings(place, (one.agent for one in self.living()))
        id, folder = await asyncio.to_thread(self._shelf.make)
        record = new_record(id, self._slot.user, asked, place, model, now())
        session = self._sessions[id] = Session(folder, record, self._changed, self._known)
        try:
            if record.loop is not None:
                session.put(Queued(text=loop.begin(session), kind="iteration"))
            elif asked.prompt.strip():
                session.put(Queued(text=asked.prompt, kind="prompt"))
            await session.save()
            await self.opening.open(session)
        except BaseException:
            await self._undo(session)
            raise
        self._alarms.started(session)
        return session.agent, told

    async def resume(self, session: Session) -> Agent:
        """Go on with a session that has ended. Raises HeroError."""
        if session.alive:
            hint = "`hero_dev agent-attach` shows it."
            raise HeroError("conflict", f"Agent {session.agent.name} runs.", hint=hint)
        if not Path(session.agent.worktree).is_dir():
            raise HeroError(
                "not_found",
                f"Agent {session.agent.name} worked in {session.agent.worktree}, which is gone.",
                hint="`hero_dev sync` makes worktrees again.",
            )
        await self._starter.check()
        session.keep(wanted=True, cost_before=session.agent.cost)
        await put_back(session, self._starter.config(session.folder))
        if loop.is_going(session) and not session.record.queue and (prompt := loop.again(session)):
            session.put(Queued(text=prompt, kind="iteration"))
        try:
            await self.opening.open(session)
        except HeroError as error:
            session.know(Ended(reason=f"it could not be started: {error.message}"))
            raise
        self._alarms.started(session)
        self.box.fetch(session.agent)
        return session.agent

    async def stop(self, session: Session) -> Agent:
        """End a session for good. Raises HeroError."""
        session.keep(wanted=False)
        if session.alive:
            loop.end(session, "stopped")
            await ending.end(session, self.windows)
        elif session.agent.state != "gone":
            session.change(state="gone", why="", detail="")
        await session.save()
        return session.agent

    def speak(self, session: Session) -> None:
        """Say what is in line, if the session can take it now."""
        if session.record.queue and session.situation.rests and not session.speaking.locked() and not session.deaf:
            session.spawn(speak(session, self.windows), "speak")

    def look(self, session: Session) -> None:
        """A hook has spoken: the status file may say more."""
        self._watch.look(session.id)
        self._alarms.heard(session)

    async def _work(self, asked: AgentStartParams) -> tuple[Place, AgentStartParams]:
        if not asked.issue:
            return await choose(self._slot, asked), asked
        if self.issues is None:
            raise HeroError("usage", "This slot's forge has no issues that an agent could work on.")
        work = await self.issues.begin(asked.issue, asked.prompt)
        return work.place, asked.model_copy(update={"prompt": work.prompt, "title": asked.title or work.title})

    async def _take_up(self, session: Session) -> None:
        """Find a session again as it is now."""
        known = session.record.process
        if session.alive:
            for waiting in session.record.standing:
                session.know(DialogOpened(waiting))
        self._replay(session)
        if session.alive and known is not None and process.is_alive(known, self._boot):
            self.opening.watch(session)
            self._alarms.heard(session)
            if session.situation.dialogs:
                session.spawn(standing.await_hooks(session, self.box), "hooks")
        elif session.alive and session.record.boot == self._boot and known is not None:
            await self._end(session)
        elif session.record.wanted and session.record.boot != self._boot:
            # Not awaited: its window asks this daemon, which answers nobody before it is open.
            self._spawn(self._bring_back(session), f"agent-{session.id}-back")
        elif session.alive:
            session.know(Ended(reason="its start was cut off"))

    async def _bring_back(self, session: Session) -> None:
        standing.give_up(session, self.box, "The machine was started again.")
        await bring_back(session, self.resume)

    def _replay(self, session: Session) -> None:
        """Take in what hooks said while nobody listened."""
        for one in read_spool(self._starter.spool(session.folder)):
            hooks.replayed(session, one.event, one.payload)
            forget(one.path)

    async def _put_away(self, session: Session) -> None:
        await ending.end(session, self.windows)
        session.keep(wanted=True, boot=AWAY)

    def _status(self, id: str, status: SessionStatus) -> None:
        """The status file of a session says so."""
        session = self._sessions.get(id)
        if session is None or not session.alive:
            return
        before = session.situation
        if status.doing == "busy" and session.typed:
            arrived(session)
        over = before.dialogs if status.doing != "waiting" else ()
        session.know(Told(status.doing, status.waiting_for))
        standing.settle_closed(session, over, self.box)

    def _known(self, session: Session, fact: Fact) -> None:
        self._alarms.heard(session)
        if isinstance(fact, Interrupted) and loop.is_going(session):
            loop.end(session, "stopped", "interrupted in its window")
        if isinstance(fact, Ended):
            self._watch.remove(session.id)
            self.when_ended(session.agent)
        elif not session.situation.failure:
            self.speak(session)
        if self.issues is not None and session.agent.issue:
            self.issues.changed(session.agent)

    def _process_ended(self, session: Session) -> None:
        if not self._closing:
            self._spawn(self._end(session), f"agent-{session.id}-ended")

    def has_leases(self) -> bool:
        """Whether a session runs by what the broker gave it."""
        return any(one.record.lease for one in self.living())

    def lease_ended(self, lease: str, reason: str) -> None:
        """The broker takes a key back: a session that has it itself is ended; a pass is refused by the broker."""
        for session in self.living():
            if lease and session.record.lease == lease and session.record.has_key:
                session.know(TurnFailed("authentication_failed", f"its org key was taken back: {reason}"))
                session.keep(wanted=False)
                self._spawn(ending.end(session, self.windows), f"agent-{session.id}-lease")

    async def _end(self, session: Session) -> None:
        self._replay(session)
        standing.give_up(session, self.box, "The agent has ended.")
        if lease := session.record.lease:
            session.keep(lease="")
            await self._payers.release(lease)
        await ending.ended(session, self.windows)

    async def _undo(self, session: Session) -> None:
        """Nothing stays of a session that never began."""
        del self._sessions[session.id]
        self._watch.remove(session.id)
        self._alarms.drop(session.id)
        if session.agent.window:
            await self.windows.close(session.agent.window)
        await drain(session)
        await asyncio.to_thread(self._shelf.remove, session.id)

    def _changed(self, session: Session) -> None:
        if session.id in self._sessions:
            self._shelf.soon(session.id)
            if session.agent.window or session.agent.ended_at:
                self._teller.changed(session.agent)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
