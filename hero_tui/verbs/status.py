"""`hero_dev status`: my slot, or the whole fleet."""

from __future__ import annotations

import argparse
import time

from hero_tui.verbs.exits import DONE
from hero_tui.verbs.session import Session, box_client, slot_client


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("--all", action="store_true", help="the whole fleet: users × services")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print it. Raises HeroError."""
    return _fleet(session) if asked.all else _slot(session)


def _slot(session: Session) -> int:
    where = session.where()
    with slot_client(where) as client:
        status = client.call("slot.status")
    if session.json:
        session.answer(status)
        return DONE
    from hero_tui.render.status import status_lines

    session.show(status_lines(status, session.terminal(), time.time()))
    return DONE


def _fleet(session: Session) -> int:
    where = session.where()
    with box_client(where) as client:
        fleet = client.call("fleet.snapshot")
    if session.json:
        session.answer(fleet)
        return DONE
    from hero_tui.render.fleet import fleet_lines

    session.show(fleet_lines(fleet, session.terminal(), time.time()))
    return DONE
