"""Why no machine can be booted on this host, in one sentence; and what of it the host's package manager mends."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.lab import cgroups, host
from tests.lab.host import LabError

WANTED = "HERO_TEST_LAB"
"""The variable that asks for a lab; where it is not BUILD, it tells why there is none."""
BUILD = "build"

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "debootstrap": "debootstrap",
    "slirp4netns": "slirp4netns",
    "nft": "nftables",
    "ip": "iproute2",
    "setfacl": "acl",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
    "ssh": "openssh-client",
}
"""Each program that is needed here, and the Debian package that has it."""

_PLAIN_PATH = re.compile(r"/[\w./+@-]+")
_OVERLAY = 'mount -t overlay lab "$1/root" -o "lowerdir=$1/below,upperdir=$1/disk,workdir=$1/work"'


def why_not() -> str:
    """Why tests that need a machine are left out; empty where they are wanted and machines can be booted."""
    wanted = os.environ.get(WANTED)
    if not wanted:
        return f"needs {WANTED}={BUILD}, and root: fresh systemd machines, made by debootstrap and systemd-nspawn"
    if wanted != BUILD:
        return f"the lab was left out: {wanted}"
    return _no_root() or _no_programs() or _no_groups() or _no_overlay()


def install() -> None:
    """Get the missing programs by apt; LabError with why it cannot be. Does nothing where all are there."""
    missing = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)})
    if not missing:
        return
    if reason := _no_root():
        raise LabError(reason)
    if not shutil.which("apt-get"):
        raise LabError(_no_programs())
    with host.turn("install"):
        apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300")
        install = (*apt, "--no-install-recommends", "install", *missing)
        if not host.works(*install):
            host.run(*apt, "update")
            host.run(*install)


def _no_root() -> str:
    return "" if os.geteuid() == 0 else "machines are booted by root, and this is not root"


def _no_programs() -> str:
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    packages = " ".join(sorted({PROGRAMS[program] for program in missing}))
    return f"{', '.join(missing)} not found; Debian has it in: {packages}" if missing else ""


def _no_groups() -> str:
    try:
        cgroups.layout()
    except LabError as error:
        return str(error)
    return ""


def _no_overlay() -> str:
    """Whether disks can lie over images there, which a container's own file system may not allow."""
    root = host.root()
    if not _PLAIN_PATH.fullmatch(str(root)):
        return f"{root} has letters that mean something to mount; set XDG_CACHE_HOME to a plain path"
    with tempfile.TemporaryDirectory(prefix="try-", dir=root) as name:
        for inner in ("root", "below", "disk", "work"):
            Path(name, inner).mkdir()
        words = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", _OVERLAY, "sh", name]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    return f"no overlay can be mounted in {root}: {done.stderr.strip()}" if done.returncode else ""
