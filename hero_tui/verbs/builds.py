"""`hero_dev builds`: what the box builds now, what waits and for what, what ended and how."""

from __future__ import annotations

import argparse
import time
from typing import Any

from hero_tui.render.builds import build_lines
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import number_to, one_of
from hero_tui.verbs.session import Session, box_client

STATES = ("queued", "running", "succeeded", "failed", "cancelled", "superseded")

_LIMIT = 20
_MOST = 500


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="of this service only")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--user", metavar="U", default="", help="in this user's slot (default: in mine)")
    whose.add_argument("--all-slots", action="store_true", help="in all slots of the box")
    parser.add_argument(
        "--state", metavar="S", type=one_of(*STATES), action="append", help=f"only {', '.join(STATES)}; repeatable"
    )
    parser.add_argument(
        "--limit", type=number_to(_MOST), default=_LIMIT, metavar="N", help=f"how many (default: {_LIMIT})"
    )
    parser.add_argument("--before", metavar="ID", help="those that ended before this one")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print them. Raises HeroError."""
    where = session.where()
    user = asked.user or ("" if asked.all_slots else where.user)
    named = {"user": user, "service": asked.service, "states": asked.state, "before": asked.before}
    params: dict[str, Any] = {name: value for name, value in named.items() if value}
    with box_client(where) as client:
        answer = client.call("build.list", {"limit": asked.limit, **params})
    if session.json:
        session.answer(answer)
        return DONE
    if not answer["builds"]:
        whose = f"{user}'s slot" if user else "any slot"
        session.show([f"No {'such ' if len(params) > 1 else ''}builds in {whose}."])
        return DONE
    session.show(build_lines(answer, session.terminal(), time.time()))
    if answer["more"]:
        session.confirm([f"There are older ones: --before {answer['builds'][-1]['id']}."])
    return DONE
