"""Brings an agent's tmux window in front of the person: in the same server, over it in a popup, or without one."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.app import App

from backends.model.agent_calls import AgentAttach
from backends.model.errors import HeroError
from hero_tui import terminal


def target_of(where: AgentAttach) -> str:
    """The window as tmux names it: `hero-agents:@3`."""
    return where.window if ":" in where.window else f"{where.session}:{where.window}"


def attach_argv(where: AgentAttach) -> list[str]:
    """A client of the agent's own tmux server. Inside another one tmux refuses to nest where it sees TMUX."""
    return ["env", "-u", "TMUX", "tmux", "-S", where.socket, "attach-session", "-t", target_of(where)]


def is_same_server(where: AgentAttach, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this terminal is a client of the agent's tmux server."""
    socket = environment.get("TMUX", "").split(",")[0]
    return bool(socket) and os.path.realpath(socket) == os.path.realpath(where.socket)


async def attach(app: App[Any], where: AgentAttach) -> str:
    """Do it; the answer says how to come back, where the person would not know. Raises HeroError."""
    await _tmux(["-S", where.socket, "has-session", "-t", f"={where.session}"], _gone(where))
    if not os.environ.get("TMUX"):
        await terminal.hand_over(app, attach_argv(where), Path.home(), where.session)
        return ""
    if is_same_server(where):
        await _tmux(["switch-client", "-t", target_of(where)], "tmux does not switch to it.")
        return "tmux prefix, then L, comes back here"
    await _over(where)
    return ""


async def _over(where: AgentAttach) -> None:
    """In a popup, which has all keys of the inner tmux; a tmux without popups gets a window."""
    popup = ["display-popup", "-E", "-w", "94%", "-h", "92%", "--", *attach_argv(where)]
    code, told = await _run(popup)
    if code and told:
        window = ["new-window", "-n", terminal.tmux_literal(where.session), "--", *attach_argv(where)]
        await _tmux(window, "tmux opens no window for it.")


def _gone(where: AgentAttach) -> str:
    return f"The tmux session {where.session} of the agents has gone."


async def _tmux(words: list[str], problem: str) -> None:
    code, told = await _run(words)
    if code:
        hint = "`r` on the agent goes on with it; `hero_dev agents` lists them."
        raise HeroError("failed", f"{problem} {told}".strip(), hint=hint)


async def _run(words: list[str]) -> tuple[int, str]:
    """tmux's exit code and what it said."""
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux", *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise HeroError("failed", f"tmux could not be started: {error.strerror}.") from error
    _, told = await process.communicate()
    return process.returncode or 0, told.decode(errors="replace").strip()
