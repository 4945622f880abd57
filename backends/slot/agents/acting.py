"""What agents do to their slot: at once where policy lets them; else the very thing that a person has allowed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from backends.model.agent_calls import (
    AgentActed,
    AgentActParams,
    AgentDecideParams,
    AgentTools,
    AgentToolsParams,
    HeldAction,
)
from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import ApprovalParams, AskParams
from backends.model.state import Operation
from backends.model.text import safe_text
from backends.rpc.connection import Connection
from backends.slot.agents import proposals
from backends.slot.agents.outlook import Asked, asked_of, do_at_once, do_exactly, in_words, look, title_of
from backends.slot.agents.ports import BoxSide
from backends.slot.agents.proposals import Proposal, proposal_id
from backends.slot.agents.session import now
from backends.slot.context import SlotContext
from backends.slot.operations import Work

log = logging.getLogger(__name__)

ANSWER_SECONDS = 30.0
BACK_SECONDS = 10.0
"""How long an action waits for a box whose daemon is being restarted."""
OUTCOME_LIMIT = 8000
"""Characters that an agent is told of what came of its action."""

AuditEnd = Callable[[str, Mapping[str, Any]], None]

_CUT_OFF = (
    "It was begun, and a restart of the slot's daemon cut it off: it came back to what ran before, or to what it "
    "was to run. Look at the status."
)


class Acting:
    """The actions of the agents of one slot. `box` gives the line to its inbox; `audit_end` has the end of an
    operation audited.

    A proposal is on this slot's disk, with all that it is to do; the box only says that somebody has allowed the
    one of that id. It is carried out once at most, whichever daemon is killed.
    """

    def __init__(self, slot: SlotContext, box: Callable[[], BoxSide], audit_end: AuditEnd):
        self._slot = slot
        self._folder: Path = slot.paths.agents
        self._box = box
        self._audit_end = audit_end
        self._reach: Callable[[], Connection] = _nobody
        self._came = asyncio.Event()
        self._proposals: dict[str, Proposal] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def use(self, reach: Callable[[], Connection]) -> None:
        """Call the box over what `reach` gives; it raises HeroError while the box is away."""
        self._reach = reach

    def connected(self) -> None:
        """The box is there (again)."""
        self._came.set()

    async def open(self) -> None:
        """Find again what was proposed; go on with what was allowed and not begun."""
        found = await asyncio.to_thread(proposals.read_proposals, self._folder)
        self._proposals = {one.id: one for one in found}
        for one in found:
            if one.state == "allowed":
                self._spawn(self._carry_out(one), one.id)
            elif one.state == "begun":
                await self._end(one, problem="It was cut off by a restart of the slot's daemon.", outcome=_CUT_OFF)
            elif one.state == "ended":
                self._tell(one)

    async def close(self) -> None:
        """Begin nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def standing(self) -> list[str]:
        """The ids of what the box may have in its inbox."""
        return list(self._proposals)

    async def act(self, agent: Agent, params: AgentActParams) -> AgentActed:
        """Begin what `agent` asks for, or propose it where policy does not let agents do it. Raises HeroError."""
        asked = asked_of(params.action, params.asked)
        if (await self._held(params.action)).radius != "low":
            return AgentActed(item=await self._propose(agent, params.action, asked))
        if params.action == "slot.rebuild":
            self._slot.bound(asked.service)
        work = _at_once(self._slot, asked)
        return AgentActed(operation=self._begin(asked, work, {}, agent.id))

    async def decide(self, params: AgentDecideParams) -> None:
        """Somebody has allowed a proposal: it is carried out. Raises HeroError `conflict` where there is none."""
        known = self._proposals.get(params.waiting)
        if known is None or known.agent != params.agent or known.item != params.item:
            raise HeroError("conflict", "The slot does not know of this proposal (any more). Nothing was done.")
        if known.state != "open":
            return
        allowed = await self._keep(known, state="allowed", by=params.by)
        self._spawn(self._carry_out(allowed), allowed.id)

    def ended(self, agent: Agent) -> None:
        """An agent is gone: what it proposed and nobody has allowed yet is given up."""
        for one in [one for one in self._proposals.values() if one.agent == agent.id and one.state == "open"]:
            self._box().acted(one.agent, one.id, done=False, problem="The agent has ended.")
            self._spawn(self._forget(one), one.id)

    # -- proposing --------------------------------------------------------------------------------

    async def _held(self, action: str) -> HeldAction:
        """What policy says of `action` now. Raises HeroError: denied where no tool of the role takes it."""
        params = AgentToolsParams(user=self._slot.user).model_dump(mode="json")
        granted = AgentTools.model_validate(await self._ask_box("agent.tools", params))
        found = next((one for one in granted.actions if one.action == action), None)
        if found is None:
            raise HeroError("denied", f"Agents of a {granted.role} are not granted {action} (policy.toml).")
        return found

    async def _propose(self, agent: Agent, action: str, asked: Asked) -> InboxItem:
        outlook = await look(self._slot, asked)
        if outlook.plan.nothing_to_do:
            raise HeroError("nothing_to_do", f"{title_of(asked)}: nothing to do, this is how it is already.")
        given = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
        name = proposal_id(agent.id, agent.session, action, given, outlook.facts)
        known = self._proposals.get(name)
        if known is not None and known.state != "open":
            raise HeroError("conflict", f"{known.title} was allowed and is being done already ({known.item}).")
        # Known before the box is asked: it is told all that stands whenever it comes back.
        proposal = known or await self._remember(agent, name, action, given, asked, outlook.facts)
        try:
            item = await self._asked(proposal, in_words(proposal.title, outlook))
        except HeroError:
            if not proposal.item:
                await self._forget(proposal)
            raise
        await self._keep(proposal, item=item.id)
        return item

    async def _remember(
        self,
        agent: Agent,
        name: str,
        action: str,
        given: dict[str, Any],
        asked: Asked,
        facts: Mapping[str, str],
    ) -> Proposal:
        known = {"id": name, "agent": agent.id, "action": action, "asked": given, "title": title_of(asked)}
        proposal = Proposal.model_validate({**known, "facts": dict(facts), "made_at": now()})
        waiting = [one for one in self._proposals.values() if one.agent == agent.id and one.state == "open"]
        for one in sorted(waiting, key=lambda one: one.made_at)[: max(0, len(waiting) - proposals.KEPT + 1)]:
            await self._forget(one)
        return await self._keep(proposal)

    async def _asked(self, proposal: Proposal, text: str) -> InboxItem:
        asked = AskParams(
            text=safe_text(text),
            agent=proposal.agent,
            waiting=proposal.id,
            approval=ApprovalParams(action=proposal.action, subject=str(proposal.asked["service"])),
        )
        return InboxItem.model_validate(await self._ask_box("question.ask", asked.model_dump(mode="json")))

    async def _ask_box(self, method: str, params: dict[str, Any]) -> Any:
        return await (await self._box_link()).call(method, params, timeout=ANSWER_SECONDS)

    async def _box_link(self) -> Connection:
        """The link to the box; one that is being restarted is waited for a while. Raises HeroError unreachable."""
        try:
            return self._reach()
        except HeroError:
            self._came.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BACK_SECONDS):
                await self._came.wait()
        return self._reach()

    # -- doing ------------------------------------------------------------------------------------

    def _begin(self, asked: Asked, work: Work, told: Mapping[str, str], agent: str) -> str:
        """Begin `work` as an operation. Raises HeroError `busy`."""
        kind = title_of(asked).partition(" ")[0]
        actor = f"{self._slot.user} via agent {agent}"
        operations = self._slot.operations
        operation = operations.start(kind, work, service=asked.service, title=title_of(asked), actor=actor)
        given = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
        self._audit_end(operation, {**given, "agent": f"{self._slot.user}/{agent}", **told})
        return operation

    async def _carry_out(self, proposal: Proposal) -> None:
        try:
            asked = asked_of(proposal.action, proposal.asked)
            # Kept before it begins: what may have been begun is never begun again.
            begun = await self._keep(proposal, state="begun")
            ended = await self._done(begun, asked)
        except HeroError as error:
            await self._end(proposal, problem=error.message, outcome=f"{error.message}\n{error.hint}".strip())
            return
        problem = "" if ended.state == "succeeded" else _first_line(ended)
        await self._end(begun, problem=problem, outcome=outcome_of(ended))

    async def _done(self, proposal: Proposal, asked: Asked) -> Operation:
        operations = self._slot.operations
        while running := operations.running_on(asked.service):
            await operations.wait(running.id)
        told = {"approval": proposal.item, "allowed_by": proposal.by}
        operation = self._begin(asked, _exactly(self._slot, asked, proposal.facts), told, proposal.agent)
        return await operations.wait(operation)

    async def _end(self, proposal: Proposal, *, problem: str, outcome: str) -> None:
        try:
            ended = await self._keep(proposal, state="ended", problem=problem[:1000], outcome=outcome)
        except HeroError as error:
            log.error("what came of %s is told and not kept: %s", proposal.title, error.message)
            ended = proposal.model_copy(update={"problem": problem[:1000], "outcome": outcome})
        self._tell(ended)

    def _tell(self, ended: Proposal) -> None:
        def heard() -> None:
            self._spawn(self._forget(ended), ended.id)

        self._box().acted(
            ended.agent, ended.id, done=True, problem=ended.problem, outcome=ended.outcome, then=heard
        )

    # -- keeping ----------------------------------------------------------------------------------

    async def _keep(self, proposal: Proposal, **changes: Any) -> Proposal:
        """Have it on the disk with `changes`. Raises HeroError."""
        changed = proposal.model_copy(update=changes)
        self._proposals[changed.id] = changed
        await asyncio.to_thread(proposals.write_proposal, self._folder, changed)
        return changed

    async def _forget(self, proposal: Proposal) -> None:
        self._proposals.pop(proposal.id, None)
        await asyncio.to_thread(proposals.forget_proposal, self._folder, proposal)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=f"proposal-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _nobody() -> Connection:
    raise HeroError("unreachable", "The box's daemon is away.", hint="It comes back by itself.")


def outcome_of(ended: Operation) -> str:
    """What came of an operation, as an agent reads it."""
    if ended.state == "succeeded":
        told = {name: value for name, value in ended.result.items() if value not in (None, "", False)}
        text = f"Done: {ended.title}.\n{json.dumps(told, ensure_ascii=False)}"
    elif ended.error is None:
        text = f"{ended.title}: it was cancelled."
    else:
        text = f"{ended.title}: {ended.error.message}\n{ended.error.hint}".strip()
    return safe_text(text)[:OUTCOME_LIMIT]


def _first_line(ended: Operation) -> str:
    said = ended.error.message if ended.error else "It was cancelled."
    return (said.splitlines() or [""])[0]


def _at_once(slot: SlotContext, asked: Asked) -> Work:
    return lambda progress: do_at_once(slot, asked, progress)


def _exactly(slot: SlotContext, asked: Asked, facts: Mapping[str, str]) -> Work:
    return lambda progress: do_exactly(slot, asked, facts, progress)
