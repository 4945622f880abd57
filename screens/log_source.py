"""The logs that the cockpit lends to its screens: of services, of a build, of an agent, and how they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from backends.client.log_file import LogFile
    from backends.client.log_merged import MergedLog
    from backends.model.agents import AgentLine
    from backends.model.state import LogLine


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines of a followed log; `lost` says why the stream broke, where it did, and that it is taken up again."""

    lines: tuple[LogLine, ...] = ()
    lost: str = ""


@dataclass(frozen=True, slots=True)
class AgentBatch:
    """Entries of an agent's log that is followed; `lost` as in `LogBatch`."""

    lines: tuple[AgentLine, ...] = ()
    lost: str = ""


class LogSource(Protocol):
    """Where the logs come from. Nothing here blocks."""

    def follow(
        self, user: str, services: Sequence[str], lines: int, build: str = "", since: float | None = None
    ) -> AsyncIterator[LogBatch]:
        """The logs as they come, of services or of one build, through restarts of the daemons.

        `since` in seconds since the epoch.
        """

    def file(self, user: str, services: Sequence[str], build: str = "") -> LogFile | MergedLog | None:
        """The log of services or of a build as files, where these are such that this person may open."""

    def follow_agent(self, user: str, agent: str, lines: int) -> AsyncIterator[AgentBatch]:
        """An agent's log from its last `lines` entries on, through restarts of the daemons."""
