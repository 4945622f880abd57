"""A slot's agents for tests: a real slot folder, socket and tmux server, with a played or the real `claude`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.claude.seed import Planted, Seed, plant
from backends.claude.settings import launcher_argv
from backends.model.agent_calls import AgentLaunch
from backends.model.agents import Agent, AgentLine, Waiting
from backends.model.broker_calls import ClaudeKey
from backends.model.claude import Credential
from backends.model.errors import HeroError
from backends.rpc.connection import Connection, connect
from backends.rpc.dispatcher import Dispatcher
from backends.rpc.server import Server
from backends.slot.agents.agents import Agents
from backends.slot.agents.ports import Payer
from backends.slot.agents.process import MARK
from backends.slot.agents.record import Record
from backends.slot.agents.starter import ClaudeStarter
from backends.slot.agents.windows import Windows
from backends.slot.handlers import register
from tests.backends.slot.slots import Bench, bench

ROOT = Path(__file__).resolve().parents[4]
SECRET = "sk-ant-org-not-a-real-key"
DEADLINE = 30.0


class FakeStarter:
    """Has windows run fake_claude.py by way of the real launcher."""

    def __init__(self, socket: Path):
        self._socket = socket
        self.extra: tuple[str, ...] = ()
        self.missing = False

    async def check(self) -> None:
        if self.missing:
            raise HeroError("not_found", "There is no `claude` program here.", hint="npm install …")

    def model(self, asked: str) -> str:
        return asked or "opus"

    def words(self, agent: Agent) -> list[str]:
        return launcher_argv(agent.id, self._socket)

    def plant(self, folder: Path, agent: Agent) -> None:
        plant(Seed(agent.id, folder, Path(agent.worktree), folder, self._socket))

    async def launch(self, folder: Path, record: Record, payer: Payer) -> AgentLaunch:
        agent, planted = record.agent, Planted(folder)
        again = any((planted.config / "projects").glob(f"*/{agent.session}.jsonl"))
        words = [str(self._socket), agent.id, agent.session, str(planted.spool), *self.extra]
        return AgentLaunch(
            argv=(
                sys.executable,
                "-m",
                "tests.backends.slot.agents.fake_claude",
                *words,
                *(["--resume"] if again else []),
            ),
            cwd=agent.worktree,
            env={"CLAUDE_CONFIG_DIR": str(planted.config), "PYTHONPATH": str(ROOT), MARK: record.mark},
            secret=payer.key.secret if payer.key else "",
            variable="SECRET_DESCRIPTOR",
        )

    def config(self, folder: Path) -> Path:
        return Planted(folder).config

    def spool(self, folder: Path) -> Path:
        return Planted(folder).spool


@dataclass
class FakePayers:
    """The org pays, at `base_url`; or nobody does; or the user's own login, where it lies."""

    base_url: str = "http://127.0.0.1:9"
    refuses: HeroError | None = None
    released: list[str] = field(default_factory=list)
    direct: bool = False
    personal: bool = False

    async def check(self) -> None:
        if self.refuses:
            raise self.refuses

    async def payer(self, session: str) -> Payer:
        await self.check()
        if self.personal:
            return Payer(Credential(kind="personal"))
        url = "" if self.direct else self.base_url
        key = ClaudeKey(slot="ORG_CLAUDE_KEY_2", secret=SECRET, base_url=url, lease=f"lease-{session}")
        return Payer(Credential(kind="org", key=key.slot), key)

    async def release(self, lease: str) -> None:
        self.released.append(lease)


