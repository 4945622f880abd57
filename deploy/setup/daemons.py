"""The steps that start the daemons and have the team's slots made."""

from __future__ import annotations

import json
import time
from pathlib import Path

from deploy.setup.broker import UNIT as BROKER_UNIT
from deploy.setup.broker import has_left
from deploy.setup.machine import run, succeeds
from deploy.setup.places import CURRENT
from deploy.setup.step import Step, Stopped

UNITS = ("hero_team_sync.service", "hero_boxd.service", BROKER_UNIT, "hero_webd.service", "hero_router.service")
FOREIGN = "caddy.service"
"""The distribution's own proxy, which would take the ports of ours."""
_VERSION_MARK = Path("/run/hero/.version")
"""Which version the running daemons are of; gone after a reboot, as they are."""
_PATIENCE = 60.0


def daemons() -> Step:
    """The box's daemons, enabled and of the version in force."""
    return Step("daemons", _missing, _start)


def slots() -> Step:
    """Everybody's slot, the integration slot first."""
    return Step("slots", _missing_slots, _make_slots)


def _missing() -> list[str]:
    found = [f"turn {FOREIGN} off"] if succeeds("systemctl", "is-enabled", "--quiet", FOREIGN) else []
    for unit in UNITS:
        if not succeeds("systemctl", "is-enabled", "--quiet", unit) or not succeeds(
            "systemctl", "is-active", "--quiet", unit
        ):
            found.append(f"start {unit}, now and at every boot")
    if not succeeds("systemctl", "--global", "is-enabled", "--quiet", "hero_slotd.service"):
        found.append("have every slot's daemon start with its user")
    if not found and _running_version() != _version():
        found.append("restart the daemons on the version in force")
    if not found and has_left():
        found.append("have the broker take in the org keys that it was given")
    return found


def _start() -> None:
    if succeeds("systemctl", "is-enabled", "--quiet", FOREIGN):
        run("systemctl", "disable", "--now", FOREIGN)
    run("systemctl", "--global", "enable", "hero_slotd.service")
    before = _logged_slots()  # those that the reconciler makes from here on are of this version, and busy
    for unit in UNITS:
        run("systemctl", "enable", unit)
        run("systemctl", "restart", unit)
    for user in before:
        run("systemctl", "--user", f"--machine={user}@", "daemon-reload")
        run("systemctl", "--user", f"--machine={user}@", "restart", "hero_slotd.service")
    _VERSION_MARK.write_text(_version(), encoding="ascii")


def _logged_slots() -> list[str]:
    """Users whose manager runs, with a slot's daemon in it."""
    told = run("loginctl", "list-users", "--no-legend", "--no-pager")
    users = [line.split()[1] for line in told.splitlines() if len(line.split()) > 1]
    return [
        user
        for user in users
        if succeeds("systemctl", "--user", f"--machine={user}@", "is-active", "--quiet", "hero_slotd.service")
    ]


def _version() -> str:
    return str(CURRENT.readlink()) if CURRENT.is_symlink() else ""


def _running_version() -> str:
    try:
        return _VERSION_MARK.read_text(encoding="ascii")
    except OSError:
        return ""


def _missing_slots() -> list[str]:
    if not succeeds("systemctl", "is-active", "--quiet", UNITS[0]):
        return ["make everybody's slot, the integration slot first"]
    told = json.loads(_team("plan"))
    return [str(action["sentence"]) for action in told["actions"]]


def _make_slots() -> None:
    _team("apply")


def _team(verb: str) -> str:
    deadline = time.monotonic() + _PATIENCE
    while not Path("/run/hero/team_sync/rpc.sock").is_socket():
        if time.monotonic() > deadline:
            raise Stopped("the reconciler does not answer: `journalctl -u hero_team_sync` tells why")
        time.sleep(0.1)
    return run(str(CURRENT / ".venv" / "bin" / "hero_dev"), "team", verb, "--json")
