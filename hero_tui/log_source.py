"""The logs that screens read, over the line to whoever's box it is, or as files where these may be opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backends.client.locate import Where
    from backends.client.log_file import LogFile
    from backends.client.log_merged import MergedLog
    from hero_tui.desk import CockpitDesk
    from screens.log_source import AgentBatch, LogBatch


class DeskLogs:
    """Implements `screens.log_source.LogSource`; `where` says which files are the own box's."""

    def __init__(self, desk: CockpitDesk, where: Where):
        self._desk = desk
        self._where = where

    def follow(
        self, user: str, services: Sequence[str], lines: int, build: str = "", since: float | None = None
    ) -> AsyncIterator[LogBatch]:
        """Logs through restarts: after a loss it begins again where it was."""
        from backends.model.slot_calls import LogsParams
        from hero_tui.following import follow

        named = () if build else tuple(services)
        params = LogsParams(services=named, lines=lines, build=build or None, since=since)
        line, name = self._desk.line_of(user)
        return follow(lambda asked: line.logs(name, asked, own=user == self._desk.me), params)

    def file(self, user: str, services: Sequence[str], build: str = "") -> LogFile | MergedLog | None:
        """See `LogSource`."""
        from backends.client.log_merged import open_logs
        from backends.client.log_place import log_paths

        slot = self._desk.fleet.slots.get(user)
        named = tuple(services) or (tuple(slot.cells) if slot else ())
        paths = log_paths(self._where, self._desk.me, user, named, build)
        return open_logs(paths) if paths else None

    def follow_agent(self, user: str, agent: str, lines: int) -> AsyncIterator[AgentBatch]:
        """See `LogSource`."""
        from backends.model.agent_calls import PeekAgentLogParams
        from hero_tui.agent_following import follow_agent

        line, name = self._desk.line_of(user)
        return follow_agent(line.agent_log, PeekAgentLogParams(user=name, agent=agent, limit=lines))
