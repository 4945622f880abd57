"""A slot's daemon of a few lines on a real socket, for scripts that call it, and a tmux server of a test's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from backends.model.agent_calls import AgentHookParams, AgentHookResult, AgentLaunch, AgentLaunchParams
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server

DEADLINE = 60.0


class SmallSlot:
    """Answers `agent.launch` with `launch` and `agent.hook` with what `prints` has for the event; keeps both.

    An event in `held` is answered once that is set.
    """

    def __init__(self, socket: Path):
        self.socket = socket
        self.launch: AgentLaunch | HeroError = HeroError(
            "not_found", "There is no agent called '9'.", hint="Look."
        )
        self.prints: dict[str, str | HeroError] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.launched: list[tuple[int, int]] = []
        self.hooks: list[AgentHookParams] = []
        self._changed = asyncio.Condition()
        dispatcher = Dispatcher("hero_slotd", "0")
        dispatcher.register(BY_NAME["agent.launch"], self._launch)
        dispatcher.register(BY_NAME["agent.hook"], self._hook)
        self._server = Server(socket, dispatcher)

    @property
    def events(self) -> list[str]:
        return [one.event for one in self.hooks]

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.close(grace=0.0)

    async def heard(self, event: str, count: int = 1) -> AgentHookParams:
        """The `count`th telling of `event`. Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: self.events.count(event) >= count)
        return [one for one in self.hooks if one.event == event][count - 1]

    async def _launch(self, call: Call, params: AgentLaunchParams) -> AgentLaunch:
        self.launched.append((params.pid, call.peer.pid))
        if isinstance(self.launch, HeroError):
            raise self.launch
        return self.launch

    async def _hook(self, _: Call, params: AgentHookParams) -> AgentHookResult:
        async with self._changed:
            self.hooks.append(params)
            self._changed.notify_all()
        if params.event in self.held:
            await self.held[params.event].wait()
        output = self.prints.get(params.event, "")
        if isinstance(output, HeroError):
            raise output
        return AgentHookResult(output=output)


@asynccontextmanager
async def small_slot(folder: Path) -> AsyncIterator[SmallSlot]:
    slot = SmallSlot(folder / "rpc.sock")
    await slot.start()
    try:
        yield slot
    finally:
        await slot.stop()


class Window:
    """One window of a tmux server that is the test's own, in `folder`, which is short."""

    def __init__(self, folder: Path):
        self._socket = folder / "tmux.sock"

    def open(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        plain = ("-f", "/dev/null", "new-session", "-d", "-s", "w", "-x", "140", "-y", "45", "-c", str(cwd), "--")
        subprocess.run(["tmux", "-S", str(self._socket), *plain, *argv], env=env, check=True)
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def close(self) -> None:
        if self._socket.exists():
            subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False)

    def tmux(self, *words: str, stdin: str = "") -> str:
        argv = ["tmux", "-S", str(self._socket), *words]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=True).stdout

    def keys(self, *keys: str) -> None:
        self.tmux("send-keys", "-t", "w", *keys)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "w")

    def pid(self) -> int:
        return int(self.tmux("display-message", "-p", "-t", "w", "#{pane_pid}"))

    def ended(self) -> bool:
        return self.tmux("display-message", "-p", "-t", "w", "#{pane_dead}").strip() == "1"


async def until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds. Raises TimeoutError."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.02)


def of_process(pid: int, name: str) -> bytes:
    """A file of /proc/<pid>."""
    return Path(f"/proc/{pid}/{name}").read_bytes()


def files_with(folder: Path, secret: str) -> list[Path]:
    """Every plain file below `folder` that holds `secret`."""
    found = []
    for base, _, names in os.walk(folder):
        for path in (Path(base) / name for name in names):
            if path.is_file() and not path.is_symlink() and secret.encode() in path.read_bytes():
                found.append(path)
    return found
