"""`hero_dev clean`: removes old versions, unused build folders and rotated logs, once their plan is agreed to."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from backends.model.errors import HeroError
from hero_tui.render.host import plan_lines
from hero_tui.render.text import clean, size
from hero_tui.verbs.change import carry_out
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO
from hero_tui.verbs.parsing import add_plan, one_of
from hero_tui.verbs.session import Session, slot_client

KINDS = ("versions", "targets", "logs")
_SECONDS = 900.0
"""For adding up what can go."""
_AT_ONCE = 1000


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    add_plan(parser)
    kinds = "|".join(KINDS)
    parser.add_argument(
        "--kind",
        metavar=kinds,
        type=one_of(*KINDS),
        action="append",
        default=[],
        help="only these; may be repeated",
    )
    parser.add_argument(
        "--confirm", metavar="SLOT", default="", help="the slot's name, instead of being asked for it"
    )


def run(session: Session, asked: argparse.Namespace) -> int:
    """Show the plan; remove what it names once the slot's name was typed. Raises HeroError."""
    where = session.where()
    where.slot()
    with slot_client(where) as client:
        plan = client.call("slot.clean_plan", {"kinds": asked.kind}, timeout=_SECONDS)
    if asked.plan or not plan["items"]:
        _show(session, plan)
        return DONE if plan["items"] else NOTHING_TO_DO
    confirm = asked.confirm or _typed(session, plan)
    if confirm != plan["slot"]:
        raise HeroError("cancelled", "Nothing was removed: that is not the slot's name.")
    ids = [one["id"] for one in plan["items"][:_AT_ONCE]]
    return carry_out(session, "slot.clean", {"items": ids, "confirm": confirm})


def _show(session: Session, plan: dict[str, Any]) -> None:
    if session.json:
        session.answer(plan)
    else:
        session.show(plan_lines(plan, session.terminal()))


def _typed(session: Session, plan: dict[str, Any]) -> str:
    """The slot's name, as the person types it under the plan. Raises HeroError where nobody can be asked."""
    if session.json or not (sys.stdin and sys.stdin.isatty()):
        raise HeroError(
            "usage",
            "Nobody can be asked whether this may be removed.",
            hint=f"`hero_dev clean --plan` tells what would go; `--confirm {clean(plan['slot'])}` removes it.",
        )
    session.show(plan_lines(plan, session.terminal()))
    total = size(sum(one["size"] for one in plan["items"]))
    try:
        return input(f"Type {clean(plan['slot'])} to remove {total}: ").strip()
    except EOFError:
        return ""
