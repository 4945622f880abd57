"""Attaching to an agent's window, on real tmux servers of the test's own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.app import App

from backends.model.agent_calls import AgentAttach
from backends.model.errors import HeroError
from hero_tui import terminal
from hero_tui.attach import attach, attach_argv, is_same_server, target_of

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Server:
    """A tmux server with a session `hero-agents` of two windows."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.tmux("new-session", "-d", "-s", "hero-agents", "-x", "80", "-y", "24", "sh")
        self.window = self.tmux("new-window", "-d", "-P", "-F", "#{window_id}", "-t", "hero-agents", "sh").strip()

    def tmux(self, *words: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
        argv = ["tmux", "-S", str(self.socket), "-f", "/dev/null", *words]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=20, check=True)
        return done.stdout

    @property
    def where(self) -> AgentAttach:
        return AgentAttach(socket=str(self.socket), session="hero-agents", window=self.window)


@pytest.fixture
def server(short_dir: Path) -> Iterator[Server]:
    made = Server(short_dir / "agents.sock")
    yield made
    made.tmux("kill-server")


@pytest.fixture
def mine(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The person's own server, with a client on its session, as the cockpit runs in it."""
    made = Server(short_dir / "mine.sock")
    monkeypatch.setenv("TMUX", f"{made.socket},{made.tmux('display-message', '-p', '#{pid}').strip()},0")
    made.tmux("set-option", "-g", "default-terminal", "screen")
    yield made
    made.tmux("kill-server")


async def until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not there():
            await asyncio.sleep(0.02)


def test_a_window_is_named_within_its_session() -> None:
    assert target_of(AgentAttach(socket="/s", session="hero-agents", window="@3")) == "hero-agents:@3"
    assert target_of(AgentAttach(socket="/s", session="hero-agents", window="hero-agents:@3")) == "hero-agents:@3"


def test_the_same_server_is_known_by_its_socket(short_dir: Path) -> None:
    (short_dir / "link").symlink_to(short_dir)
    where = AgentAttach(socket=str(short_dir / "link" / "t.sock"), session="s", window="@1")
    assert is_same_server(where, {"TMUX": f"{short_dir}/t.sock,1,0"})
    assert not is_same_server(where, {"TMUX": f"{short_dir}/other.sock,1,0"})
    assert not is_same_server(where, {})


async def test_a_server_that_has_gone_is_told(short_dir: Path) -> None:
    where = AgentAttach(socket=str(short_dir / "none.sock"), session="hero-agents", window="@1")
    with pytest.raises(HeroError, match="hero-agents of the agents has gone"):
        await attach(App(), where)


async def test_within_the_same_server_the_client_is_switched(mine: Server) -> None:
    """Two clients: the one of the cockpit's pane moves to the agent's window."""
    mine.tmux("new-session", "-d", "-s", "hero", "-x", "80", "-y", "24", "sh")
    outer = Server(mine.socket.with_name("outer.sock"))
    try:
        client = f"env -u TMUX tmux -S {mine.socket} attach-session -t hero"
        outer.tmux("new-window", "-d", "-t", "hero-agents", client)
        await until(lambda: "hero" in mine.tmux("list-clients", "-F", "#{session_name}"))
        sentence = await attach(App(), mine.where)
        assert "prefix" in sentence
        shown = mine.tmux("list-clients", "-F", "#{session_name} #{window_id}").split()
        assert shown == ["hero-agents", mine.window]
    finally:
        outer.tmux("kill-server")


async def test_over_another_server_the_window_is_in_a_popup(mine: Server, server: Server) -> None:
    mine.tmux("new-session", "-d", "-s", "hero", "-x", "80", "-y", "24", "sh")
    outer = Server(mine.socket.with_name("outer.sock"))
    try:
        client = f"env -u TMUX tmux -S {mine.socket} attach-session -t hero"
        outer.tmux("new-window", "-d", "-t", "hero-agents", client)
        await until(lambda: "hero" in mine.tmux("list-clients", "-F", "#{session_name}"))
        shown = asyncio.create_task(attach(App(), server.where))
        await until(lambda: server.window in server.tmux("list-clients", "-F", "#{window_id}"))
        assert "hero" in mine.tmux("list-clients", "-F", "#{session_name}")
        server.tmux("detach-client", "-s", "hero-agents")
        assert await asyncio.wait_for(shown, 15) == ""
    finally:
        outer.tmux("kill-server")


async def test_outside_tmux_the_cockpit_steps_aside(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    lent: list[list[str]] = []

    async def hand_over(app: object, argv: list[str], folder: Path, name: str) -> None:
        lent.append(argv)

    monkeypatch.setattr(terminal, "hand_over", hand_over)
    assert await attach(App(), server.where) == ""
    assert lent == [attach_argv(server.where)]
    assert lent[0][:4] == ["env", "-u", "TMUX", "tmux"]
