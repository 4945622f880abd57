"""The tools of one agent as the team repo grants them at this moment, and one call carried out."""

from __future__ import annotations

import time
from typing import Any

from backends.model.agent_calls import AgentTools
from backends.model.errors import HeroError, unknown_name
from hero_tui.mcp_server.answers import bounded
from hero_tui.mcp_server.arguments import parsed
from hero_tui.mcp_server.desk import Desk
from hero_tui.mcp_server.events import EventReader, ReadEvents
from hero_tui.mcp_server.tools import BY_NAME, TOOLS, Tool

PATIENCE_SECONDS = 15.0
"""How long a list of the tools waits for a box that is being restarted."""
_AGAIN_SECONDS = 0.2


class Toolbox:
    """Asks the box before every list and every call what is granted: a change of the team repo holds at once."""

    def __init__(self, desk: Desk):
        self._desk = desk
        self._events = EventReader(desk)

    def listed(self) -> tuple[Tool, ...]:
        """The tools that are granted. Blocks; raises HeroError where the box stays away."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                granted = self._granted()
                break
            except HeroError as error:
                if error.code != "unreachable" or time.monotonic() > deadline:
                    raise
            time.sleep(_AGAIN_SECONDS)
        self._events.begin(granted.seq)
        return tuple(tool for tool in TOOLS if tool.name in granted.tools)

    def call(self, name: str, given: dict[str, Any] | None) -> str:
        """What the tool answers. Blocks; raises HeroError: denied, usage, and what its daemon says."""
        granted = self._granted()
        self._events.begin(granted.seq)
        tool = BY_NAME.get(name)
        if tool is None:
            raise unknown_name("tool", name[:100], granted.tools)
        if name not in granted.tools:
            raise HeroError(
                "denied",
                f"Agents of a {granted.role} are not granted the tool {name} (policy.toml, agent_tools).",
                hint=f"Granted are: {', '.join(granted.tools) or 'none'}.",
            )
        asked = parsed(tool.arguments, name, given)
        if isinstance(asked, ReadEvents):
            return bounded(self._events.read(asked, granted.seq))
        assert tool.run
        return bounded(tool.run(self._desk, asked))

    def _granted(self) -> AgentTools:
        return AgentTools.model_validate(self._desk.box("agent.tools", {"user": self._desk.where.user}))
