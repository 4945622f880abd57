"""A slot on a box whose forge is a served one, and the wizard on a real terminal of 80 × 24."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from backends.model.paths import BoxPaths, SlotPaths
from tests.forgejo_server.server import ForgejoServer, running_server
from tests.hero_tui.terminal_of import Terminal, terminal_of

REPO = "lhumina_code/alice_secrets"
SECRET = "the-value-that-nobody-may-see"
TEAM = {
    "team.toml": 'schema = 1\nname = "Team"\nbox = "box"\nadmins = ["mik"]\n'
    '[forge]\nkind = "forgejo"\nurl = "https://forge.example"\n',
    "services.toml": "schema = 1\n",
    "manifest_templates/developer.toml": "schema = 1\n",
    "users/alice.toml": 'schema = 1\nfull_name = "Alice"\nrole = "developer"\n',
}


@dataclass
class Home:
    """alice's slot, the forge, and what her editor does."""

    root: Path
    forge: ForgejoServer

    @property
    def slot(self) -> SlotPaths:
        return BoxPaths(self.root).slot("alice")

    def editor(self, text: str, *, code: int = 0) -> None:
        """Her editor shows that it runs, and saves `text`."""
        (self.root / "typed").write_text(text)
        script = f'#!/bin/sh\ncp {shlex.quote(str(self.root / "typed"))} "$1"\nexit {code}\n'
        (self.root / "editor").write_text(script)
        (self.root / "editor").chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        run = self.root / "run_user"
        run.mkdir(mode=0o700, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {"HOME": str(self.root / "home" / "alice"), "XDG_RUNTIME_DIR": str(run), "TMUX_TMPDIR": str(run)}
        return {**kept, **own, "EDITOR": str(self.root / "editor"), "SHELL": "/bin/sh"}

    def hero_dev(self, *words: str, term: str = "xterm-256color") -> AbstractContextManager[Terminal]:
        argv = [sys.executable, "-m", "hero_tui.cli", "--box", str(self.root), "--slot", "alice", *words]
        # A controlling terminal, so that ctrl-c is one.
        return terminal_of(["setsid", "--ctty", "--wait", *argv], {**self.environment, "TERM": term}, 80, 24)


def interrupt(terminal: Terminal) -> None:
    """Press ctrl-c once the program waits for its answer: a moment earlier Python would notice only with the next
    key."""

    def waits(_: str) -> bool:
        programs = psutil.Process(terminal.process.pid).children(recursive=True)
        return bool(programs) and all(one.status() == psutil.STATUS_SLEEPING for one in programs)

    terminal.until(waits, "a program that waits")
    terminal.press("\x03")


@contextmanager
def home() -> Iterator[Home]:
    """A box whose forge knows alice's repository, still empty."""
    root = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    try:
        with running_server(root / "forge") as forge:
            forge.world.create(REPO, private=True)
            box = BoxPaths(root)
            text = 'schema = 1\nname = "box"\ncreated = 2026-11-21T10:00:00Z\n'
            box.config.write_text(f'{text}team_repo = "lhumina_code/hero_team"\n[forge]\nkind = "forgejo"\n')
            with box.config.open("a") as out:
                out.write(f'url = "{forge.url}"\n')
            for path, content in TEAM.items():
                (box.team / path).parent.mkdir(parents=True, exist_ok=True)
                (box.team / path).write_text(content)
            slot = box.slot("alice")
            slot.manifest.parent.mkdir(parents=True)
            slot.manifest.write_text("# mine\nschema = 1\n")
            made = Home(root, forge)
            made.editor(f'schema = 1\n[secrets]\nOPENAI_API_KEY = "{SECRET}"\n')
            yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)
