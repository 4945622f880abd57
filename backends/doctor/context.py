"""What a check may know: the box and slot that are looked at, who looks, and where things are on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends.model.boxfile import BoxFile
from backends.model.paths import BoxPaths, SlotPaths
from backends.model.team import TeamRepo
from backends.system_box import WEB_STATE


@dataclass(frozen=True)
class Machine:
    """Places of a system box outside of its root; tests give others."""

    run: Path = Path("/run/hero")
    lingering: Path = Path("/var/lib/systemd/linger")
    software: Path = Path("/opt/hero-team-box/current")
    router: Path = Path("/etc/hero/Caddyfile")
    web: Path = WEB_STATE
    tmp: Path = Path("/tmp")  # noqa: S108  # looked at, never written to
    cgroups: Path = Path("/sys/fs/cgroup")
    proc: Path = Path("/proc")


@dataclass(frozen=True)
class Context:
    """One look at `box`; with `user` at that slot of it.

    `file` is None where box.toml cannot be used, for the reason `trouble`. `users` have a slot on the box. `uid`
    is the caller's; `at_terminal` says that the environment is that of the slot's owner, at a terminal. `patience`
    stretches or shrinks every check's time.
    """

    box: BoxPaths
    file: BoxFile | None = None
    trouble: str = ""
    team: TeamRepo = field(default_factory=TeamRepo)
    users: tuple[str, ...] = ()
    user: str = ""
    uid: int = field(default_factory=os.geteuid)
    system: bool = False
    at_terminal: bool = True
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    machine: Machine = Machine()
    patience: float = 1.0

    @property
    def is_root(self) -> bool:
        """Whether the caller may do on this box what only root may."""
        return self.uid == 0

    @property
    def slot(self) -> SlotPaths:
        """The paths of the slot that is looked at."""
        return self.box.slot(self.user)

    @property
    def as_root(self) -> str:
        """What stands before a command that only root may type."""
        return "" if self.is_root else "As root: "
