"""`hero_dev status`: my slot, one service of it, or the whole fleet."""

from __future__ import annotations

import argparse
import time

from backends.model.errors import unknown_name
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import refuse_beside
from hero_tui.verbs.session import Session, box_client, slot_client
from hero_tui.verbs.whole_fleet import whole_fleet


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="everything that is known of it")
    parser.add_argument("--all", action="store_true", help="the whole fleet: users × services")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print it. Raises HeroError."""
    if asked.all:
        refuse_beside(asked, "status --all", {"service": "A service"})
        return _fleet(session)
    return _slot(session, asked.service or "")


def _slot(session: Session, service: str) -> int:
    where = session.where()
    with slot_client(where) as client:
        status = client.call("slot.status")
    if service:
        return show_service(session, status, service)
    if session.json:
        session.answer(status)
        return DONE
    from hero_tui.render.status import status_lines

    session.show(status_lines(status, session.terminal(), time.time()))
    return DONE


def show_service(session: Session, status: dict[str, list[dict[str, object]]], name: str) -> int:
    """Print one service of a slot, everything that is known of it. Raises HeroError `not_found`."""
    services = {str(one["service"]): one for one in status["services"]}
    if name not in services:
        raise unknown_name(f"service in {status['slot']}'s slot", name, services)
    if session.json:
        session.answer(services[name])
        return DONE
    from hero_tui.render.detail import detail_lines

    session.show(detail_lines(services[name], session.terminal(), time.time()))
    return DONE


def _fleet(session: Session) -> int:
    where = session.where()
    with box_client(where) as client:
        fleet = whole_fleet(client)
    if session.json:
        session.answer(fleet)
        return DONE
    from hero_tui.render.fleet import fleet_lines

    session.show(fleet_lines(fleet, session.terminal(), time.time()))
    return DONE
