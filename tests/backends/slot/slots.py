"""A slot for tests in this process: a real folder forge, real worktrees and builds, and a box that is played."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.forge.folder import FolderForge
from backends.model.box_calls import ReportParams, ReportResult
from backends.model.build_calls import BuildSubmitParams, BuildSubmitResult
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.state import Build, Event
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server
from backends.slot.board import now
from backends.slot.boxlink import BoxLink
from backends.slot.handlers import register
from backends.slot.slot import Slot
from backends.supervisors.supervisord import Supervisord
from tests.backends.slot.origins import run

REPO = "lhumina/hero_x"
SERVICE = "hero_x"
BRANCH = "development"
DEADLINE = 60.0

GOOD = "mkdir -p out && cp hero_x.sh out/hero_x && chmod +x out/hero_x && echo built"
PROGRAM = "#!/bin/sh\nexec sleep 1000\n"


def description(command: str = GOOD) -> str:
    return f"""schema = 1
name = "{SERVICE}"
[build]
command = '''{command}'''
artifacts = ["out/hero_x"]
platform = "linux-any"
timeout = "60s"
[run]
command = ["bin/hero_x"]
"""


def manifest(**more: str) -> str:
    extra = "".join(f"{key} = {value}\n" for key, value in more.items())
    fields = {"repo": REPO, "branch": BRANCH, "from": "build"}
    text = "".join(f'{key} = "{value}"\n' for key, value in fields.items())
    return f'schema = 1\n[[bind]]\nservice = "{SERVICE}"\n{text}{extra}'


@dataclass
class Bench:
    """A slot of `alice`, the forge that it takes from, and somebody who pushes there."""

    root: Path
    forge: FolderForge
    slot: Slot
    work: Path
    told: list[Event] = field(default_factory=list)

    def push(self, text: str = PROGRAM, *, command: str = GOOD, branch: str = BRANCH) -> str:
        """Commit this program and this way to build it, and push; the new commit."""
        heads = run(self.work, "branch", "--format=%(refname:short)").splitlines()
        if heads:
            run(self.work, "checkout", "-q", *([] if branch in heads else ["-b"]), branch)
        (self.work / "hero_x.sh").write_text(text)
        (self.work / "hero_service.toml").write_text(description(command))
        (self.work / ".gitignore").write_text("out/\n*.pid\n")
        run(self.work, "add", "--all")
        run(self.work, "commit", "-q", "--allow-empty", "-m", f"Say {len(text)}")
        run(self.work, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return run(self.work, "rev-parse", "HEAD")

    @property
    def tree(self) -> Path:
        return self.slot.context.paths.worktree(SERVICE, BRANCH)

    def asked(self, id_: str, **more: Any) -> Build:
        """A build of the box's queue, as it gives it to the slot."""
        fields = {"slot": "alice", "service": SERVICE, "repo": REPO, "branch": BRANCH, "state": "running"}
        return Build.model_validate({"id": id_, "priority": "background", **fields, **more})

    def events(self, kind: str) -> list[Event]:
        return [event for event in self.told if event.kind.startswith(kind)]

    async def ended(self, operation: str) -> Any:
        async with asyncio.timeout(DEADLINE):
            return await self.slot.context.operations.wait(operation)

    def linked(self, socket: Path) -> BoxLink:
        """The slot's link to a box at `socket`."""
        dispatcher = Dispatcher("hero_slotd", "1")
        register(dispatcher, self.slot, _no_end)
        link = BoxLink(socket, "alice", self.slot.outbox, self.slot.status, dispatcher)
        self.slot.context.turns.use(link.reach)
        return link


async def _no_end(_: bool) -> None:
    raise AssertionError("nobody ends this slot")


