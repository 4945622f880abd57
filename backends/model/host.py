"""What a machine does and holds, and which slot is to be thanked for it: figures, disks, warnings."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from backends.model.frozen import Frozen

ShareKind = Literal["service", "build", "agent", "daemon", "session", "container", "other"]
SIZE_LIMIT = 1 << 60
"""Bytes that anything can have; whoever tells more is not believed."""

PartKind = Literal[
    "worktree",
    "target",
    "version",
    "clone",
    "build",
    "log",
    "agent",
    "data",
    "cache",
    "forge",
    "leftover",
    "other",
]
CleanKind = Literal["versions", "targets", "logs"]
WarningLevel = Literal["ok", "warn", "bad"]


class DiskSpace(Frozen):
    """One file system, in bytes; `free` is what a user may still write. No `inodes`: it does not count them.

    `shared`: files may share extents there (btrfs and the like), so that removing one may free less than its size.
    `holds` says which of our folders lie on it; `stale` that it has not answered and this is what it told before.
    """

    mount: str
    device: str = ""
    kind: str = ""
    total: int = 0
    used: int = 0
    free: int = 0
    inodes: int = 0
    inodes_used: int = 0
    shared: bool = False
    holds: tuple[str, ...] = ()
    stale: bool = False

    @property
    def share(self) -> float:
        """How much of it is used, 0 to 1, as `df` counts: what only root may write is not there."""
        room = self.used + self.free
        return self.used / room if room > 0 else 0.0

    @property
    def inode_share(self) -> float:
        """How many of its inodes are used, 0 to 1."""
        return self.inodes_used / self.inodes if self.inodes > 0 else 0.0


class Machine(Frozen):
    """The whole machine. `cpu` is a percentage of all its cores, None before there is anything to compare with."""

    cpus: int
    cpu: float | None = None
    load: tuple[float, float, float] = (0.0, 0.0, 0.0)
    memory_total: int = 0
    memory_used: int = 0
    swap_total: int = 0
    swap_used: int = 0
    disks: tuple[DiskSpace, ...] = ()


class Share(Frozen):
    """What processes of one kind take. `slot` is "" for what is nobody's: the box's daemons, containers, the rest.

    `cpu` is a percentage of one core. `memory` is in bytes what only these processes hold: files that they have
    mapped are not counted, or each would count them again.
    """

    slot: str
    kind: ShareKind
    name: str = ""
    cpu: float = 0.0
    memory: int = 0
    processes: int = 0


class HostPoint(Frozen):
    """One moment of the trend; `at` in seconds since the epoch, the others in percent, `load` per core."""

    at: float
    cpu: float = 0.0
    memory: float = 0.0
    swap: float = 0.0
    load: float = 0.0
    disk: float = 0.0


class HostWarning(Frozen):
    """A threshold of `[host]` in box.toml that is exceeded. `subject` is like `disk /` or `memory`."""

    subject: str
    level: WarningLevel
    value: float
    limit: float
    sentence: str
    since: AwareDatetime


class HostSample(Frozen):
    """The machine at one moment. `by` says how the shares were told apart: by processes or by cgroups.

    `warming`: no process has been looked at twice yet, so that nobody's `cpu` is known.
    """

    time: AwareDatetime
    machine: Machine
    shares: tuple[Share, ...] = ()
    by: Literal["processes", "cgroups"] = "processes"
    warming: bool = False
    warnings: tuple[HostWarning, ...] = ()


class HostStatus(Frozen):
    """A sample, and how it came to that: `minutes` are of the last hour, `days` further apart and older."""

    box: str
    sample: HostSample
    minutes: tuple[HostPoint, ...] = ()
    days: tuple[HostPoint, ...] = ()


class DiskPart(Frozen):
    """Something on a disk that has a name: a worktree, an installed version, a log. Sizes in bytes, as allocated.

    `reclaimable` of it can go, by `verb`; `why` says why it may, or why not. `grew` since a day ago, None where
    that is not known. Not `complete`: there was more than could be looked at.
    """

    kind: PartKind
    name: str
    path: str = ""
    size: int = Field(default=0, ge=0, le=SIZE_LIMIT)
    files: int = Field(default=0, ge=0, le=SIZE_LIMIT)
    reclaimable: int = Field(default=0, ge=0, le=SIZE_LIMIT)
    why: str = ""
    verb: str = ""
    complete: bool = True
    grew: int | None = None


class SlotDisk(Frozen):
    """What a slot holds on its disk, measured by its own daemon; `slot` is "" for what the box itself holds.

    `measured_at` None: it never was. `space` is the file system that it lies on.
    """

    slot: str
    parts: tuple[DiskPart, ...] = ()
    measured_at: AwareDatetime | None = None
    measuring: bool = False
    seconds: float = 0.0
    space: DiskSpace | None = None
    problem: str = ""

    @property
    def size(self) -> int:
        """All of it."""
        return sum(part.size for part in self.parts)


class EngineUse(Frozen):
    """Images, containers, volumes or build cache of a container engine; sizes in bytes."""

    kind: Literal["images", "containers", "volumes", "build cache"]
    count: int = 0
    active: int = 0
    size: int = 0
    reclaimable: int = 0


class ComposeStack(Frozen):
    """A stack of containers that compose made; `folder` is where its file lies."""

    name: str
    containers: int = 0
    running: int = 0
    folder: str = ""


class EngineReport(Frozen):
    """A Docker or Podman on this machine, only looked at. `problem`: why it could not be, or not wholly."""

    name: str
    socket: str
    version: str = ""
    uses: tuple[EngineUse, ...] = ()
    stacks: tuple[ComposeStack, ...] = ()
    loose: int = Field(default=0, description="Containers of no stack.")
    problem: str = ""


class Growth(Frozen):
    """Something that grew (or shrank) much within the day, in a sentence too."""

    slot: str
    kind: PartKind
    name: str
    bytes: int
    since: AwareDatetime
    sentence: str


class DiskReport(Frozen):
    """Everything that was measured last. `measuring` names the slots that are still to be; "" is the box."""

    slots: tuple[SlotDisk, ...] = ()
    engines: tuple[EngineReport, ...] = ()
    growth: tuple[Growth, ...] = ()
    measuring: tuple[str, ...] = ()


class CleanItem(Frozen):
    """Something that a clean would remove; `id` names it in the call that does."""

    id: str
    kind: CleanKind
    name: str
    path: str
    size: int = 0
    why: str = ""


class KeptItem(Frozen):
    """Something of the same kind that stays, and why."""

    kind: CleanKind
    name: str
    why: str


class CleanPlan(Frozen):
    """What a clean of a slot would remove; nothing has been done."""

    slot: str
    items: tuple[CleanItem, ...] = ()
    kept: tuple[KeptItem, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that would be free."""
        return sum(item.size for item in self.items)
