"""Every tool: what it is called, what it takes, what the model is told of it, and who carries it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hero_tui.mcp_server import asking, changing, looking
from hero_tui.mcp_server.arguments import Arguments
from hero_tui.mcp_server.desk import Desk
from hero_tui.mcp_server.events import ReadEvents


@dataclass(frozen=True)
class Tool:
    """`run` is None for what the toolbox does itself; `changes`: something besides the inbox."""

    name: str
    about: str
    arguments: type[Arguments]
    run: Callable[[Desk, Any], str] | None
    changes: bool = False


TOOLS: tuple[Tool, ...] = (
    Tool(
        "status",
        "This slot: its services with branch, commit, drift (what is installed against what is bound), health, "
        "last build, and worktree; its other agents.",
        looking.Status,
        looking.status,
    ),
    Tool("logs", "What this slot's services said, or what a build printed.", looking.Logs, looking.logs),
    Tool(
        "plan",
        "What an action would do in this slot: commit, archive, whether it compiles, what restarts. Does nothing.",
        looking.Plan,
        looking.plan,
    ),
    Tool(
        "switch",
        "Run another branch, release or commit of a service in this slot. A version that does not get healthy is "
        "undone. Waits up to 90 s for the end; where a person has to allow it, it answers at once with an id.",
        changing.Switch,
        changing.switch,
        changes=True,
    ),
    Tool(
        "rebuild",
        "Build a service's worktree in this slot, with whatever is uncommitted in it, and run the result. "
        "Waits up to 90 s for the end; where a person has to allow it, it answers at once with an id.",
        changing.Rebuild,
        changing.rebuild,
        changes=True,
    ),
    Tool("releases", "What is published of a service, newest first.", looking.Releases, looking.releases),
    Tool("peek", "A teammate's slot or its logs, read-only.", looking.Peek, looking.peek),
    Tool(
        "ask_operator",
        "Ask a person. Returns an id at once; the answer comes later as a message. Do not wait for it: go on with "
        "what does not depend on it, or end your turn.",
        asking.AskOperator,
        asking.ask_operator,
    ),
    Tool(
        "cancel_question",
        "Take back a question that is not answered yet, or a change that nobody has allowed yet.",
        asking.CancelQuestion,
        asking.cancel_question,
    ),
    Tool("tell", "Send a message to a teammate or another agent. Returns at once.", asking.Tell, asking.tell),
    Tool(
        "read_events",
        "What happened in this slot since the last read: services, builds, changes by others, your questions.",
        ReadEvents,
        None,
    ),
)
BY_NAME: dict[str, Tool] = {tool.name: tool for tool in TOOLS}
