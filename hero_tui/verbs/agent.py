"""`hero_dev agent`, and `a N`: start a Claude Code agent in the slot."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from backends.client.locate import Where
from backends.model.errors import HeroError
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import number_to, refuse_beside
from hero_tui.verbs.session import Session, slot_client
from hero_tui.verbs.standard_input import text_of

EFFORTS = ("low", "medium", "high", "xhigh", "max")
_START_SECONDS = 90.0
"""For the answer: a worktree may have to be made, a broker to be started."""


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("prompt", metavar="PROMPT", nargs="*", help="what it is to do; - reads standard input")
    parser.add_argument("--effort", metavar="1-5", type=number_to(5), help="low, medium, high, xhigh, max")
    parser.add_argument("--plan", action="store_true", help="it makes a plan and changes nothing")
    parser.add_argument("--model", metavar="NAME", default="", help="opus, sonnet, haiku, or a full name")
    parser.add_argument("--service", metavar="NAME", default="", help="work in this service's worktree")
    parser.add_argument("--worktree", metavar="BRANCH", default="", help="… of this branch, made if need be")
    parser.add_argument("--issue", metavar="URL", default="", help="work on an issue of the forge")
    parser.add_argument("--loop", metavar="N", type=number_to(1000), help="run again, at most N times")
    parser.add_argument("--until", metavar="CMD", default="", help="… until this command succeeds in the worktree")
    parser.add_argument("--title", metavar="TEXT", default="", help="what lists call it")
    parser.add_argument(
        "--attach",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="go into its window (default: without a prompt)",
    )


def run(session: Session, asked: argparse.Namespace) -> int:
    """Start it. Raises HeroError."""
    if asked.until and not asked.loop:
        raise HeroError("usage", "--until ends a loop.", hint="Add --loop N.")
    if asked.issue:
        refuse_beside(asked, "--issue", {"service": "--service", "worktree": "--worktree"})
    prompt = _prompt(asked.prompt)
    if asked.loop and not (prompt or asked.issue):
        raise HeroError("usage", "A loop needs a prompt.")
    attaches = _attaches(session, asked, prompt)
    where = session.where()
    with slot_client(where) as client:
        started = client.call("agent.start", _params(where, asked, prompt), timeout=_START_SECONDS)
    agent = started["agent"]
    for warning in started["warnings"]:
        print(f"hero_dev: {clean(warning)}", file=sys.stderr)
    if attaches:
        from hero_tui.verbs.agents import attach

        return attach(where, agent["id"])
    if session.json:
        session.answer(started)
    else:
        session.confirm(_told(agent))
    return DONE


def _params(where: Where, asked: argparse.Namespace, prompt: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        "prompt": prompt,
        "model": asked.model,
        "service": asked.service,
        "branch": asked.worktree,
        "issue": asked.issue,
        "loop": asked.loop or 0,
        "until": asked.until,
        "title": asked.title,
        "mode": "plan" if asked.plan else "default",
        "worktree": "" if asked.service or asked.worktree or asked.issue else _here(where),
    }
    if asked.effort:
        params["effort"] = EFFORTS[asked.effort - 1]
    return params


def _here(where: Where) -> str:
    """The folder that the caller stands in, if it is one of the slot's worktrees."""
    here, sources = Path.cwd().resolve(), where.slot().src.resolve()
    inside = here.relative_to(sources).parts if here.is_relative_to(sources) else ()
    return str(here) if len(inside) >= 2 and not inside[0].startswith(".") else ""


def _prompt(words: list[str]) -> str:
    text = text_of(words)
    if words == ["-"] and not text.strip():
        raise HeroError("usage", "Standard input holds no prompt.")
    return text


def _attaches(session: Session, asked: argparse.Namespace, prompt: str) -> bool:
    terminal = os.isatty(0) and os.isatty(1) and not session.json
    if asked.attach and not terminal:
        raise HeroError("usage", "--attach needs a terminal.", hint="`hero_dev agents` shows how it goes.")
    return terminal and (asked.attach if asked.attach is not None else not (prompt or asked.issue))


def _told(agent: dict[str, Any]) -> list[str]:
    place = " ".join(clean(agent[name]) for name in ("service", "branch") if agent[name])
    where = place or clean(agent["worktree"])
    id = clean(agent["id"])
    return [
        f"Agent {id} works in {where}, on {clean(agent['credential'])}.",
        f"  `hero_dev agent-attach {id}` shows it, `hero_dev agent-log -f {id}` tells what it does.",
    ]
