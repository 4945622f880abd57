"""`hero_dev install`: a published archive, installed and run without a binding made first."""

from __future__ import annotations

import argparse

from hero_tui.verbs.box_new import ensure_box
from hero_tui.verbs.change import carry_out
from hero_tui.verbs.session import Session


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--branch", metavar="B", help="its newest release (default: as bound, or the trunk)")
    which.add_argument("--tag", metavar="T", help="this very release, pinned")
    parser.add_argument("--reset", action="store_true", help="unpack it afresh, even if it is there")
    parser.add_argument(
        "--download", action="store_true", help="take a published archive, never compile: what it always does"
    )


def run(session: Session, asked: argparse.Namespace) -> int:
    """Install. Raises HeroError."""
    ensure_box(session)
    params = {"service": asked.service, "branch": asked.branch, "tag": asked.tag, "reset": asked.reset}
    return carry_out(session, "slot.install", params)
