"""`hero_dev claude`: which credential my agents run on and why, another preference, a login, the org's keys."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from backends.model.errors import HeroError
from hero_tui.verbs import claude_keys
from hero_tui.verbs.exits import DONE, FAILED
from hero_tui.verbs.parsing import add_globals, one_of
from hero_tui.verbs.session import Session, slot_client

PREFERENCES = ("auto", "personal", "org")


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add what the verb can be asked for."""
    actions = parser.add_subparsers(dest="action", metavar="status|use|login|keys", required=True)
    status = actions.add_parser("status", help="which credential the next agent gets, and why", allow_abbrev=False)
    status.set_defaults(carry_out=_status)
    use = actions.add_parser("use", help="prefer a credential", allow_abbrev=False)
    use.add_argument("preference", metavar="|".join(PREFERENCES), type=one_of(*PREFERENCES))
    use.set_defaults(carry_out=_use)
    login = actions.add_parser("login", help="log in to Claude as myself", allow_abbrev=False)
    login.set_defaults(carry_out=_login)
    for one in (status, use, login):
        add_globals(one, default=argparse.SUPPRESS)
    claude_keys.add_parser(actions).set_defaults(carry_out=claude_keys.run)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError."""
    code: int = asked.carry_out(session, asked)
    return code


def _status(session: Session, _: argparse.Namespace) -> int:
    """Tell it; 1 where nobody pays."""
    from hero_tui.render.claude import status_lines

    with slot_client(session.where()) as client:
        told = client.call("claude.status")
    if session.json:
        session.answer(told)
    else:
        session.show(status_lines(told, session.terminal()))
    return FAILED if told["resolution"]["credential"]["kind"] == "none" else DONE


def _use(session: Session, asked: argparse.Namespace) -> int:
    from hero_tui.render.claude import status_lines

    with slot_client(session.where()) as client:
        told = client.call("claude.use", {"preference": asked.preference})
    if session.json:
        session.answer(told)
    else:
        session.confirm(status_lines(told, session.terminal()))
    return DONE


def _login(session: Session, _: argparse.Namespace) -> int:
    """The program's own login, in front of the person, into the person's own ~/.claude."""
    import asyncio

    from backends.claude.program import find_program, require
    from backends.claude.unsetting import CREDENTIALS, without
    from hero_tui.login.foreground import run_in_front

    if session.json:
        raise HeroError("usage", "A login talks with a person; it has no JSON.")
    program = require(asyncio.run(find_program(Path.home(), os.environ)))
    # With a key in the environment the program would speak of that, and another folder would not be looked at.
    environment = without(dict(os.environ), CREDENTIALS)
    if run_in_front([str(program), "auth", "login"], environment=environment):
        raise HeroError("failed", "The login did not succeed.", hint="`hero_dev claude login` tries again.")
    session.confirm(["You are logged in. `hero_dev claude status` tells what your agents run on."])
    return DONE