@dataclass
class FakeBox:
    """What the box's inbox was told."""

    asked: list[Waiting] = field(default_factory=list)
    settled: list[tuple[str, bool, str]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def ask(self, agent: Agent, waiting: Waiting) -> None:
        self.asked.append(waiting)

    def fetch(self, agent: Agent) -> None:
        self.fetched.append(agent.id)

    def settle(self, agent: Agent, waiting: str, *, answered: bool, detail: str = "") -> None:
        self.settled.append((waiting, answered, detail))

    def acted(
        self,
        agent: str,
        waiting: str,
        *,
        done: bool,
        problem: str = "",
        outcome: str = "",
        then: Callable[[], None] = lambda: None,
    ) -> None:
        then()


@dataclass
class Desk:
    """The agents of `alice`, her socket, and a client of it."""

    bench: Bench
    starter: Any
    payers: FakePayers
    boot: str = "boot-1"
    box: FakeBox = field(default_factory=FakeBox)
    told: list[Agent] = field(default_factory=list)
    agents: Agents = field(init=False)
    client: Connection = field(init=False)
    server: Server = field(init=False)

    @property
    def socket(self) -> Path:
        return self.bench.slot.context.paths.rpc_socket

    @property
    def tmux(self) -> Path:
        return self.bench.root / "tmux.sock"

    @property
    def place(self) -> Path:
        place = self.bench.slot.context.paths.root / "place"
        place.mkdir(exist_ok=True)
        return place

    async def up(self) -> None:
        """As a daemon that starts."""
        slot = self.bench.slot
        self.agents = Agents(
            slot.context,
            Windows(self.tmux, own=True),
            self.starter,
            self.payers,
            self.box,
            self.told.append,
            boot=lambda: self.boot,
        )
        slot.agents.agents = self.agents
        slot.agents.inbox = self.box  # type: ignore[assignment]
        dispatcher = Dispatcher("hero_slotd", "1")
        register(dispatcher, slot, _no_end)
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        self.server = Server(self.socket, dispatcher)
        await self.server.start()
        await self.agents.open()
        self.client = await connect(self.socket)

    async def down(self, *, end: bool = False) -> None:
        """As a daemon that ends."""
        self.bench.slot.agents.hang_up()
        await self.client.close()
        await self.server.close(grace=1)
        await self.agents.close(end=end)

    async def call(self, method: str, **params: Any) -> Any:
        return await self.client.call(method, params, timeout=DEADLINE)

    async def start(self, prompt: str = "", **more: Any) -> str:
        """A new agent's number."""
        started = await self.call("agent.start", prompt=prompt, **{"worktree": str(self.place), **more})
        return str(started["agent"]["id"])

    def agent(self, id: str) -> Agent:
        return self.agents.session(id).agent

    async def until(self, there: Callable[[], object], what: str = "") -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                while not there():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            states = [f"{one.id} {one.says} {one.detail!r} {one.last_line!r}" for one in self.agents.all()]
            raise AssertionError(f"never: {what}; agents: {states}") from None

    async def says(self, id: str, state: str) -> Agent:
        await self.until(lambda: self.agent(id).says == state, f"{id} says {state}")
        return self.agent(id)

    async def waiting(self, id: str, why: str) -> Waiting:
        """Wait until the agent waits in a dialog whose hook is here."""
        await self.until(
            lambda: self.agent(id).waiting and self.agent(id).says == f"waiting: {why}", f"{id} {why}"
        )
        found = self.agent(id).waiting
        assert found is not None
        return found

    async def answered(self, id: str, text: str) -> Agent:
        """Wait until the agent rests after this answer."""
        await self.until(
            lambda: self.agent(id).last_line == text and self.agent(id).says == "idle: done", f"{id}: {text}"
        )
        return self.agent(id)

    def lines(self, id: str) -> list[AgentLine]:
        from backends.slot.agents.log import read_log

        return read_log(self.agents.session(id).folder, 0, 1000)

    def audited(self, what: str) -> list[dict[str, Any]]:
        return [event.data for event in self.bench.told if event.kind == f"audit.agent.{what}"]

    def kill_tmux(self) -> None:
        subprocess.run(["tmux", "-S", str(self.tmux), "kill-server"], check=False, capture_output=True)


async def _no_end(_: bool) -> None:
    raise AssertionError("nobody ends this slot")


@contextlib.asynccontextmanager
async def desk(starter: Callable[[Bench], Any] | None = None, url: str = "") -> AsyncIterator[Desk]:
    """A desk that is up; its tmux server is ended afterwards, with all that runs there."""
    async with bench() as made:
        slot = made.slot
        slot.record = lambda kind, subject, data: slot.context.record(kind, subject, data)  # type: ignore[method-assign]
        played = starter(made) if starter else FakeStarter(slot.context.paths.rpc_socket)
        one = Desk(made, played, FakePayers(url or "http://127.0.0.1:9"))
        try:
            await one.up()
            yield one
        finally:
            with contextlib.suppress(HeroError):
                await one.down(end=True)
            one.kill_tmux()


def real(made: Bench) -> ClaudeStarter:
    """The real program; HERO_CLAUDE names it."""
    home = made.root / "home-of-alice"
    home.mkdir(exist_ok=True)
    os.environ.setdefault("HOME", str(home))
    return ClaudeStarter(home, made.slot.context.paths.rpc_socket, made.root)