@contextlib.asynccontextmanager
async def bench(*, runs: bool = False) -> AsyncIterator[Bench]:
    """A slot bound to a build of the trunk, its forge with one commit; with `runs` services can be started."""
    root = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    box = BoxPaths(root)
    forge = FolderForge(box.forge)
    bare = await forge.create_repository(REPO, branch=BRANCH)
    work = root / "work"
    work.mkdir()
    run(work, "init", "-q", "-b", BRANCH)
    run(work, "remote", "add", "origin", str(bare))
    paths = box.slot("alice")
    paths.manifest.parent.mkdir(parents=True)
    paths.manifest.write_text(manifest())
    supervisor = Supervisord(paths.supervisor, runtime_dir=root)
    slot = Slot(box, "small", "alice", forge=forge, supervisor=supervisor, sockets=root / "s")
    made = Bench(root, forge, slot, work)
    slot.context.record = lambda kind, subject, data: made.told.append(_event(kind, subject, dict(data)))
    slot.reload()
    made.push()
    if runs:
        await slot.context.services.up()
    try:
        yield made
    finally:
        slot.queued.closing()
        await slot.context.operations.close()
        await slot.queued.close()
        await slot.context.turns.close()
        await slot.context.statuses.close()
        await slot.context.refresher.close()
        await slot.context.chores.close()
        await slot.context.services.close()
        if runs:
            await slot.context.services.down()
        await slot.outbox._database.close()
        await forge.aclose()
        shutil.rmtree(root, ignore_errors=True)


def _event(kind: str, subject: str, data: dict[str, Any]) -> Event:
    return Event(seq=0, time=now(), box="small", slot="alice", kind=kind, subject=subject, data=data)


class PlayedBox:
    """A box on a real socket: it takes reports, and does with submitted builds what the test says.

    `on_submit` answers a submission; by default it is queued, and begun at once over the link.
    """

    def __init__(self, path: Path):
        self.path = path
        self.submitted: list[BuildSubmitParams] = []
        self.cancelled: list[str] = []
        self.answers: dict[str, asyncio.Task[Build]] = {}
        self.connections: list[Connection] = []
        self.on_submit: Callable[[BuildSubmitParams], BuildSubmitResult | None] = self.go
        self.arrived = asyncio.Event()
        self.answering = asyncio.Event()
        self.answering.set()
        self.server: Server | None = None
        self.knows_builds = True

    async def start(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        dispatcher = Dispatcher("box", "1")
        dispatcher.register(BY_NAME["slot.report"], self._report)
        if self.knows_builds:
            dispatcher.register(BY_NAME["codescalers.build.submit"], self._submit)
            dispatcher.register(BY_NAME["build.cancel"], self._cancel)
        self.server = Server(self.path, dispatcher)
        await self.server.start()

    async def stop(self) -> None:
        if self.server:
            await self.server.close(grace=0)
        self.server = None
        for task in self.answers.values():
            task.cancel()
        await asyncio.gather(*self.answers.values(), return_exceptions=True)

    def go(self, params: BuildSubmitParams) -> BuildSubmitResult | None:
        """Begin the build at once."""
        self.begin(params)
        return None

    def begin(self, params: BuildSubmitParams) -> None:
        """Give the build its turn."""
        self.answers[params.build_id] = asyncio.create_task(self.call(self.build_of(params)))

    async def call(self, build: Build) -> Build:
        """`slot.build` over the slot's newest link."""
        told = {"build": build.model_dump(mode="json", by_alias=True)}
        return Build.model_validate(await self.connections[-1].call("slot.build", told))

    async def tell(self, build: Build) -> None:
        told = {"build": build.model_dump(mode="json", by_alias=True)}
        await self.connections[-1].call("build.changed", told)

    def build_of(self, params: BuildSubmitParams, **more: Any) -> Build:
        fields = params.model_dump(exclude={"user", "build_id"})
        return Build.model_validate(
            {"id": params.build_id, "slot": params.user, "state": "running", **fields, **more}
        )

    async def answer(self, build_id: str) -> Build:
        async with asyncio.timeout(DEADLINE):
            return await self.answers[build_id]

    async def _report(self, call: Call, params: ReportParams) -> ReportResult:
        if call.connection not in self.connections:
            self.connections.append(call.connection)
            self.arrived.set()
        return ReportResult(acknowledged=params.last_outbox_id)

    async def _submit(self, _: Call, params: BuildSubmitParams) -> BuildSubmitResult:
        self.submitted.append(params)
        await self.answering.wait()
        return self.on_submit(params) or BuildSubmitResult(build_id=params.build_id, state="queued")

    async def _cancel(self, _: Call, params: Any) -> Build:
        self.cancelled.append(params.build_id)
        known = next(one for one in self.submitted if one.build_id == params.build_id)
        return self.build_of(known, state="cancelled")


def refuse(_: BuildSubmitParams) -> BuildSubmitResult:
    raise HeroError("no_space", "No room in the queue.")


async def until(there: Callable[[], object]) -> None:
    """Wait until `there()` is true."""
    async with asyncio.timeout(DEADLINE):
        while not there():
            await asyncio.sleep(0.005)
