"""A small real box with a policy for agents, its daemons running, and the command of an agent's tools on it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from backends.client.blocking import call_box
from backends.forge.folder import FolderForge
from tests.acceptance.small_box import TEAM_REPO, SmallBox, small_box
from tests.backends.box.gitwork import plain_git, push

ROOT = Path(__file__).parents[3]

LOW = """schema = 1
[[rule]]
action = "slot.*"
actor = "agent"
radius = "low"
"""
FEW = f"""{LOW}
[[agent_tools]]
role = "developer"
tools = ["status", "read_events"]
"""


def command_of(box: SmallBox, agent: str = "3") -> list[str]:
    """The argv of the tools of an agent in the box's slot."""
    words = ["mcp", "--agent", agent, "--box", str(box.root), "--slot", box.user]
    return [sys.executable, "-P", "-m", "hero_tui.cli", *words]


def push_policy(box: SmallBox, text: str) -> None:
    """Make `text` the team's policy."""
    work = box.root.parent / "team-work"
    if not work.exists():
        url = asyncio.run(FolderForge(box.where.box.forge).clone_url(TEAM_REPO))
        plain_git(box.root, "clone", "--quiet", url, str(work))
    push(work, {"policy.toml": text})


@contextlib.contextmanager
def box_for_agents() -> Iterator[SmallBox]:
    """One in which agents of developers may switch and rebuild; all services run."""
    with small_box() as box:
        push_policy(box, LOW)
        box.start_slotd()
        box.done("slot.start")

        def low() -> bool:
            told = call_box(box.where, "agent.tools", {"user": "alice"})
            return bool({one["radius"] for one in told["actions"]} == {"low"})

        box.until(low, "the policy")
        yield box
