"""Control groups of a machine, so that limits inside it hold; what is possible depends on the host's layout."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from tests.lab.host import LabError, becomes

MOUNT = Path("/sys/fs/cgroup")
_LIMITS = frozenset({"cpu", "cpuacct", "memory", "pids"})
_PATIENCE = 5.0

# nspawn shows a machine the v1 controllers read only. They end at the machine's own groups, so it may have them;
# and systemd gives v1 controllers to no user's manager, so a drop-in does.
_HYBRID_INIT = """
drop_in=$1; shift
for name; do mount -o remount,bind,rw,nosuid,nodev,noexec "/sys/fs/cgroup/$name"; done
mkdir -p /run/systemd/system/user@.service.d
printf '%s' "$drop_in" >/run/systemd/system/user@.service.d/50-lab.conf
exec /sbin/init
"""
_DROP_IN = """\
[Service]
CPUAccounting=yes
MemoryAccounting=yes
TasksAccounting=yes
ExecStartPre=+/bin/sh -c 'for name in {names}; do \\
    group=/sys/fs/cgroup/$$name/user.slice/user-%i.slice/user@%i.service; \\
    mkdir -p $$group && chown %i $$group $$group/cgroup.procs $$group/tasks; done'
"""


@dataclass(frozen=True)
class Layout:
    """How the host groups processes: v1 controllers with an empty v2 hierarchy beside them, or v2 alone."""

    hybrid: bool
    own: dict[str, Path]
    """On a hybrid host, this process's group in each hierarchy that a machine gets one in."""

    @property
    def limits(self) -> list[str]:
        """The hierarchies whose limits a machine may set."""
        return [name for name in self.own if _LIMITS & set(name.split(","))]

    def nspawn_options(self) -> list[str]:
        """How nspawn treats groups here. Where systemd runs the host, it gives the machine a scope of its own."""
        keep = self.hybrid or not Path("/run/systemd/system").is_dir()
        return ["--register=no", *(["--keep-unit"] if keep else [])]

    def init(self) -> list[str]:
        """The last words of the nspawn command: how systemd is started."""
        if not self.hybrid:
            return ["--boot"]
        drop_in = _DROP_IN.format(names=" ".join(self.limits))
        return ["--kill-signal=SIGRTMIN+3", "/bin/sh", "-ec", _HYBRID_INIT, "init", drop_in, *self.limits]


def layout() -> Layout:
    """That of this host; raises LabError where no machine was ever booted on such a one."""
    if (MOUNT / "cgroup.controllers").exists():
        return Layout(hybrid=False, own={})
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, name, path = line.split(":", 2)
        name = name.removeprefix("name=") or "unified"
        if name in ("systemd", "unified") or _LIMITS & set(name.split(",")):
            own[name] = MOUNT / name / path.lstrip("/")
    controllers = {controller for name in own for controller in name.split(",")}
    if not {"systemd", "unified", "cpu", "memory", "pids"} <= controllers:
        raise LabError(
            f"the host's control groups ({', '.join(sorted(controllers)) or 'none'}) are laid out unknown"
        )
    if lost := [str(path) for path in own.values() if not (path / "cgroup.procs").exists()]:
        raise LabError(f"the host's control groups are not mounted where they are looked for: {', '.join(lost)}")
    return Layout(hybrid=True, own=own)


def planned(name: str) -> list[Path]:
    """The groups that a machine called `name` on this host will be in, below ours so that it counts as ours."""
    return [path / name for path in layout().own.values()]


def remove(groups: list[Path]) -> None:
    """Take away the groups of a machine whose processes have ended."""

    def gone() -> bool:
        for group in groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):  # the kernel needs a moment after the last process
                    Path(folder).rmdir()
        return not any(group.exists() for group in groups)

    if not becomes(gone, _PATIENCE):
        raise LabError(f"processes are left in {', '.join(str(group) for group in groups if group.exists())}")
