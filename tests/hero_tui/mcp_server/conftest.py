"""A canned box, and an agent's toolbox on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backends.client.locate import Where
from backends.model.agent_calls import AgentTools
from backends.model.agent_tools import ALONG, TOOLS
from backends.model.paths import BoxPaths
from hero_tui.mcp_server.desk import Desk
from hero_tui.mcp_server.toolbox import Toolbox
from tests.hero_tui.verbs.canned import Canned, canned_box


def granted(*tools: str, radius: str = "low", seq: int = 7) -> AgentTools:
    held = [{"action": action, "radius": radius, "rule": "slot.*"} for action in TOOLS.values() if action]
    told = {"user": "alice", "role": "developer", "tools": tools or (*TOOLS, *ALONG), "actions": held, "seq": seq}
    return AgentTools.model_validate(told)


@pytest.fixture
def box() -> Iterator[Canned]:
    with canned_box() as found:
        found.answers["agent.tools"] = granted()
        yield found


@pytest.fixture
def toolbox(box: Canned) -> Toolbox:
    return Toolbox(Desk(Where(BoxPaths(box.root), "alice"), "3"))
