"""The step that installs Debian packages: those of deploy/packages.txt that are not there."""

from __future__ import annotations

import subprocess

from deploy.setup.machine import run
from deploy.setup.places import CHECKOUT
from deploy.setup.step import Step


def packages() -> Step:
    """Everything that a box needs of the distribution."""
    return Step("packages", _missing, _install)


def _missing() -> list[str]:
    return [f"install {name}" for name in _not_there()]


def _wanted() -> list[str]:
    lines = (CHECKOUT / "deploy" / "packages.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _not_there() -> list[str]:
    asked = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *_wanted()]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    there = {line.split()[0] for line in told.splitlines() if line.endswith(" installed")}
    return [name for name in _wanted() if name not in there]


def _install() -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    wait = ("-o", "DPkg::Lock::Timeout=300")
    run("apt-get", "-q", "-y", *wait, "update", env=quiet)
    run("apt-get", "-q", "-y", *wait, "--no-install-recommends", "install", *_not_there(), env=quiet)
