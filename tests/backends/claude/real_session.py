"""The real program in a window, as a slot starts it, on a hostile repository's worktree, against a stand-in."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from backends.claude.seed import Planted, Seed, plant
from backends.claude.session import SessionRequest, launch
from backends.claude.settings import launcher_argv
from backends.claude.status_file import SessionStatus, running_sessions
from backends.model.broker_calls import ClaudeKey
from tests.backends.claude.slots import SmallSlot, Window, small_slot, until
from tests.messages_api.server import Asked, MessagesApi

SECRET = "pass-7f3c-that-nobody-may-see"

FOREIGN = {
    "ANTHROPIC_API_KEY": "sk-ant-api03-somebody-elses",
    "ANTHROPIC_AUTH_TOKEN": "another-token",
    "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-another",
    "CLAUDE_CODE_EFFORT_LEVEL": "max",
    "ANTHROPIC_MODEL": "haiku",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:19",
}
"""Credentials and more that are around in the window; none of it may be used."""

NOWHERE = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
"""Whatever a test's session would look for outside of this machine is refused."""


class RealSession:
    """One session below `folder`, which is short. Change `request` before `start`."""

    def __init__(self, folder: Path, program: Path, api: MessagesApi, slot: SmallSlot):
        self.folder = folder
        self.api = api
        self.slot = slot
        self.home = folder / "home"
        self.window = Window(folder)
        (self.home / ".claude").mkdir(parents=True)
        self.worktree = hostile_worktree(folder)
        self.seed = Seed("3", folder / "agents" / "3", self.worktree, self.home, slot.socket)
        self.request = SessionRequest(
            program=program,
            planted=Planted(self.seed.folder),
            worktree=self.worktree,
            home=self.home,
            session=str(uuid.uuid4()),
            name="fix the thing",
            effort="low",
            credential="org",
            key=ClaudeKey(slot="ORG_CLAUDE_KEY_1", secret=SECRET, base_url=api.url),
            prompt="hello there",
            env=NOWHERE,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What is around in the window."""
        return {"HOME": str(self.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SHELL": "/bin/sh"}

    def ask(self, **changes: Any) -> None:
        self.request = dataclasses.replace(self.request, **changes)

    def start(self) -> None:
        """Open the window."""
        plant(self.seed)
        self.slot.launch = launch(self.request, self.environment)
        argv = launcher_argv("3", self.slot.socket)
        self.window.open(argv, self.worktree, {**self.environment, **FOREIGN})

    async def asked(self, count: int) -> list[Asked]:
        """What it asked the model, once that was so often. Raises TimeoutError."""
        return await asyncio.to_thread(self.api.wait, count)

    def status(self) -> SessionStatus | None:
        """What it says of itself."""
        return next(iter(running_sessions(self.request.planted.config)), None)

    async def says(self, doing: str) -> SessionStatus:
        """Its status once that is `doing`. Raises TimeoutError."""
        await until(lambda: (found := self.status()) is not None and found.doing == doing)
        found = self.status()
        assert found is not None
        return found

    def ran(self) -> list[str]:
        """Which of the repository's own commands were run."""
        return sorted(path.name for path in (self.folder / "ran").iterdir())


@asynccontextmanager
async def real_session(folder: Path, program: Path) -> AsyncIterator[RealSession]:
    with MessagesApi() as api:
        async with small_slot(folder) as slot:
            session = RealSession(folder, program, api, slot)
            try:
                yield session
            finally:
                session.window.close()


def hostile_worktree(folder: Path) -> Path:
    """A worktree of a bare clone, as slots have them, reached over a link; its repository would run commands."""
    (folder / "ran").mkdir()
    source = folder / "source"
    (source / ".claude").mkdir(parents=True)
    marks = {name: f"touch {folder}/ran/{name}" for name in ("helper", "hook", "server", "status")}
    started = [{"hooks": [{"type": "command", "command": marks["hook"]}]}]
    settings = {
        "apiKeyHelper": f"{marks['helper']}; echo sk-ant-api03-of-the-helper",
        "hooks": {"SessionStart": started, "UserPromptSubmit": started},
        "statusLine": {"type": "command", "command": marks["status"]},
        "env": {"ANTHROPIC_MODEL": "haiku"},
    }
    server = {"type": "stdio", "command": "touch", "args": [f"{folder}/ran/server"]}
    (source / ".claude" / "settings.json").write_text(json.dumps(settings))
    (source / ".mcp.json").write_text(json.dumps({"mcpServers": {"evil": server}}))
    (source / "CLAUDE.md").write_text(f"OF-THE-REPOSITORY\n\n@{folder}/private.txt\n")
    (folder / "private.txt").write_text("PRIVATE-TEXT")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x.example", "-C", str(source)]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    bare, worktree = folder / "bare.git", folder / "src" / "service" / "main"
    subprocess.run(["git", "clone", "-q", "--bare", str(source), str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "worktree", "add", "-q", str(worktree), "main"], check=True)
    (folder / "link").symlink_to(folder / "src")
    return folder / "link" / "service" / "main"
