"""`hero_dev start`, `stop` and `restart`: services, or with none named the whole slot."""

from __future__ import annotations

import argparse

from hero_tui.verbs.change import carry_out, tell_plans
from hero_tui.verbs.parsing import add_plan
from hero_tui.verbs.session import Session


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("services", metavar="SERVICE", nargs="*", help="default: all of the slot")
    add_plan(parser)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Start, stop or restart, or tell the plans. Raises HeroError."""
    if asked.plan:
        return tell_plans(session, asked.verb, [{"service": name} for name in asked.services or [""]])
    return carry_out(session, f"slot.{asked.verb}", {"services": asked.services})
