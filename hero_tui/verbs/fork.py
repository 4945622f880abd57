"""`hero_dev fork`: my own branch of a service, made on the forge and bound here."""

from __future__ import annotations

import argparse

from hero_tui.verbs.change import carry_out
from hero_tui.verbs.session import Session


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("--branch", metavar="B", help="what it is called (default: the trunk's name, _ and mine)")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Fork. Raises HeroError."""
    return carry_out(session, "slot.fork", {"service": asked.service, "branch": asked.branch})
