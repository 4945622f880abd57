"""A system box's shares: systemd keeps all that runs in cgroups, which say whose it is and what it takes.

The box's daemon sees no process of another user there (ProtectProc), and needs none.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backends.box.host.shares import Known, Read, Root, summed

CGROUPS = Path("/sys/fs/cgroup")
_LIMIT = 64 * 1024
_SERVICE = re.compile(r"slot-(?P<name>.+)\.service")
_USER = re.compile(r"user-([0-9]{1,10})\.slice")
_CONTAINER = re.compile(r"(?:docker|libpod|crio)-[0-9a-f]{12,64}\.scope")
_DAEMONS = re.compile(r"(hero_[a-z_]+|caddy|hero-[a-z-]+)\.service")
_TMUX = "hero-tmux"
_REST = Root("", "other", "")


@dataclass(frozen=True, slots=True)
class Group:
    """What a cgroup and all below it took so far (`seconds` of processor), and hold now."""

    seconds: float
    memory: int
    processes: int


class CgroupShares:
    """Reads the tree of cgroups (version 2) in `root`; `login` names the user of a uid."""

    by = "cgroups"

    def __init__(self, root: Path = CGROUPS, login: Callable[[int], str] | None = None):
        self._root = root
        self._login = login or _login
        self._before: dict[str, float] = {}
        self._at = 0.0

    def read(self, known: Known, at: float) -> Read:
        """See `Source`."""
        found = list(self._look(known))
        before, seconds = self._before, at - self._at
        self._before = {path: group.seconds for path, _, group in found}
        self._at = at
        comparable = bool(before) and 0 < seconds < 300

        def cpu(path: str, group: Group) -> float:
            then = before.get(path) if comparable else None
            return 100 * max(0.0, group.seconds - then) / seconds if then is not None else 0.0

        shares = summed((root, cpu(path, group), group.memory, group.processes) for path, root, group in found)
        return Read(shares, warming=not comparable)

    def _look(self, known: Known) -> Iterator[tuple[str, Root, Group]]:
        """Path, owner and figures of cgroups of which none is in another."""
        for name in _folders(self._root):
            folder = self._root / name
            if name == "user.slice":
                for user in _folders(folder):
                    yield from self._user(folder / user, known)
            elif name == "system.slice":
                yield from self._told(folder, _of_system)
            else:
                yield from self._group(folder, _REST)

    def _user(self, folder: Path, known: Known) -> Iterator[tuple[str, Root, Group]]:
        match = _USER.fullmatch(folder.name)
        login = self._login(int(match[1])) if match else ""
        if login not in known.users:
            yield from self._group(folder, _REST)
            return
        for name in _folders(folder):
            if name.startswith("user@"):
                for inner in _folders(folder / name):
                    yield from self._told(folder / name / inner, lambda unit: _of_slot(unit, login, known))
            else:
                yield from self._group(folder / name, Root(login, "session", ""))

    def _told(self, folder: Path, owner: Callable[[str], Root]) -> Iterator[tuple[str, Root, Group]]:
        """The units in a slice, or the unit itself."""
        if not folder.name.endswith(".slice"):
            yield from self._group(folder, owner(folder.name))
            return
        for name in _folders(folder):
            if name.endswith(".slice"):
                yield from self._told(folder / name, owner)
            else:
                yield from self._group(folder / name, owner(name))

    def _group(self, folder: Path, root: Root) -> Iterator[tuple[str, Root, Group]]:
        group = _read(folder)
        if group is not None and group.processes:
            yield str(folder), root, group


def _of_slot(unit: str, login: str, known: Known) -> Root:
    """What a unit of a user's own manager is."""
    if match := _SERVICE.fullmatch(unit):
        return Root(login, "service", match["name"].replace(r"\x40", "@"))
    if unit == "hero_slotd.service":
        building = known.building.get(login)
        return Root(login, "build", building) if building else Root(login, "daemon", "hero_slotd")
    if unit.startswith((_TMUX, "tmux-spawn-")):
        return Root(login, "agent", "")
    return Root(login, "session", "")


def _of_system(unit: str) -> Root:
    if match := _DAEMONS.fullmatch(unit):
        return Root("", "daemon", match[1])
    return Root("", "container", "") if _CONTAINER.fullmatch(unit) else _REST


def _read(folder: Path) -> Group | None:
    """The figures of one cgroup; None where it is gone, or tells none."""
    try:
        seconds = int(_fields(folder / "cpu.stat")["usage_usec"]) / 1e6
    except (OSError, KeyError, ValueError):
        return None
    return Group(seconds, _memory(folder), _processes(folder))


def _memory(folder: Path) -> int:
    """Bytes that go when its processes end: not the files that they have read; 0 where memory is not counted."""
    try:
        told = _fields(folder / "memory.stat")
        return int(told["anon"]) + int(told.get("shmem", "0"))
    except (OSError, KeyError, ValueError):
        return 0


def _processes(folder: Path) -> int:
    for name in ("pids.current", "cgroup.procs"):
        try:
            text = _text(folder / name)
            return int(text) if name == "pids.current" else len(text.split())
        except (OSError, ValueError):
            continue
    return 0


def _fields(path: Path) -> dict[str, str]:
    return dict(line.partition(" ")[::2] for line in _text(path).splitlines())


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LIMIT).decode("ascii", "replace")


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(one.name for one in entries if one.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
