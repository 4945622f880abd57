"""A small real box for whole-box tests: two slots, three services, made in a second or two."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.client.blocking import call_box, call_slot, connect_slot, run_operation, slotd_argv
from backends.client.locate import Where
from backends.forge.folder import FolderForge
from backends.model.boxfile import render_boxfile
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths, SlotPaths
from backends.rpc.spawn import answers
from hero_tui.demo_box.catalogue import TRUNK, Commit, DemoService
from hero_tui.demo_box.histories import Made, write_files, write_service
from hero_tui.demo_box.releases import publish_releases

TEAM_REPO = "lhumina_code/hero_team"
DEADLINE = 30.0

NEVER_READY = "\nREADY_AFTER = 3600.0\n"
BROKEN_SOURCE = "\ndef shelves(:\n"

WEB = DemoService(
    "hero_web",
    "web",
    True,
    "A page.",
    '"INFO", "beat"',
    (
        Commit("alice", "Begin", '{"page": 1}', release=True),
        Commit("alice", "Go on", '{"page": 2}', release=True),
    ),
    {
        "development_mik": (Commit("mik", "Mik's page", '{"page": "mik"}', release=True),),
        "never_ready": (Commit("mik", "Warm up for ever", '{"page": 3}', release=True, breaks=NEVER_READY),),
        "does_not_build": (Commit("mik", "Half a line", '{"page": 4}', breaks=BROKEN_SOURCE),),
        "feature/a-slash": (Commit("mik", "A slash", '{"page": 5}', release=True),),
    },
)
DB = DemoService(
    "hero_db", "db", True, "A store.", '"INFO", "beat"', (Commit("alice", "Begin", "{}", release=True),)
)
API = DemoService(
    "hero_api",
    "api",
    False,
    "Asks the store.",
    '"INFO", "beat"',
    (Commit("alice", "Begin", "{}", release=True),),
    needs=("hero_db",),
)
SERVICES = (WEB, DB, API)
USERS = ("alice", "integration")


@dataclass
class SmallBox:
    """The box in `root`; calls act in `user`'s slot. `made` has the commits of each service."""

    root: Path
    made: dict[str, list[Made]]
    user: str = "alice"
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def where(self) -> Where:
        return Where(BoxPaths(self.root), self.user)

    @property
    def slot(self) -> SlotPaths:
        return self.where.box.slot(self.user)

    def start_slotd(self, **environment: str) -> subprocess.Popen[bytes]:
        """The slot's daemon as our own child, so that a test sees how it ends."""
        self.slot.log.mkdir(parents=True, exist_ok=True)
        with (self.slot.log / "slotd.out").open("ab") as log:
            daemon = subprocess.Popen(
                slotd_argv(self.where, self.user),
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.daemons.append(daemon)
        self.until(lambda: answers(self.slot.rpc_socket) or daemon.poll() is not None)
        return daemon

    def stop_slotd(self) -> None:
        """End the slot's daemon cleanly; its services run on."""
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.send_signal(signal.SIGTERM)
            daemon.wait(DEADLINE)
        self.daemons.clear()

    def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        return call_slot(self.where, method, params or {})

    def run(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """A long call, to its end."""
        return run_operation(self.where, method, params or {}, lambda _: None)

    def done(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """A long call that must succeed; its result."""
        ended = self.run(method, params)
        assert ended["state"] == "succeeded", ended["error"]
        result: dict[str, Any] = ended["result"]
        return result

    def begin(self, method: str, params: dict[str, Any]) -> str:
        """Begin a long call and leave it alone; its id."""
        with connect_slot(self.where) as client:
            return str(client.call(method, params)["operation"])

    def cell(self, service: str) -> dict[str, Any]:
        status = self.call("slot.status")
        found: dict[str, Any] = next(one for one in status["services"] if one["service"] == service)
        return found

    def commit(self, service: str, branch: str, number: int = -1) -> str:
        """The `number`-th commit of a branch."""
        return [one.commit for one in self.made[service] if one.branch == branch][number]

    def ask(self, service: str) -> dict[str, Any]:
        """What the service answers on its socket, asked with curl."""
        path = self.slot.sockets / service / "web.sock"
        said = subprocess.run(
            ["curl", "-sS", "--max-time", "10", "--unix-socket", str(path), "http://localhost/"],
            check=True,
            capture_output=True,
        )
        found: dict[str, Any] = json.loads(said.stdout)
        return found

    def until(self, there: Any, what: str = "it") -> None:
        """Wait until `there()` is true; errors of daemons that are away count as not yet."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            with contextlib.suppress(HeroError):
                if there():
                    return
            time.sleep(0.02)
        raise AssertionError(f"{what} did not come to be within {DEADLINE:g} s")

    def down(self) -> None:
        """End everything of this box."""
        for user in USERS:
            where = Where(self.where.box, user)
            if where.slot(user).supervisor.exists():
                with contextlib.suppress(HeroError):
                    call_slot(where, "slot.down", {"services": True})
        with contextlib.suppress(HeroError):
            call_box(self.where, "box.down", {"services": True}, start=False)
        for daemon in self.daemons:
            daemon.wait(DEADLINE)


@contextlib.contextmanager
def small_box(folder: str = "box") -> Iterator[SmallBox]:
    """A box in a short temporary folder, all of it gone afterwards."""
    parent = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    root = parent / folder
    box = SmallBox(root, asyncio.run(_make(BoxPaths(root))))
    try:
        yield box
    finally:
        box.down()
        for user in USERS:
            if box.where.box.slot(user).sockets.is_symlink():
                shutil.rmtree(box.where.box.slot(user).sockets.resolve(), ignore_errors=True)
        shutil.rmtree(parent, ignore_errors=True)


async def _make(box: BoxPaths) -> dict[str, list[Made]]:
    forge = FolderForge(box.forge)
    now = int(time.time())
    made = {}
    for service in SERVICES:
        made[service.name] = await write_service(await forge.create_repository(service.repo), service, now)
        await publish_releases(box, service, made[service.name])
    files = _team_files()
    await write_files(await forge.create_repository(TEAM_REPO), files, "The team", now)
    for path, text in files.items():
        (box.team / path).parent.mkdir(parents=True, exist_ok=True)
        (box.team / path).write_text(text)
    for user in USERS:
        manifest = box.slot(user).manifest
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(manifest_text())
    box.config.write_text(render_boxfile("small", datetime.now(UTC), TEAM_REPO))
    return made


def manifest_text() -> str:
    """The manifest that each slot begins with."""
    bindings = [
        f'[[bind]]  # {one.about}\nservice = "{one.name}"\nbranch = "{TRUNK}"\nfrom = "release"\n'
        for one in SERVICES
    ]
    return "# mine, all mine\nschema = 1\n\n" + "\n".join(bindings)


def _team_files() -> dict[str, str]:
    services = "".join(
        f'[[service]]\nname = "{one.name}"\nrepo = "{one.repo}"\nshort = "{one.short}"\n' for one in SERVICES
    )
    files = {
        "team.toml": 'schema = 1\nname = "Small"\nbox = "small"\n[forge]\nkind = "folder"\n',
        "services.toml": f"schema = 1\n{services}",
        "manifest_templates/developer.toml": "schema = 1\n",
    }
    files |= {f"users/{user}.toml": f'schema = 1\nfull_name = "{user}"\nrole = "developer"\n' for user in USERS}
    return files
