"""The settings of an agent's session: hooks that tell the slot's daemon, the status line, what is allowed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOOKS: dict[str, int] = {
    "SessionStart": 30,
    "UserPromptSubmit": 10,
    "PreToolUse": 10,
    "PostToolUse": 10,
    "PostToolUseFailure": 10,
    "PermissionRequest": 86_400,
    "PermissionDenied": 10,
    "Notification": 10,
    "Stop": 3_600,
    "StopFailure": 10,
    "SubagentStop": 10,
    "PreCompact": 10,
    "PostCompact": 10,
    "SessionEnd": 10,
}
"""The events that the slot's daemon is told of, with the seconds after which the program goes on without it."""

ASIDE = (
    "SessionStart",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PermissionDenied",
    "Notification",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
)
"""Events that are told while the program goes on, for a hook's start takes longer than many a tool. Those by whose
order we know whether a turn runs are not among them."""

STATUS_LINE = "StatusLine"
"""The event under which `hook.py` tells the status line's data."""

SERVER = "hero"
"""The MCP server of the agent's tools: they are called `mcp__hero__…`."""

OTHERS_TOOLS = ("SendMessage", "ListAgents")
"""The program's own ways to other sessions of the user, past the box's inbox."""

_HERE = Path(__file__).parent


def settings(agent: str, socket: Path, spool: Path, prompts: Path) -> dict[str, Any]:
    """What `--settings` gets. `socket` is the slot's, `spool` and `prompts` are folders of the agent's."""

    def command(event: str) -> dict[str, Any]:
        return {"type": "command", "command": hook_command(agent, socket, spool, event)}

    def hook(event: str, most: int) -> dict[str, Any]:
        return {**command(event), "timeout": most, **({"async": True} if event in ASIDE else {})}

    return {
        "hooks": {event: [{"hooks": [hook(event, most)]}] for event, most in HOOKS.items()},
        "statusLine": command(STATUS_LINE),
        # A peer's message would begin a turn, past the box's inbox.
        "crossSessionInbound": "refuse",
        # Else the program may ask in a dialog whether to make automatic approval its default.
        "disableAutoMode": "disable",
        "permissions": {
            "allow": [f"mcp__{SERVER}", f"Read(/{prompts}/**)"],
            "deny": list(OTHERS_TOOLS),
        },
    }


def hook_command(agent: str, socket: Path, spool: Path, event: str) -> str:
    """A shell's words for one event; each word is quoted."""
    words = [sys.executable, "-I", "-S", str(_HERE / "hook.py"), str(socket), agent, str(spool), event]
    return f"exec {shlex.join(words)}"


def launcher_argv(agent: str, socket: Path) -> list[str]:
    """What the agent's window is started with."""
    return [sys.executable, "-I", "-S", str(_HERE / "launcher.py"), str(socket), agent]


def mcp_config(server: Sequence[str]) -> dict[str, Any]:
    """What `--mcp-config` gets: the stdio server started by the words `server`, if any."""
    if not server:
        return {"mcpServers": {}}
    command, *arguments = server
    # Else the model would only see the tools' names, and would have to search for what they do.
    told = {"type": "stdio", "command": command, "args": arguments, "alwaysLoad": True}
    return {"mcpServers": {SERVER: told}}
