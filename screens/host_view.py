"""What the Host screen is lent besides the desk: the machine as it goes on, and what its news are."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from backends.model.host import HostPoint, HostSample


@dataclass(frozen=True, slots=True)
class HostNews:
    """A look at the machine; with the first one comes how it was before. `lost` says why there is none."""

    sample: HostSample | None = None
    minutes: tuple[HostPoint, ...] | None = None
    days: tuple[HostPoint, ...] = ()
    lost: str = ""


@dataclass(frozen=True, slots=True)
class HostView:
    """The machine as the screen knows it. `seen_at` is when the sample came; `problem` why there is none newer."""

    sample: HostSample | None = None
    minutes: tuple[HostPoint, ...] = ()
    days: tuple[HostPoint, ...] = ()
    live: tuple[HostPoint, ...] = field(default=(), repr=False)
    seen_at: datetime | None = None
    problem: str = ""


class HostSource(Protocol):
    """Where the news come from."""

    def follow(self) -> AsyncGenerator[HostNews, None]:
        """News until the iterator is closed, through restarts of the box's daemon. Looking costs something only
        meanwhile."""
