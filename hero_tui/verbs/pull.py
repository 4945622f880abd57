"""`hero_dev pull`: the newest release of what is bound to releases."""

from __future__ import annotations

import argparse

from hero_tui.verbs.change import carry_out, tell_plans
from hero_tui.verbs.parsing import add_plan
from hero_tui.verbs.session import Session, slot_client


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="default: all that are bound to releases")
    add_plan(parser)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Pull, or tell the plans. Raises HeroError."""
    if not asked.plan:
        return carry_out(session, "slot.pull", {"service": asked.service})
    names = [asked.service] if asked.service else _on_releases(session)
    return tell_plans(session, "pull", [{"service": name} for name in names])


def _on_releases(session: Session) -> list[str]:
    with slot_client(session.where()) as client:
        status = client.call("slot.status", {"fresh": False})
    return [one["service"] for one in status["services"] if one["from"] == "release"]
