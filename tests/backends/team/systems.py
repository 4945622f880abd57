"""A small system in a folder: its own /etc, homes, services' manager; real files, real processes, real tar.

Run as a program it reconciles once, for a test to kill: `python -m tests.backends.team.systems FOLDER FIRST_UID`.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.team_calls import TeamDiff, TeamRun
from backends.team.commands import SECONDS, run
from backends.team.places import Places
from backends.team.reconciler import Reconciler
from tests.backends.slot.origins import run as git
from tests.backends.team.conftest import child

REPO = "lhumina_code/hero_team"
REAL = ("rm", "tar", "sync")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLkQq72WCD8M3VkXhqKYX498C92hxh1ON40U5jbjKzH laptop"
FILES = {
    "team.toml": 'schema = 1\nname = "L"\nbox = "box"\nadmins = ["alice"]\n[forge]\nkind = "folder"\n',
    "services.toml": 'schema = 1\n[[service]]\nname = "hero_web"\nrepo = "o/hero_web"\nshort = "web"\n',
    "manifest_templates/developer.toml": "schema = 1\n",
}


def person(name: str, more: str = "") -> str:
    """The text of a user's file."""
    return f'schema = 1\nfull_name = "{name.title()}"\nrole = "developer"\nssh_keys = ["{KEY}"]\n{more}'


