"""`hero_dev audit`: who changed what on the box, newest first."""

from __future__ import annotations

import argparse

from hero_tui.render.records import audit_lines
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import number_to
from hero_tui.verbs.session import Session, box_client

_LIMIT = 50
_MOST = 10_000


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument(
        "--limit", type=number_to(_MOST), default=_LIMIT, metavar="N", help=f"how many (default: {_LIMIT})"
    )


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print them: of the whole box, or with --slot of one. Raises HeroError."""
    where = session.where()
    params = {"limit": asked.limit, **({"slot": session.slot} if session.slot else {})}
    with box_client(where) as client:
        answer = client.call("audit.list", params)
    if session.json:
        session.answer(answer)
    elif answer["events"]:
        session.show(audit_lines(answer["events"], session.terminal()))
    else:
        session.show(["Nothing has been changed yet."])
    return DONE
