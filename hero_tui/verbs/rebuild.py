"""`hero_dev rebuild`: build a service's worktree and run the result."""

from __future__ import annotations

import argparse

from hero_tui.verbs.change import carry_out, tell_plans
from hero_tui.verbs.parsing import add_plan
from hero_tui.verbs.session import Session


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("--publish", action="store_true", help="publish the archive, so that others can run it")
    add_plan(parser)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Rebuild, or tell the plan. Raises HeroError."""
    params = {"service": asked.service, "publish": asked.publish}
    return tell_plans(session, "rebuild", [params]) if asked.plan else carry_out(session, "slot.rebuild", params)
