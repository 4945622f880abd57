"""A secret on its way from the editor to a service: what the box keeps, tells and runs is searched for it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backends.client.blocking import call_box, connect_box
from backends.forge.folder import FolderForge
from hero_tui.demo_box.histories import write_files
from tests.acceptance.small_box import SmallBox, small_box
from tests.hero_tui.terminal_of import Terminal, terminal_of

pytestmark = pytest.mark.slow

SERVICE = "hero_keeper"
REPO = f"lhumina_code/{SERVICE}"
SECRETS_REPO = "lhumina_code/alice_secrets"

PROGRAM = """#!/usr/bin/env python3
import hashlib, os, pathlib, signal, sys
told = os.environ["KEY"].removeprefix("Bearer ")
path = pathlib.Path(sys.argv[1]) / "digest"
path.with_suffix(".new").write_text(f"{os.getpid()} {hashlib.sha256(told.encode()).hexdigest()}")
path.with_suffix(".new").rename(path)
print("up", flush=True)
signal.pause()
"""
DESCRIPTION = f"""schema = 1
name = "{SERVICE}"
[build]
command = "mkdir -p out && cp keeper.py out/{SERVICE} && chmod +x out/{SERVICE}"
artifacts = ["out/{SERVICE}"]
platform = "linux-any"
[run]
command = ["bin/{SERVICE}", "{{var}}"]
env = {{ KEY = "Bearer {{secret:KEEPER_KEY}}", PLAIN = "1" }}
[health]
command = ["/bin/sh", "-c", "test -z \\"$KEY\\" && test \\"$PLAIN\\" = 1"]
"""


@dataclass
class Watch:
    """Looks at the arguments of every process of this machine, again and again."""

    secrets: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    looks: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._over.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                words = read(process / "cmdline")
                self.seen |= {words.decode(errors="replace") for one in self.secrets if one.encode() in words}
            self.looks += 1

    @contextmanager
    def on(self) -> Iterator[Watch]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def holds(path: Path, secrets: list[str]) -> bool:
    """Whether the file has one of `secrets`, as it is or compressed."""
    content = read(path)
    forms = [content]
    for expand in (gzip.decompress, zlib.decompress):
        try:
            forms.append(expand(content))
        except (OSError, EOFError, zlib.error):
            continue
    return any(one.encode() in form for form in forms for one in secrets)


class Alice:
    """alice at a terminal, with an editor that types."""

    def __init__(self, box: SmallBox, desk: Path):
        self._box = box
        self._typed = desk / "typed"
        editor = desk / "editor"
        editor.write_text(f'#!/bin/sh\ncp {shlex.quote(str(self._typed))} "$1"\n')
        editor.chmod(0o755)
        self.runtime = desk / "runtime"
        self.runtime.mkdir(mode=0o700)
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.runtime), "EDITOR": str(editor)}
        self.environment.pop("VISUAL", None)
        self.told = ""

    def keep(self, secret: str) -> None:
        """Have `secret` in secrets.toml, committed and pushed."""
        self._typed.write_text(f'schema = 1\n[secrets]\nKEEPER_KEY = "{secret}"\n')
        with self._hero_dev_on_a_terminal("secrets", "edit") as terminal:
            terminal.shows("up to date now")
            assert terminal.ends() == 0
            self.told += terminal.text
        assert self.says("secrets", "push") == 0
        self._typed.unlink()

    def says(self, *words: str) -> int:
        done = subprocess.run(
            self._argv(*words), env=self.environment, capture_output=True, text=True, check=False
        )
        self.told += done.stdout + done.stderr
        return done.returncode

    def _hero_dev_on_a_terminal(self, *words: str) -> AbstractContextManager[Terminal]:
        return terminal_of(self._argv(*words), {**self.environment, "TERM": "xterm"}, 80, 24)

    def _argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "hero_tui.cli", "--box", str(self._box.root), "--slot", "alice", *words]


@pytest.fixture
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        forge = FolderForge(made.where.box.forge)
        files = {"keeper.py": PROGRAM, "hero_service.toml": DESCRIPTION, ".gitignore": "out/\n"}
        asyncio.run(write_files(asyncio.run(forge.create_repository(REPO)), files, "Begin", int(time.time())))
        connect_box(made.where).close()
        made.until(lambda: "alice" in call_box(made.where, "box.status")["online"], "alice's slot")
        yield made


def digest(box: SmallBox) -> tuple[int, str]:
    """The process that wrote it, and the digest of what it was told."""
    pid, _, told = read(box.slot.data(SERVICE) / "digest").decode().partition(" ")
    return int(pid or 0), told


def runs_with(box: SmallBox, secret: str, *, not_pid: int = 0) -> int:
    expected = hashlib.sha256(secret.encode()).hexdigest()
    box.until(lambda: digest(box)[1] == expected and digest(box)[0] != not_pid, "the service with its secret")
    return digest(box)[0]


def test_a_secret_is_nowhere_but_in_its_repository_and_its_process(box: SmallBox, tmp_path: Path) -> None:
    first, second = f"first-{uuid.uuid4().hex}", f"second {{home}} ${uuid.uuid4().hex} %h"
    alice = Alice(box, tmp_path)
    bound = {"service": SERVICE, "repo": REPO, "branch": "development", "from": "build"}
    with Watch([first, second]).on() as watch:
        refused = box.run("slot.bind", bound)
        assert "KEEPER_KEY" in str(refused["error"])
        alice.keep(first)
        box.done("slot.bind", bound)
        pid = runs_with(box, first)

        alice.keep(second)
        assert digest(box) == (pid, hashlib.sha256(first.encode()).hexdigest())
        os.kill(pid, signal.SIGKILL)
        pid = runs_with(box, first, not_pid=pid)
        box.done("slot.restart", {"services": [SERVICE]})
        pid = runs_with(box, second, not_pid=pid)
        assert second.encode() in read(Path(f"/proc/{pid}/environ"))

        supervisor = int(read(box.slot.supervisor / "supervisord.pid") or 0)
        os.kill(supervisor, signal.SIGKILL)
        pid = runs_with(box, second, not_pid=pid)
        box.until(lambda: box.cell(SERVICE)["health"] == "healthy", "a healthy service")

        for words in (("status", "--json"), ("status", "--all"), ("audit", "--json"), ("operations", "--json")):
            alice.says(*words)
        alice.says("logs", SERVICE)
        alice.says("secrets", "sync", "--json")
        assert holders(first, second) == {pid}
        alice.says("box", "down")
    assert watch.looks > 10
    assert not watch.seen
    assert not [one for one in (first, second) if one in alice.told]
    places = [*found(box.root, first, second), *found(tmp_path, first, second)]
    secrets_repo = box.where.box.forge / f"{SECRETS_REPO}.git"
    stray = [path for path in places if not {box.slot.secrets, secrets_repo} & set(path.parents)]
    assert not stray
    assert box.slot.secrets_file in places
    assert not list(alice.runtime.glob("hero_secrets/*/secrets.toml"))


def holders(*secrets: str) -> set[int]:
    """The processes whose environment has a secret."""
    worlds = {int(process.name): read(process / "environ") for process in Path("/proc").glob("[0-9]*")}
    return {pid for pid, world in worlds.items() if any(one.encode() in world for one in secrets)}


def found(root: Path, *secrets: str) -> list[Path]:
    """Every file below `root` that has a secret."""
    sockets = [path.resolve() for path in root.rglob("sockets") if path.is_symlink()]
    files = [
        path for top in (root, *sockets) for path in top.rglob("*") if path.is_file() and not path.is_symlink()
    ]
    assert files or root.name != "box"
    return [path for path in files if holds(path, list(secrets))]
