"""Has a daemon answer that does not: started by us on a rootless box, by systemd on a system box."""

from __future__ import annotations

import getpass
import subprocess
import sys
import time
from pathlib import Path

from backends.client.locate import Where, is_system
from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.rpc.spawn import answers, ensure_daemon

START_SECONDS = 20.0
_LOOK_SECONDS = 0.05


def boxd_argv(where: Where) -> list[str]:
    """The command that starts the daemon of a rootless box."""
    return [sys.executable, "-m", "hero_tui.boxd", "--box", str(where.box.root)]


def slotd_argv(where: Where, user: str) -> list[str]:
    """The command that starts a slot's daemon."""
    return [sys.executable, "-m", "hero_tui.slotd", "--box", str(where.box.root), "--slot", user]


def start_box(where: Where) -> None:
    """Have the box's daemon answer. Blocks; raises HeroError `unreachable`."""
    if is_system(where.box):
        raise HeroError(
            "unreachable",
            "The daemon of this machine's box does not answer.",
            hint="`systemctl status hero_boxd` tells why; as root `systemctl restart hero_boxd` starts it again.",
        )
    log = where.box.log / "boxd.out"
    ensure_daemon(where.box.rpc_socket, boxd_argv(where), log=log, timeout=START_SECONDS)


def start_slot(where: Where, user: str) -> None:
    """Have the daemon of `user`'s slot answer. Blocks; raises HeroError: unreachable, denied."""
    paths = where.slot(user)
    if is_system(where.box):
        _start_own_unit(user, paths.rpc_socket)
        return
    ensure_daemon(paths.rpc_socket, slotd_argv(where, user), log=paths.log / "slotd.out", timeout=START_SECONDS)


def _start_own_unit(user: str, socket: Path) -> None:
    if user != getpass.getuser():
        raise HeroError(
            "denied", f"{user}'s slot is {user}'s alone.", hint=f"`hero_dev peek {user}` looks into it."
        )
    command = ["systemctl", "--user", "start", "hero_slotd.service"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HeroError("unreachable", f"The slot's daemon cannot be started: {error}.") from error
    deadline = time.monotonic() + START_SECONDS
    while not answers(socket):
        if done.returncode or time.monotonic() > deadline:
            raise HeroError(
                "unreachable",
                f"The daemon of {user}'s slot does not answer: {safe_line(done.stderr, 300) or 'it is silent'}.",
                hint="`systemctl --user status hero_slotd` and `journalctl --user -u hero_slotd` tell why.",
            )
        time.sleep(_LOOK_SECONDS)
