"""A box on disk with a team repo in a folder forge, and daemons of it that end with the test."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from backends.forge.folder import FolderForge
from backends.model.boxfile import render_boxfile
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.state import Event
from backends.rpc.connection import Connection, connect
from backends.rpc.subscription import Subscription
from tests.backends.box.gitwork import new_work, push

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
TEAM_REPO = "lhumina_code/hero_team"
SECONDS = 30.0

TEAM = """schema = 1
name = "Lhumina"
trunk = "development"
box = "dev"
[forge]
kind = "folder"
"""
SERVICES = """schema = 1
[[service]]
name = "hero_router"
repo = "lhumina_code/hero_router"
short = "router"
core = true
"""
ROLE = """schema = 1
[[bind]]
service = "hero_router"
branch = "development"
from = "release"
"""


def user_file(full_name: str, *more: str) -> str:
    """A user of the team repo."""
    return "\n".join(["schema = 1", f'full_name = "{full_name}"', 'role = "developer"', *more, ""])


class MadeBox:
    """A box, the worktree of its team repo, and the processes of this test."""

    def __init__(self, root: Path):
        self.paths = BoxPaths(root)
        self.forge = FolderForge(self.paths.forge)
        self.work = root.parent / f"{root.name}-team"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.stack = AsyncExitStack()

    async def make(self, *users: str) -> None:
        """The folders and files of a box with the slots of `users`."""
        self.paths.root.mkdir(parents=True)
        self.paths.config.write_text(render_boxfile("dev", datetime(2026, 11, 20, tzinfo=UTC), TEAM_REPO))
        bare = await self.forge.create_repository(TEAM_REPO)
        await self.forge.create_repository("lhumina_code/hero_router")
        new_work(self.work, bare)
        files = {"team.toml": TEAM, "services.toml": SERVICES, "manifest_templates/developer.toml": ROLE}
        self.push(files | {f"users/{name}.toml": user_file(name.title()) for name in users})
        for name in users:
            self.paths.slot(name).root.mkdir(parents=True)

    def push(self, files: Mapping[str, str]) -> str:
        """Commit `files` to the team repo on the forge."""
        return push(self.work, files)

    def boxd(self, *, slots: bool = False, failpoint: str = "") -> subprocess.Popen[bytes]:
        """Start the real daemon; `slots`: it starts fake slot daemons."""
        argv = [sys.executable, "-m", "hero_tui.boxd", "--box", str(self.paths.root), "--no-slots"]
        if slots:
            argv = [sys.executable, str(HERE / "boxd_of_fakes.py"), str(self.paths.root)]
        return self.start(argv, HERO_TEST_FAILPOINT=failpoint)

    def slotd(self, user: str) -> subprocess.Popen[bytes]:
        """Start a fake slot daemon, as the box would."""
        return self.start(fake_slotd(self.paths.root, user))

    def start(self, argv: list[str], **env: str) -> subprocess.Popen[bytes]:
        self.paths.log.mkdir(parents=True, exist_ok=True)
        with (self.paths.log / "out").open("ab") as out:
            process = subprocess.Popen(
                argv, cwd="/", stdout=out, stderr=out, env=os.environ | {"PYTHONPATH": str(ROOT)} | env
            )
        self.processes.append(process)
        return process

    async def client(self, path: Path | None = None) -> Connection:
        """A connection to the box, once it answers (or to another daemon of it)."""
        socket = path or self.paths.rpc_socket
        connection = await eventually(lambda: connect(socket))
        self.stack.push_async_callback(connection.close)
        return connection

    async def up(self, *users: str) -> Connection:
        """A client of the real daemon, once the fake daemons of these slots have told of themselves."""
        self.boxd()
        for user in users:
            self.slotd(user)
        client = await self.client()
        await online(client, *users)
        return client

    async def slot_client(self, user: str) -> Connection:
        """A connection to a slot's daemon, once it answers."""
        return await self.client(self.paths.slot(user).rpc_socket)

    async def close(self) -> None:
        await self.stack.aclose()
        for process in self.processes:
            process.kill()
            process.wait()
        mine = str(self.paths.root)
        for left in psutil.process_iter():
            with suppress(psutil.NoSuchProcess):
                if mine in left.cmdline():
                    left.kill()
        log = self.paths.log / "out"
        if log.exists():
            print(log.read_text(errors="replace"))


def fake_slotd(root: Path, user: str) -> list[str]:
    """The command of a slot's daemon for tests."""
    return [sys.executable, str(HERE / "fake_slotd.py"), "--box", str(root), "--slot", user]


async def eventually(attempt: Callable[[], Awaitable[T]]) -> T:
    """The first answer of `attempt` that is neither a HeroError nor false, within a deadline."""
    async with asyncio.timeout(SECONDS):
        while True:
            with suppress(HeroError):
                if found := await attempt():
                    return found
            await asyncio.sleep(0.02)


async def next_event(events: Subscription, kind: str, **fields: str) -> Event:
    """The next event of `kind` with these fields."""
    async with asyncio.timeout(SECONDS):
        async for params in events:
            event = Event.model_validate(params)
            if event.kind == kind and all(getattr(event, key) == value for key, value in fields.items()):
                return event
    raise AssertionError("the stream ended")


async def subscribed(connection: Connection, after: int | None = None) -> Subscription:
    """The events of the box from now on, or after a number."""
    events = Subscription(connection)
    await connection.call("events.subscribe", {"after": after})
    return events


async def online(connection: Connection, *users: str) -> None:
    """Wait until the slots of `users` have told of themselves."""

    async def look() -> bool:
        return set(users) <= set((await connection.call("box.status"))["online"])

    await eventually(look)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End it by SIGKILL."""
    process.send_signal(signal.SIGKILL)
    process.wait(SECONDS)


@pytest.fixture
async def box(short_dir: Path) -> AsyncIterator[MadeBox]:
    made = MadeBox(short_dir / "b")
    await made.make("alice", "mik", "thabet")
    try:
        yield made
    finally:
        await made.close()
