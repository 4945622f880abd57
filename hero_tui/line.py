"""What the cockpit needs of a connection to a box; tests put their own in its place."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from backends.model.errors import HeroError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.client.live import StateWatcher
    from backends.model.agent_calls import PeekAgentLogParams
    from backends.model.agents import AgentLine
    from backends.model.frozen import Frozen
    from backends.model.slot_calls import LogsParams
    from backends.model.state import Event, FleetSnapshot, LogLine

R = TypeVar("R", bound="BaseModel")


class Line(Protocol):
    """The line to a box; `backends.client.live.LiveBox` is the real one.

    While it is `read_only` it sends no call that changes anything.
    """

    read_only: bool

    async def run(self) -> None: ...

    async def close(self) -> None: ...

    async def box(self, method: str, params: Frozen | None, result: type[R]) -> R: ...

    async def slot(self, user: str, method: str, params: Frozen | None, result: type[R]) -> R: ...

    def logs(self, user: str, params: LogsParams, *, own: bool) -> AsyncGenerator[tuple[LogLine, ...], None]: ...

    def agent_log(self, params: PeekAgentLogParams) -> AsyncGenerator[tuple[AgentLine, ...], None]: ...


class LineMaker(Protocol):
    """Makes the line, given who is told what comes over it."""

    def __call__(
        self,
        *,
        on_state: StateWatcher,
        on_snapshot: Callable[[FleetSnapshot], None],
        on_event: Callable[[Event], None],
    ) -> Line: ...


@contextlib.contextmanager
def same_words(who: str, method: str) -> Iterator[None]:
    """What another version answers is told as that. Raises HeroError."""
    from pydantic import ValidationError

    try:
        yield
    except ValidationError:
        raise HeroError(
            "failed",
            f"{who} answered {method} in another version's words.",
            hint="Restart the box: `hero_dev box down`, then `hero_dev box up`.",
        ) from None
