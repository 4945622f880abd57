"""The slot's side of the box's inbox: dialogs asked about and settled, messages taken; told until it is heard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from backends.model.agents import Agent, Waiting
from backends.model.errors import HeroError
from backends.model.inbox_calls import (
    TEXT_LIMIT,
    AskParams,
    InboxResult,
    SettleParams,
    StandingParams,
    TakeParams,
)
from backends.rpc.connection import Connection

log = logging.getLogger(__name__)

ANSWER_SECONDS = 30.0
LINE_LIMIT = 10_000
"""Things to tell a box that is away; beyond it the oldest go."""


Params = dict[str, Any]


@dataclass(frozen=True)
class _Call:
    """`params` as they are when it is its turn; `then`: the box has dealt with it."""

    method: str
    params: Callable[[], Params]
    then: Callable[[], None] = lambda: None


class InboxLink:
    """Tells the box over its link, one thing after the other; `connected` is to be called whenever it is there.

    `deliver` gets what was fetched.
    """

    def __init__(self, deliver: Callable[[InboxResult], None] = lambda _: None) -> None:
        self._deliver = deliver
        self._reach: Callable[[], Connection] | None = None
        self._line: list[_Call] = []
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def use(self, reach: Callable[[], Connection]) -> None:
        """Call the box over what `reach` gives; it raises HeroError while the box is away."""
        self._reach = reach

    def connected(self) -> None:
        """The box is there (again)."""
        self._woken.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="agents-inbox")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def ask(self, agent: Agent, waiting: Waiting) -> None:
        """An agent waits in a dialog; asked again, the box knows it by its id."""
        asked = AskParams(
            text=_text(agent, waiting), agent=agent.id, options=waiting.options, free_text=True, waiting=waiting.id
        )
        self._put("question.ask", asked.model_dump(mode="json"))

    def settle(self, agent: Agent, waiting: str, *, answered: bool, detail: str = "") -> None:
        """The dialog is over."""
        told = SettleParams(agent=agent.id, waiting=waiting, answered=answered, detail=detail)
        self._put("question.settle", told.model_dump(mode="json"))

    def acted(
        self,
        agent: str,
        waiting: str,
        *,
        done: bool,
        problem: str = "",
        outcome: str = "",
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """A proposal is over: it was `done`, or given up."""
        told = SettleParams(agent=agent, waiting=waiting, answered=done, detail=problem, outcome=outcome)
        self._put("question.settle", told.model_dump(mode="json"), then)

    def standing(self, ids: Callable[[], Sequence[str]]) -> None:
        """Whatever is not among `ids`, asked for once all before it is told, is over."""

        def now() -> Params:
            return StandingParams(waiting=tuple(ids())).model_dump(mode="json")

        self._line.append(_Call("question.standing", now))
        self.connected()

    def fetch(self, agent: Agent) -> None:
        """An agent can be told what waits for it."""
        self._put("message.take", TakeParams(agents=(agent.id,)).model_dump(mode="json"))

    def taken(self, ids: Sequence[str]) -> None:
        """These messages have arrived: they are on this slot's disk."""
        self._put("message.take", TakeParams(taken=tuple(ids)).model_dump(mode="json"))

    def _put(self, method: str, params: Params, then: Callable[[], None] = lambda: None) -> None:
        self._line.append(_Call(method, lambda: params, then))
        del self._line[:-LINE_LIMIT]
        self.connected()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            while self._line and await self._told(first := self._line[0], first.params()):
                if self._line and self._line[0] is first:
                    del self._line[0]
                first.then()
            await self._woken.wait()

    async def _told(self, call: _Call, params: Params) -> bool:
        """Whether the box has dealt with it; a refusal is an end, too."""
        if self._reach is None:
            return False
        try:
            answer = await self._reach().call(call.method, params, timeout=ANSWER_SECONDS)
            if params.get("agents"):
                self._deliver(InboxResult.model_validate(answer))
        except HeroError as error:
            if error.code in ("unreachable", "timeout", "busy"):
                return False
            log.warning("the box's inbox refuses %s: %s", call.method, error.message)
        except ValidationError:
            log.warning("the box's inbox answers %s in another version's words", call.method)
        return True


def _text(agent: Agent, waiting: Waiting) -> str:
    return (waiting.text or f"{agent.name} waits: {waiting.tool}")[:TEXT_LIMIT]
