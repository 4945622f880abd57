"""How a machine is started: systemd-nspawn on an overlay, and word from it when its systemd is up."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path

from tests.lab import cgroups, host
from tests.lab.host import LabError, Process
from tests.lab.images import Image
from tests.lab.network import Switch

_LEADER = "X_NSPAWN_LEADER_PID="
_POLL = 0.2

# In a mount namespace of its own the overlay is gone when the machine is, however that ends.
_START = """
mount -t overlay machine "$2" -o "$1"; shift 2
while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs"; shift; done; shift
exec "$@"
"""
# What a real machine allows and nspawn does not.
_CALLS = "@keyring landlock_create_ruleset landlock_add_rule landlock_restrict_self"
_VARIABLES = {"SYSTEMD_NSPAWN_TMPFS_TMP": "0", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}


def boot(
    folder: Path, name: str, switch: Switch, image: Image, binds: Sequence[tuple[Path, str]], timeout: float
) -> None:
    """Start the machine in `folder`; LabError where its systemd has not started all after `timeout` seconds."""
    own_groups = cgroups.planned(switch.namespace_of(name))
    _remember(folder, groups=[str(group) for group in own_groups], leader=None)
    for group in own_groups:
        group.mkdir(exist_ok=True)
    root, work = folder / "root", folder / "work"
    host.remove(work)  # a volatile overlay is not mounted on the work folder of an earlier one
    for made in (root, work):
        made.mkdir(exist_ok=True)
    lower = ":".join(str(layer) for layer in image.layers)
    overlay = f"volatile,lowerdir={lower},upperdir={folder / 'disk'},workdir={work}"
    words = ["unshare", "--mount", "--propagation", "slave", "sh", "-euc", _START, "sh", overlay, str(root)]
    words += [*map(str, own_groups), "--", *_nspawn(root, name, switch, binds)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind("")  # the kernel gives it an abstract name
        told.settimeout(_POLL)
        address = "@" + told.getsockname()[1:].decode()
        started = host.start(words, folder, folder / "console.log", _VARIABLES | {"NOTIFY_SOCKET": address})
        _await_ready(told, started, folder, timeout)


def _nspawn(root: Path, name: str, switch: Switch, binds: Sequence[tuple[Path, str]]) -> list[str]:
    layout = cgroups.layout()
    words = ["systemd-nspawn", "--quiet", "--notify-ready=yes", *layout.nspawn_options()]
    words += [f"--directory={root}", f"--machine={switch.namespace_of(name)}", f"--hostname={name}"]
    words += [f"--network-namespace-path=/run/netns/{switch.namespace_of(name)}"]
    words += ["--capability=CAP_NET_ADMIN", "--drop-capability=CAP_MKNOD", f"--system-call-filter={_CALLS}"]
    words += ["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=read-only"]
    words += [f"--bind-ro={_escaped(str(source))}:{_escaped(target)}" for source, target in binds]
    return words + layout.init()


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:")


def _await_ready(told: socket.socket, started: host.Started, folder: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            lines = told.recv(4096).decode().split("\n")
        except TimeoutError:
            lines = []
        for line in lines:
            if line.startswith(_LEADER):
                first = host.process(int(line.removeprefix(_LEADER)))
                _remember(folder, leader=first and first.as_json())
        if "READY=1" in lines:
            return
        if started.poll() is not None or time.monotonic() > deadline:
            console = (folder / "console.log").read_text(errors="replace")
            raise LabError(f"{folder.name} does not boot:\n{console[-3000:]}")


def _remember(folder: Path, **facts: object) -> None:
    host.write_json(folder / "boot.json", host.read_json(folder / "boot.json") | facts)


def leader(folder: Path) -> Process | None:
    """The machine's PID 1 as the host sees it, once it was started."""
    found = host.read_json(folder / "boot.json").get("leader")
    return Process(**found) if found else None


def groups(folder: Path) -> list[Path]:
    """The control groups that the machine was started in."""
    return [Path(group) for group in host.read_json(folder / "boot.json").get("groups", [])]


def entering(folder: Path, name: str) -> list[str]:
    """The start of a command line whose rest runs inside. Raises LabError where the machine is off."""
    first = leader(folder)
    if first is None or not host.alive(first):
        raise LabError(f"{name} is switched off")
    spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
    return ["nsenter", f"--target={first.pid}", *spaces]
