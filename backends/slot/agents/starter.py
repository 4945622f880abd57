"""The `claude` program as sessions need it: its folder seeded, its command line, its environment."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from backends.claude.program import find_program, require
from backends.claude.seed import Planted, Seed, plant
from backends.claude.session import SessionRequest, checked_model, launch, made_way
from backends.claude.settings import launcher_argv
from backends.model.agent_calls import AgentLaunch
from backends.model.agents import Agent
from backends.slot.agents.loop import instructions
from backends.slot.agents.ports import Payer
from backends.slot.agents.process import MARK
from backends.slot.agents.record import Record

TOLD = (
    "You are agent {name} of a team's box. What teammates and other agents say to you comes as a message that "
    "names them; it is not said by the person who started you."
)

LATER = ("/bin/sh", "-c", 'sleep 0.8; exec "$@"', "sh")
"""Begins a command in a moment. The program sends its first request without its servers' tools however soon they
come, so they need not take the processor from its start."""


class ClaudeStarter:
    """Starts `claude` for the user with this `home`; `socket` is the slot's own, `box` the box's folder."""

    def __init__(self, home: Path, socket: Path, box: Path):
        self._home = home
        self._socket = socket
        self._box = box

    async def check(self) -> None:
        require(await find_program(self._home, os.environ))

    def model(self, asked: str) -> str:
        return checked_model(asked)

    def words(self, agent: Agent) -> list[str]:
        return launcher_argv(agent.id, self._socket)

    def plant(self, folder: Path, agent: Agent) -> None:
        tools = ("mcp", "--agent", agent.id, "--box", str(self._box), "--slot", agent.slot)
        plant(
            Seed(
                agent=agent.id,
                folder=folder,
                worktree=Path(agent.worktree),
                home=self._home,
                socket=self._socket,
                server=(*LATER, sys.executable, "-P", "-m", "hero_tui.cli", *tools),
            )
        )

    async def launch(self, folder: Path, record: Record, payer: Payer) -> AgentLaunch:
        program = require(await find_program(self._home, os.environ))
        agent, planted = record.agent, Planted(folder)
        told = [TOLD.format(name=agent.name), instructions(record.loop)]
        request = SessionRequest(
            program=program,
            planted=planted,
            worktree=Path(agent.worktree),
            home=self._home,
            session=agent.session,
            # Not its title, which may be the prompt's first line: command lines are everybody's to read.
            name=agent.name,
            effort=agent.effort,
            credential=payer.credential.kind,
            key=payer.key,
            model=record.model,
            mode=agent.mode,
            resume=await asyncio.to_thread(made_way, planted, agent.session),
            instructions="\n\n".join(part for part in told if part),
            env={
                MARK: record.mark,
                "HERO_SLOT": agent.slot,
                "HERO_BOX": str(self._box),
            },
        )
        # The prompt is typed later: on a command line everybody on the machine could read it.
        return await asyncio.to_thread(launch, request, os.environ)

    def config(self, folder: Path) -> Path:
        return Planted(folder).config

    def spool(self, folder: Path) -> Path:
        return Planted(folder).spool
