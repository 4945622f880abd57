"""An inbox in a folder whose clock the test moves, made again by `restart`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backends.box.inbox.callers import Caller
from backends.box.inbox.inbox import Inbox
from backends.box.links import Links
from backends.database import Database
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import AnswerParams, ApprovalParams, AskParams, InboxParams, TellParams
from backends.model.policy import Rule

ALICE, MIK = Caller("alice"), Caller("mik", admin=True)
AGENT = Caller("alice", "3")
BEGIN = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clocked:
    """`told` has every change in its order, over all restarts."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.now = BEGIN
        self.told: list[InboxItem] = []

    async def start(self) -> None:
        self._database = Database(self._folder / "box.sqlite")
        self._links = Links(lambda _, __: None)
        self.inbox = Inbox(self._database, self._links, self._tell, now=lambda: self.now)
        await self.inbox.open()

    async def stop(self) -> None:
        await self.inbox.close()
        await self._links.close()
        await self._database.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def ask(self, by: Caller = AGENT, to: str = "alice", text: str = "Now?", **more: object) -> InboxItem:
        params = AskParams.model_validate({"text": text, "agent": by.agent, **more})
        return await self.inbox.ask(params, by, to)

    async def propose(self, radius: str = "high", hold: float = 0.0, waiting: str = "act-1") -> InboxItem:
        """An approval of alice's agent 3, to alice."""
        rule = Rule.model_validate({"action": "slot.*", "radius": radius, "hold": f"{hold:g}s"})
        approval = ApprovalParams(action="slot.switch", subject="hero_web")
        text = "switch hero_web x\n\nbranch: x"
        params = AskParams(text=text, agent="3", waiting=waiting, approval=approval)
        return await self.inbox.propose(params, AGENT, "alice", rule)

    async def answer(
        self, item: InboxItem, by: Caller = ALICE, text: str = "yes", choice: int = 0, confirm: str = ""
    ) -> InboxItem:
        params = AnswerParams(id=item.id, text=text, choice=choice, confirm=confirm)
        return await self.inbox.answer(params, by)

    async def send(self, by: Caller, to: str, text: str = "Look.") -> InboxItem:
        return await self.inbox.send(TellParams(to=to, text=text), by, to)

    async def of(self, by: Caller, *, sent: bool = False, ended: bool = False) -> Sequence[InboxItem]:
        return (await self.inbox.listed(InboxParams(sent=sent, ended=ended, whose=by.name), by)).items

    async def one(self, item: InboxItem, by: Caller) -> InboxItem:
        return (await self.inbox.listed(InboxParams(id=item.id), by)).items[0]

    async def _tell(self, items: Sequence[InboxItem]) -> None:
        self.told += items


@contextlib.asynccontextmanager
async def clocked(folder: Path) -> AsyncIterator[Clocked]:
    """A started one, stopped at the end."""
    made = Clocked(folder)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
