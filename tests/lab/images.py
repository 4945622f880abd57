"""Images by debootstrap, each a folder that is there whole or not at all: a machine has it below its own disk."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import host, recipes
from tests.lab.host import LabError

KEPT_DAYS = 14
"""After which an image that no machine was made from is thrown away."""

# `volatile` lets an overlay ignore fsync, of which dpkg makes thousands.
_OVERLAY = """
mount -t overlay image "$1/root" -o "volatile,lowerdir=$2,upperdir=$1/disk,workdir=$1/work"
"""
_DEBOOTSTRAP = """
shift 2
exec debootstrap "$@"
"""
# Packages that are installed here start nothing: the services would be the host's.
_CHROOT = """
root=$1/root downloads=$3 wheels=$4 script=$5 policy=$1/root/usr/sbin/policy-rc.d
printf '#!/bin/sh\\nexit 101\\n' >"$policy"
chmod 755 "$policy"
mount -t proc proc "$root/proc"
mount --bind "$downloads" "$root/var/cache/apt/archives"
[ ! -d "$root/mnt/wheels" ] || mount --bind "$wheels" "$root/mnt/wheels"
export DEBIAN_FRONTEND=noninteractive HOME=/root
chroot "$root" sh -euc "$script"
rm "$policy"
"""
_UPDATE = """
update-ca-certificates
apt-get -q update
apt-get -q -y dist-upgrade
"""
_PACKAGES = "apt-get -q -y --no-install-recommends install "
# Each version of run.lock is in dev.lock as well.
_WHEELS = f"""
python3 -m venv /tmp/venv
export PIP_FIND_LINKS=/mnt/wheels PIP_REQUIRE_HASHES=1
here() {{ /tmp/venv/bin/pip download -q -d {recipes.WHEELS} -r /mnt/dev.lock; }}
here || {{ env PIP_NO_INDEX=0 /tmp/venv/bin/pip download -q -d /mnt/wheels -r /mnt/dev.lock; here; }}
rm -r /tmp/venv /mnt/dev.lock
"""


@dataclass(frozen=True)
class Image:
    """Folders that lie over each other to make a machine's disk as it is new, the topmost first."""

    name: str
    layers: tuple[Path, ...]


def stock() -> Image:
    """What a provider's machine has; made where it is not there yet."""
    suite = recipes.Suite.wanted()
    files, packages = recipes.host_files(suite), recipes.packages(recipes.STOCK_PACKAGES)

    def make(part: Path) -> None:
        words = [f"--cache-dir={_downloads()}", f"--include={','.join(packages)}", *suite.options()]
        words += [suite.name, str(part / "root"), *suite.source()]
        _in_part(part, (), _OVERLAY + _DEBOOTSTRAP, words)
        disk = part / "disk"
        if any("/apt/sources" in path for path in files):
            (disk / "etc/apt/sources.list").unlink(missing_ok=True)  # debootstrap's; the host's follow
        for path, text in files.items():
            write(disk, path, text)
        write(disk, "/etc/default/locale", "LANG=C.UTF-8\n")
        _in_root(part, (), _UPDATE)
        forget_identity(disk)

    return Image("stock", (kept(recipes.digest("stock", suite, packages, files), make),))


def ready() -> Image:
    """`stock` with what the bootstrap installs, and with the wheels that it needs."""
    below = stock()
    packages, locks = recipes.packages(recipes.BOX_PACKAGES), recipes.locks()

    def make(part: Path) -> None:
        disk = part / "disk"
        write(disk, "/mnt/dev.lock", locks["dev.lock"])
        folder(disk / "mnt/wheels")
        _in_root(part, below.layers, _PACKAGES + " ".join(packages) + _WHEELS)
        (disk / "mnt/wheels").rmdir()
        forget_identity(disk)

    made = kept(recipes.digest("ready", [layer.name for layer in below.layers], packages, locks), make)
    return Image("ready", (made, *below.layers))


NAMED: dict[str, Callable[[], Image]] = {"stock": stock, "ready": ready}


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """The layer called `name`; where it is not there, what `make` leaves in `disk` of the folder that it is given.

    Of several that want it, one makes it, and the others wait for it.
    """
    layer = host.root() / name
    if not layer.exists():
        with host.turn("images"):
            if not layer.exists():  # another one may have had its turn before
                _make(layer, make)
    os.utime(layer)
    return layer


def _make(layer: Path, make: Callable[[Path], None]) -> None:
    _forget_unused()
    (host.root() / "build.log").unlink(missing_ok=True)
    part = host.root() / "part"
    host.remove(part)
    for inner in ("disk", "work", "root", "empty"):
        (part / inner).mkdir(parents=True)
        (part / inner).chmod(0o755)  # of the disk's own root folder, whatever our umask
    make(part)
    host.run("sync", "-f", part)
    (part / "disk").rename(layer)
    host.remove(part)


def _forget_unused() -> None:
    too_old = time.time() - KEPT_DAYS * 24 * 3600
    for kind in ("stock", "ready", "made"):
        for layer in host.root().glob(f"{kind}-*"):
            if layer.stat().st_mtime < too_old:
                host.remove(layer)


def forget_identity(disk: Path) -> None:
    """Take from a disk what no two machines may share."""
    names = ["etc/machine-id", "etc/hostname", "etc/hosts", "root/.ssh/authorized_keys"]
    keys = [str(path.relative_to(disk)) for path in disk.glob("etc/ssh/ssh_host_*")]
    for name in (*names, *keys):
        (disk / name).unlink(missing_ok=True)
    for journal in disk.glob("var/log/journal/*"):
        host.remove(journal)


def write(disk: Path, path: str, text: str, mode: int = 0o644) -> None:
    """A file on a disk that no machine runs on, with the folders above it."""
    target = Path(f"{disk}{path}")
    folder(target.parent)
    target.write_text(text)
    target.chmod(mode)


def folder(path: Path) -> None:
    """A folder on a disk: over an image it hides the mode of the one below, which our umask must not change."""
    if not path.exists():
        folder(path.parent)
        path.mkdir()
        path.chmod(0o755)


def _downloads() -> Path:
    return _made(host.root() / "packages")


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _in_root(part: Path, below: Sequence[Path], script: str) -> None:
    wheels = _made(host.root() / "wheels")
    _in_part(part, below, _OVERLAY + _CHROOT, [str(_downloads()), str(wheels), script])


def _in_part(part: Path, below: Sequence[Path], script: str, words: list[str]) -> None:
    """Run `script` with $1 the part, $2 the layers below, and `words`; all of it dies with us."""
    lower = ":".join(str(layer) for layer in below) or str(part / "empty")
    host.remove(part / "work")
    (part / "work").mkdir()
    argv = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]
    log = host.root() / "build.log"
    with log.open("a") as output:
        done = subprocess.run(
            [*argv, "sh", "-euc", script, "sh", str(part), lower, *words],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise LabError(f"an image cannot be made:\n{host.without_hosts(log.read_text())[-3000:]}")
