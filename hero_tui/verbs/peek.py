"""`hero_dev peek`: a look into a teammate's slot, through the box; nothing there can be changed with it."""

from __future__ import annotations

import argparse
import time

from backends.model.errors import HeroError
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.logs import add_options, params, print_logs
from hero_tui.verbs.session import Session, box_client
from hero_tui.verbs.status import show_service


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("user", metavar="USER")
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="everything that is known of it")
    parser.add_argument("--logs", action="store_true", help="what the service said, or all of the slot")
    add_options(parser)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Look. Raises HeroError."""
    if not asked.logs and (asked.follow or asked.lines is not None or asked.since or asked.grep):
        raise HeroError("usage", "-f, -n, --since and --grep choose lines of a log.", hint="Add --logs.")
    with box_client(session.where()) as client:
        if asked.logs:
            asked.services = [asked.service] if asked.service else []
            wanted = {**params(asked), "user": asked.user}
            return print_logs(session, client, "peek.logs", wanted, asked.services, follow=asked.follow)
        status = client.call("peek.slot", {"user": asked.user})
    if asked.service:
        return show_service(session, status, asked.service)
    if session.json:
        session.answer(status)
        return DONE
    from hero_tui.render.status import status_lines

    session.show(status_lines(status, session.terminal(), time.time(), peeked=True))
    return DONE
