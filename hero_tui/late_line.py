"""A line to a box whose models are loaded once the first frame is there: they take longer than that frame."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, TypeVar

from hero_tui.loading import load

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.client.live import LiveBox
    from backends.model.agent_calls import PeekAgentLogParams
    from backends.model.agents import AgentLine
    from backends.model.frozen import Frozen
    from backends.model.slot_calls import LogsParams
    from backends.model.state import LogLine

R = TypeVar("R", bound="BaseModel")

IN_TURN = (
    "pydantic_core.core_schema",
    "pydantic",
    "pydantic._internal._generate_schema",
    "pydantic.main",
    "pydantic.types",
    "pydantic.fields",
    "backends.model.frozen",
    "backends.model.agents",
    "backends.model.claude",
    "backends.model.agent_calls",
    "backends.model.state",
    "backends.model.plan",
    "backends.model.slot_calls",
    "backends.model.box_calls",
    "backends.model.build_calls",
    "backends.model.forge_calls",
    "backends.model.broker_calls",
    "backends.model.host",
    "backends.model.host_calls",
    "backends.model.inbox_calls",
    "backends.model.team_calls",
    "backends.model.calls",
    "backends.model.kept",
    "backends.rpc.connection",
    "backends.client.live",
)
"""What the line needs, each after what it needs itself."""


class LateLine:
    """Implements `hero_tui.line.Line`: what it is asked it has the line do that `make` makes."""

    def __init__(self, make: Callable[[], LiveBox]) -> None:
        self._make = make
        self._made: LiveBox | None = None
        self._read_only = False

    @property
    def read_only(self) -> bool:
        """See `Line`."""
        return self._read_only

    @read_only.setter
    def read_only(self, on: bool) -> None:
        self._read_only = on
        if self._made is not None:
            self._made.read_only = on

    @property
    def _line(self) -> LiveBox:
        if self._made is None:
            self._made = self._make()
            self._made.read_only = self._read_only
        return self._made

    async def run(self) -> None:
        """See `Line`; what it needs is loaded first."""
        await load(IN_TURN)
        await self._line.run()

    async def close(self) -> None:
        """See `Line`."""
        if self._made is not None:
            await self._made.close()

    async def box(self, method: str, params: Frozen | None, result: type[R]) -> R:
        """See `Line`."""
        return await self._line.box(method, params, result)

    async def slot(self, user: str, method: str, params: Frozen | None, result: type[R]) -> R:
        """See `Line`."""
        return await self._line.slot(user, method, params, result)

    def logs(self, user: str, params: LogsParams, *, own: bool) -> AsyncGenerator[tuple[LogLine, ...], None]:
        """See `Line`."""
        return self._line.logs(user, params, own=own)

    def agent_log(self, params: PeekAgentLogParams) -> AsyncGenerator[tuple[AgentLine, ...], None]:
        """See `Line`."""
        return self._line.agent_log(params)
