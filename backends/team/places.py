"""Where the reconciler finds and leaves things on a machine; tests give other places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backends.model.paths import BoxPaths
from backends.system_box import SLOTS_RUN


@dataclass(frozen=True)
class Places:
    """The folders of one machine; `box` is its system box, `uids` are for the users that it makes."""

    box: BoxPaths
    etc: Path = Path("/etc")
    homes: Path = Path("/home")
    slots_run: Path = SLOTS_RUN
    lingering: Path = Path("/var/lib/systemd/linger")
    log: Path = Path("/var/log/hero/team_sync.jsonl")
    uids: range = range(20_000, 30_000)

    @property
    def folder(self) -> Path:
        """Root's own: nobody else enters it."""
        return self.box.root / "team_sync"

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def repo(self) -> Path:
        return self.folder / "repo.git"

    @property
    def archives(self) -> Path:
        return self.folder / "archive"

    def home(self, login: str) -> Path:
        return self.homes / login

    def leaving_home(self, login: str) -> Path:
        """A home on its way out, after its archive was verified."""
        return self.homes / f".{login}.removed"

    def coming_home(self, login: str) -> Path:
        """A home that is being unpacked."""
        return self.homes / f".{login}.restored"

    def tmpfiles(self, login: str) -> Path:
        """What makes the folder for the user's sockets at each boot."""
        return self.etc / "tmpfiles.d" / f"hero-slot-{login}.conf"

    def limits(self, uid: int) -> Path:
        """The drop-in of the slice that all of the user's processes are in."""
        return self.etc / "systemd" / "system" / f"user-{uid}.slice.d" / "50-hero.conf"
