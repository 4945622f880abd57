"""A small real box with a policy for agents, its daemons running, and the command of an agent's tools on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from backends.client.blocking import call_box
from backends.forge.folder import FolderForge
from backends.model.agents import Agent
from backends.slot.agents.process import MARK, boot_id, identify
from backends.slot.agents.record import Record, write_record
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


def radius_is(box: SmallBox, radius: str) -> bool:
    """Whether the box holds so what agents change."""
    told = call_box(box.where, "agent.tools", {"user": "alice"})
    return bool({one["radius"] for one in told["actions"]} == {radius})


def is_linked(box: SmallBox) -> bool:
    """Whether the slot's daemon is connected to the box's."""
    return box.user in call_box(box.where, "box.status")["online"]


@contextlib.contextmanager
def living_agent(box: SmallBox, id: str = "3") -> Iterator[subprocess.Popen[bytes]]:
    """alice's agent `id` as her daemon finds it at its start: its program sleeps, and takes no word."""
    mark = secrets.token_hex(8)  # whoever ends an agent ends all on this machine that bears its mark
    with subprocess.Popen(["sleep", "1000"], env={"PATH": os.environ["PATH"], MARK: mark}) as program:
        moment = datetime.now(UTC)
        agent = Agent(id=id, slot=box.user, session=f"session-{id}", since=moment, started_at=moment)
        known = identify(program.pid, boot_id())
        record = Record(agent=agent, boot=boot_id(), mark=mark, process=known)
        folder = box.slot.agents / id
        folder.mkdir(parents=True)
        write_record(folder, record, durable=True)
        try:
            yield program
        finally:
            program.kill()


@contextlib.contextmanager
def box_for_agents(policy: str = LOW, radius: str = "low") -> Iterator[SmallBox]:
    """One in which agents of developers may switch and rebuild, and alice has agent 3; all services run."""
    with small_box() as box, living_agent(box):
        push_policy(box, policy)
        box.start_slotd()
        box.done("slot.start")
        box.until(lambda: radius_is(box, radius), "the policy")
        box.until(lambda: is_linked(box), "the slot's link to the box")
        yield box
