"""`hero_dev sync`: fetch repositories and make sure that worktrees exist."""

from __future__ import annotations

import argparse

from hero_tui.verbs.change import carry_out
from hero_tui.verbs.session import Session


def configure(_: str, __: argparse.ArgumentParser) -> None:
    """It has no options of its own."""


def run(session: Session, _: argparse.Namespace) -> int:
    """Sync. Raises HeroError."""
    return carry_out(session, "slot.sync", {})
