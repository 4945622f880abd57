"""The slot's agents as the rest of the slot knows them: all their parts, wired once."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from backends.claude.broker_client import BrokerClient
from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.model.inbox_calls import InboxResult
from backends.model.paths import BoxPaths, SlotPaths
from backends.rpc.connection import Connection
from backends.slot.agents.acting import Acting, AuditEnd
from backends.slot.agents.agents import Agents
from backends.slot.agents.boxside import InboxLink
from backends.slot.agents.following import AgentLogs
from backends.slot.agents.held import HeldHooks
from backends.slot.agents.issue_comments import AgentIssues
from backends.slot.agents.paying import ClaudePayers
from backends.slot.agents.process import MARK
from backends.slot.agents.record import Queued
from backends.slot.agents.session import Session
from backends.slot.agents.standing import standing
from backends.slot.agents.starter import ClaudeStarter
from backends.slot.agents.windows import Windows
from backends.slot.claude import ClaudeChoices
from backends.slot.context import SlotContext
from backends.slot.processes import environment_of


class AgentDesk:
    """The agents of one slot in `box`; `told` gets each one's newest state."""

    def __init__(
        self,
        slot: SlotContext,
        choices: ClaudeChoices,
        broker: BrokerClient,
        box: BoxPaths,
        told: Callable[[Agent], None],
        audit_end: AuditEnd,
    ):
        self.inbox = InboxLink(self._fetched)
        self.logs = AgentLogs()
        self.held = HeldHooks()
        self._broker = broker
        self._leases: asyncio.Task[None] | None = None
        self._issues = AgentIssues(slot)
        # The socket by its short name: the long one may not fit where a session's hooks connect.
        starter = ClaudeStarter(Path.home(), slot.paths.rpc_socket, box.root)
        payers = ClaudePayers(choices, broker)
        self.agents = Agents(slot, _windows(box, slot.paths), starter, payers, self.inbox, told)
        self.agents.issues = self._issues
        self.acting = Acting(slot, lambda: self.inbox, audit_end)
        self.agents.when_ended = self.acting.ended

    async def open(self) -> None:
        """Find the sessions again."""
        await self.acting.open()
        await self.agents.open()
        leases = self._broker.leases(self.agents.lease_ended, self.agents.has_leases)
        self._leases = asyncio.create_task(leases, name="agents-leases")

    def use(self, reach: Callable[[], Connection]) -> None:
        """Reach the box's inbox over what `reach` gives."""
        self.inbox.use(reach)
        self.acting.use(reach)

    async def deliver(self, session: Session, queued: Sequence[Queued]) -> None:
        """Put messages of the inbox in line; the box is told once they are on the disk. Raises HeroError."""
        session.put(*queued)
        await session.save()
        self.inbox.taken([one.id for one in queued])
        self.agents.speak(session)

    def _fetched(self, result: InboxResult) -> None:
        for item in result.items:
            with contextlib.suppress(HeroError):
                session = self.agents.session(item.to)
                session.refuse_ended()
                session.spawn(self.deliver(session, [Queued(text=item.as_message, id=item.id)]), "deliver")

    def connected(self) -> None:
        """The box is there (again): it is told which of what it has open stands."""
        self.acting.connected()
        self.inbox.standing(lambda: [*standing(self.agents.living()), *self.acting.standing()])

    def behind(self, pid: int) -> str:
        """The number of the agent that started the process `pid`, empty where none did."""
        mark = environment_of(pid).get(MARK.encode(), b"").decode(errors="replace")
        return next((one.id for one in self.agents.living() if mark and one.record.mark == mark), "")

    def shown(self) -> tuple[Agent, ...]:
        """The agents that the fleet shows."""
        return self.agents.shown()

    def hang_up(self) -> None:
        """This daemon is about to end: the hooks that wait here ask the next one."""
        self.held.hang_up()

    async def close(self, *, end: bool) -> None:
        """Leave the sessions alone, or `end` them until the slot comes back."""
        if self._leases is not None:
            self._leases.cancel()
            await asyncio.gather(self._leases, return_exceptions=True)
        await self.agents.close(end=end)
        await self.acting.close()
        await self._issues.close()
        await self.inbox.close()


def _windows(box: BoxPaths, slot: SlotPaths) -> Windows:
    """The user's own tmux server on a system box, where the login's session is too; else one of the slot's."""
    if not box.homes.is_symlink():
        return Windows(slot.tmux_socket, own=True)
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    base = os.environ.get("TMUX_TMPDIR") or runtime
    return Windows(Path(base) / f"tmux-{os.geteuid()}" / "default", own=False)
