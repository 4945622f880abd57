"""`hero_dev mcp`: an agent's tools on its slot, as an MCP server on standard input and output."""

from __future__ import annotations

import argparse
import gc
import re

from backends.model.errors import HeroError
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.session import Session

_AGENT = re.compile(r"[A-Za-z0-9_-]{1,40}")


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("--agent", metavar="ID", required=True, help="whose tools these are: the agent's number")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Serve until standard input ends. Raises HeroError."""
    if not _AGENT.fullmatch(asked.agent):
        raise HeroError("usage", f"{asked.agent[:100]!r} is not the number of an agent.")
    where = session.where()
    where.slot()
    from hero_tui.mcp_server.desk import Desk
    from hero_tui.mcp_server.server import serve

    # What was imported stays; only what calls leave behind is looked through.
    gc.freeze()
    gc.enable()
    serve(Desk(where, asked.agent))
    return DONE
