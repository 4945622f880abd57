"""The steps that keep neighbours apart: processes hidden from each other, no logins by password."""

from __future__ import annotations

from pathlib import Path

from deploy.setup.machine import is_file, lines_of, run, succeeds, write_file
from deploy.setup.options import Options
from deploy.setup.places import CHECKOUT
from deploy.setup.step import Step

FSTAB = Path("/etc/fstab")
PROC = "proc /proc proc defaults,hidepid=2 0 0"
SSHD = Path("/etc/ssh/sshd_config.d/50-hero.conf")
ROOT_KEYS = Path("/root/.ssh/authorized_keys")


def processes() -> Step:
    """Nobody but root sees another user's processes."""
    return Step("hidden processes", _missing_processes, _hide)


def logins(options: Options) -> Step:
    """People log in by key. Left as it is where that would lock the only administrator out."""
    return Step("logins by key only", lambda: _missing_logins(options), _by_key)


def _missing_processes() -> list[str]:
    found = [] if PROC in lines_of(FSTAB) else [f"add `{PROC}` to {FSTAB}"]
    return found if _is_hidden() or found else ["mount /proc again with hidepid=2"]


def _is_hidden() -> bool:
    mounts = [line.split() for line in lines_of(Path("/proc/self/mounts"))]
    return any(one[1] == "/proc" and _hides(one[3]) for one in mounts)


def _hides(options: str) -> bool:
    return any(one in ("hidepid=2", "hidepid=invisible", "hidepid=4") for one in options.split(","))


def _hide() -> None:
    lines = [line for line in lines_of(FSTAB) if line.split()[:2] != ["proc", "/proc"]]
    write_file(FSTAB, "\n".join([*lines, PROC, ""]).encode(), 0o644)
    run("mount", "--options", "remount,hidepid=2", "/proc")


def _missing_logins(options: Options) -> list[str]:
    if options.keep_passwords or is_file(SSHD, _settings(), 0o644):
        return []
    if not any(line.strip() and not line.startswith("#") for line in lines_of(ROOT_KEYS)):
        # Somebody who came in as root by a password would not come in again.
        return []
    return ["turn password logins off in sshd"]


def _settings() -> bytes:
    return (CHECKOUT / "deploy" / "etc" / "sshd-hero.conf").read_bytes()


def _by_key() -> None:
    write_file(SSHD, _settings(), 0o644)
    # Where systemd starts sshd at the first connection (Ubuntu 24.04), it may not have been there yet.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    run("sshd", "-t")
    if succeeds("systemctl", "is-active", "--quiet", "ssh"):
        run("systemctl", "reload", "ssh")
