"""`hero_dev host`: how the machine does, who takes what of it, and what takes the room on its disks."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from backends.model.errors import unknown_name
from backends.rpc.sync_client import SyncClient
from hero_tui.render.containers import container_lines
from hero_tui.render.host import disk_lines, status_lines
from hero_tui.verbs.exits import DONE, FAILED
from hero_tui.verbs.parsing import refuse_beside
from hero_tui.verbs.session import Session, box_client

_SECONDS = 60.0
_LOOK_SECONDS = 0.3
"""Between two questions whether a measurement is done."""


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("user", metavar="USER", nargs="?", default="", help="with --disk: of this slot only")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--disk", action="store_true", help="what takes the room, as measured last")
    what.add_argument("--containers", action="store_true", help="what Docker and Podman run, one by one")
    parser.add_argument("--fresh", action="store_true", help="with --disk: measure now; ctrl-c gives up")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print it; 1 where something is bad. Raises HeroError."""
    if not asked.disk:
        refuse_beside(asked, "host", {"fresh": "--fresh", "user": "A slot"})
    with box_client(session.where()) as client:
        if asked.disk:
            return _disk(session, client, asked.user, fresh=asked.fresh)
        if asked.containers:
            return _containers(session, client)
        status = client.call("host.status", {}, timeout=_SECONDS)
    if session.json:
        session.answer(status)
    else:
        session.show(status_lines(status, session.terminal(), time.time()))
    return FAILED if any(one["level"] == "bad" for one in status["sample"]["warnings"]) else DONE


def _containers(session: Session, client: SyncClient) -> int:
    report = client.call("host.containers", {}, timeout=_SECONDS)
    if session.json:
        session.answer(report)
    else:
        session.show(container_lines(report, session.terminal()))
    return DONE


def _disk(session: Session, client: SyncClient, user: str, *, fresh: bool) -> int:
    report = _measured(session, client, user) if fresh else client.call("host.disk", {}, timeout=_SECONDS)
    names = [one["slot"] for one in report["slots"] if one["slot"]]
    if user and user not in names:
        raise unknown_name("slot", user, names)
    if session.json:
        session.answer(report)
        return DONE
    session.show(disk_lines(report, session.terminal(), time.time(), user))
    if not any(one["measured_at"] for one in report["slots"]):
        session.confirm(["", "Nothing has been measured yet: `hero_dev host --disk --fresh` does it."])
    return DONE


def _measured(session: Session, client: SyncClient, user: str) -> dict[str, Any]:
    """The report once all that was asked for is measured. KeyboardInterrupt stops it, in the daemons too."""
    params = {"slots": [user]} if user else {}
    report = client.call("host.measure", params, timeout=_SECONDS)
    live = session.errors().live and not session.quiet
    try:
        while report["measuring"]:
            if live:
                left = len(report["measuring"])
                print(
                    f"\r\x1b[Kmeasuring {report['measuring'][0] or 'the box'}, {left} left",
                    end="",
                    file=sys.stderr,
                )
            time.sleep(_LOOK_SECONDS)
            report = client.call("host.disk", {}, timeout=_SECONDS)
    except KeyboardInterrupt:
        client.call("host.measure_stop", {})
        raise
    finally:
        if live:
            print("\r\x1b[K", end="", file=sys.stderr)
    return dict(report)