@dataclass
class System:
    """The system in `root`. It is what runs commands, and `asked` has them."""

    root: Path
    first_uid: int = field(default_factory=lambda: 1_000_000 + os.getpid() % 1_000_000 * 100)
    """Another one in each process: whoever leaves has every process of their uid killed."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    broken: str = ""
    """A program that fails."""

    @property
    def places(self) -> Places:
        return Places(
            BoxPaths(self.root / "box"),
            self.root / "etc",
            self.root / "home",
            self.root / "slots",
            self.root / "linger",
            self.root / "log" / "team_sync.jsonl",
            range(self.first_uid, self.first_uid + 100),
        )

    @property
    def work(self) -> Path:
        """Somebody's clone of the team repo."""
        return self.root / "work"

    def begin(self, files: Mapping[str, str]) -> None:
        """Make it, with a team repo."""
        for name in ("etc", "home", "linger", "slots", "box", "work"):
            (self.root / name).mkdir()
        users = "root:x:0:0::/root:/bin/bash\ncaddy:x:999:999::/:/usr/sbin/nologin\n"
        (self.root / "etc/passwd").write_text(users)
        (self.root / "etc/shadow").write_text("root:*:1:0:99999:7:::\ncaddy:!:1::::::\n")
        (self.root / "etc/group").write_text("root:x:0:\ncaddy:x:999:\nhero-team:x:998:\ndocker:x:997:\n")
        (self.root / "etc/shells").write_text("/bin/sh\n/bin/bash\n")
        (self.root / "box/box.toml").write_text(
            f'schema = 1\nname = "box"\nkind = "system"\ncreated = 2026-11-21T10:00:00Z\nteam_repo = "{REPO}"\n'
        )
        forge = self.root / "box/forge" / f"{REPO}.git"
        git(self.root, "init", "-q", "--bare", "-b", "main", str(forge))
        git(self.root, "clone", "-q", str(forge), str(self.work))
        git(self.work, "checkout", "-q", "-b", "main")
        self.push(files)

    def push(self, files: Mapping[str, str | None], *, force: bool = False, amend: bool = False) -> str:
        """Commit and push `files`, None for one that goes; the commit."""
        for name, text in files.items():
            path = self.work / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
        git(self.work, "add", "--all")
        git(self.work, "commit", "-q", "--allow-empty", "-m", "Change", *(["--amend"] if amend else []))
        git(self.work, "push", "-q", *(["--force"] if force else []), "origin", "HEAD:refs/heads/main")
        return git(self.work, "rev-parse", "HEAD")

    def reconciler(self) -> Reconciler:
        return Reconciler(self.places, None, run=self, child=child())

    def apply(self) -> TeamRun:
        """One reconcile by a reconciler that was just started."""
        return asyncio.run(self.reconciler().apply())

    def plan(self) -> TeamRun:
        return asyncio.run(self.reconciler().plan())

    def diff(self) -> TeamDiff:
        return asyncio.run(self.reconciler().differences())

    def home(self, login: str) -> Path:
        return self.root / "home" / login

    def rows(self, file: str) -> dict[str, list[str]]:
        """A file of /etc by its first fields."""
        lines = (self.root / "etc" / file).read_text().splitlines()
        return {line.split(":")[0]: line.split(":") for line in lines}

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Everything on disk but the forge and the clone of somebody: for each file its time and text."""
        skipped = (self.work, self.root / "box" / "forge")
        files = (one for one in sorted(self.root.rglob("*")) if not any(above in one.parents for above in skipped))
        return {
            str(one): (one.lstat().st_mtime_ns, one.read_bytes() if one.is_file() else b"")
            for one in files
            if not one.is_symlink()
        }

    async def __call__(self, *argv: str, seconds: float = SECONDS, also: tuple[int, ...] = ()) -> str:
        """As `Run` says."""
        self.asked.append(argv)
        name, words = argv[0], [word for word in argv[1:] if word != "--"]
        if name == self.broken:
            raise HeroError("failed", f"`{name}` failed: broken")
        if name in REAL or name == sys.executable:
            program = ("env", f"PYTHONPATH={Path(__file__).parents[3]}", name, *(w for w in argv[1:] if w != "-I"))
            return await run(*(program if name == sys.executable else argv), seconds=seconds, also=also)
        if handler := getattr(self, f"_{name.replace('-', '_')}", None):
            handler(words)
        return ""

    def _groupadd(self, words: list[str]) -> None:
        assert words[-1] not in self.rows("group")
        self._write("group", {**self.rows("group"), words[-1]: [words[-1], "x", words[1], ""]})

    def _useradd(self, words: list[str]) -> None:
        login = words[-1]
        given = dict(itertools.pairwise(words))
        assert login not in self.rows("passwd")
        fields = [
            login,
            "x",
            given["--uid"],
            given["--gid"],
            given["--comment"],
            given["--home-dir"],
            given["--shell"],
        ]
        self._write("passwd", {**self.rows("passwd"), login: fields})
        shadow = [login, given["--password"], "1", "0", "99999", "7", "", "", ""]
        self._write("shadow", {**self.rows("shadow"), login: shadow})

    def _usermod(self, words: list[str]) -> None:
        login = words[-1]
        given = dict(itertools.pairwise(words))
        users, shadow = self.rows("passwd"), self.rows("shadow")
        users[login][6] = given["--shell"]
        if "--lock" in words:
            shadow[login][1] = "!" + shadow[login][1].lstrip("!")
        if "--unlock" in words:
            shadow[login][1] = shadow[login][1].lstrip("!")
        if "--expiredate" in words:
            shadow[login][7] = given["--expiredate"]
        self._write("passwd", users)
        self._write("shadow", shadow)

    def _gpasswd(self, words: list[str]) -> None:
        groups = self.rows("group")
        members = set(filter(None, groups[words[2]][3].split(",")))
        members = members | {words[1]} if words[0] == "--add" else members - {words[1]}
        groups[words[2]][3] = ",".join(sorted(members))
        self._write("group", groups)

    def _loginctl(self, words: list[str]) -> None:
        path = self.root / "linger" / words[1]
        if words[0] == "enable-linger":
            path.touch()
        elif words[0] == "disable-linger":
            path.unlink(missing_ok=True)

    def _systemd_tmpfiles(self, words: list[str]) -> None:
        login = Path(words[1]).stem.removeprefix("hero-slot-")
        folder = self.root / "slots" / login
        folder.mkdir(mode=0o700, exist_ok=True)
        uid = int(self.rows("passwd")[login][2])
        os.chown(folder, uid, uid)

    def _write(self, file: str, rows: dict[str, list[str]]) -> None:
        path = self.root / "etc" / file
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(":".join(row) + "\n" for row in rows.values()))
        shutil.move(fresh, path)


if __name__ == "__main__":
    System(Path(sys.argv[1]), int(sys.argv[2])).apply()
