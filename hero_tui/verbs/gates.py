"""`hero_dev gates`: whether the trunk of each service is fit for everybody."""

from __future__ import annotations

import argparse

from hero_tui.render.gates import gate_lines
from hero_tui.verbs.exits import DONE, FAILED
from hero_tui.verbs.session import Session, box_client

_SECONDS = 120.0
"""For a forge that is asked of every service."""


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="of this service only")
    parser.add_argument("--fresh", action="store_true", help="ask the forge again first")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print them; 1 if one fails. Raises HeroError."""
    params = {"fresh": asked.fresh, **({"service": asked.service} if asked.service else {})}
    with box_client(session.where()) as client:
        answer = client.call("gate.list", params, timeout=_SECONDS)
    if session.json:
        session.answer(answer)
    elif answer["gates"]:
        session.show(gate_lines(answer["gates"], session.terminal()))
    else:
        session.show(["The catalogue has no services."])
    failed = any("fail" in (one["builds"], one["archives"], one["healthy"]) for one in answer["gates"])
    return FAILED if failed else DONE
