"""`hero_dev login`: what /etc/profile.d/hero.sh runs at a login: the first steps, then the tmux session."""

from __future__ import annotations

import argparse
import os
import sys

from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import refuse_beside
from hero_tui.verbs.session import Session


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("--wizard", action="store_true", help="ask all first steps again, and nothing else")
    parser.add_argument("--window", action="store_true", help="what the session's first window runs")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it; returns only where there is no tmux. Raises HeroError."""
    _see_errors()
    refuse_beside(asked, "login", {"json": "--json"})
    where = session.where()
    from hero_tui.login import tmux

    if asked.window:
        tmux.window(where)
    if asked.wizard:
        _first_steps(session, again=True)
        return DONE
    _first_steps(session, again=False)
    return tmux.enter(where)


def _first_steps(session: Session, *, again: bool) -> None:
    """Nothing that goes wrong here keeps anybody from their session."""
    try:
        from hero_tui.login.record import read_record

        where = session.where()
        if not again and not read_record(where.slot().first_login).left:
            return
        from hero_tui.login.place import place_of
        from hero_tui.login.wizard import first_steps

        first_steps(place_of(where), again=again)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    except Exception as error:
        from hero_tui.verbs.faults import as_error

        print(f"hero_dev: the first steps were left out: {clean(as_error(error))}", file=sys.stderr)


def _see_errors() -> None:
    """The profile throws standard error away, in case not even Python starts; from here on it is wanted."""
    if os.isatty(1) and not os.isatty(2):
        sys.stderr.flush()
        os.dup2(1, 2)
