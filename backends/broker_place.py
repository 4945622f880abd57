"""Where the broker of a box answers, what it keeps where, and how it is started where systemd does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from backends.model.paths import BoxPaths
from backends.system_box import BROKER_SOCKET, BROKER_STATE


class BrokerPlace(NamedTuple):
    """`argv` starts it, with its output in `log`; empty on a system box, where systemd does."""

    socket: Path
    state: Path
    argv: tuple[str, ...]
    log: Path


def broker_place(box: BoxPaths) -> BrokerPlace:
    """The place of the broker of `box`, whose homes are a link where it is a system box."""
    if box.homes.is_symlink():
        return BrokerPlace(BROKER_SOCKET, BROKER_STATE, (), BROKER_STATE / "broker.log")
    argv = (sys.executable, "-m", "hero_tui.aibrokerd", "--box", str(box.root))
    return BrokerPlace(box.broker_socket, box.broker, argv, box.log / "aibroker.out")
