"""`hero_dev agents` and what is done with one: its log, its window, what is said to it, its end."""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import sys
import time
from typing import Any, NoReturn

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.agents import agent_lines, log_lines
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import number_to
from hero_tui.verbs.session import Session, box_client, slot_client
from hero_tui.verbs.standard_input import text_of
from hero_tui.verbs.whole_fleet import whole_fleet

_LINES = 50
_SECONDS = 90.0

COMMANDS = ("interrupt", "compact", "clear")


def configure(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    if verb == "agents":
        parser.add_argument("--all", action="store_true", help="those that have ended, too")
        parser.add_argument("--team", action="store_true", help="everybody's")
        return
    parser.add_argument("agent", metavar="ID" if verb != "agent-log" else "[SLOT/]ID", help="its number")
    if verb == "agent-log":
        parser.add_argument("-f", "--follow", action="store_true", help="go on as it does more; ctrl-c ends it")
        parser.add_argument(
            "-n",
            "--lines",
            type=number_to(5000),
            default=_LINES,
            metavar="N",
            help=f"the last N (default: {_LINES})",
        )
    elif verb == "agent-send":
        parser.add_argument("text", metavar="TEXT", nargs="*", help="what to say; - reads standard input")
        for command in COMMANDS:
            parser.add_argument(f"--{command}", action="store_true", help=_HELP[command])


_HELP = {
    "interrupt": "stop what it does now",
    "compact": "have it sum its conversation up",
    "clear": "begin a new conversation",
}


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError."""
    match asked.verb:
        case "agents":
            return _list(session, asked)
        case "agent-log":
            return _log(session, asked)
        case "agent-attach":
            return attach(session.where(), asked.agent)
        case "agent-send":
            return _send(session, asked)
    with slot_client(session.where()) as client:
        agent = client.call(asked.verb.replace("-", "."), {"agent": asked.agent}, timeout=_SECONDS)
    if session.json:
        session.answer(agent)
    elif asked.verb == "agent-stop":
        session.confirm(
            [f"Agent {clean(agent['id'])} has ended. `hero_dev agent-resume {clean(agent['id'])}` goes on."]
        )
    else:
        session.confirm([f"Agent {clean(agent['id'])} goes on, on {clean(agent['credential'])}."])
    return DONE


def attach(where: Where, agent: str) -> NoReturn:
    """Become the agent's window in this terminal; inside of its tmux server, switch to it. Raises HeroError."""
    with slot_client(where) as client:
        found = client.call("agent.attach", {"agent": agent})
    tmux = shutil.which("tmux")
    if tmux is None:
        raise HeroError("not_found", "tmux is not installed.", hint="`sudo apt install tmux`.")
    if not (os.isatty(0) and os.isatty(1)):
        raise HeroError(
            "usage", "An agent's window needs a terminal.", hint="`hero_dev agent-log` prints its record."
        )
    target = f"={found['session']}:{found['window']}"
    inside = os.environ.get("TMUX", "").partition(",")[0]
    if inside and os.path.realpath(inside) == os.path.realpath(found["socket"]):
        words = ["switch-client", "-t", target]
    else:
        os.environ.pop("TMUX", None)  # else tmux refuses to show one server inside of another
        words = ["attach-session", "-t", target]
    sys.stdout.flush()
    os.execv(tmux, [tmux, "-S", found["socket"], *words])  # noqa: S606 - an argument list, and no shell


def _list(session: Session, asked: argparse.Namespace) -> int:
    if asked.team:
        with box_client(session.where()) as client:
            slots = whole_fleet(client)["slots"]
        agents = [agent for slot in slots for agent in slot["agents"] if asked.all or agent["state"] != "gone"]
    else:
        with slot_client(session.where()) as client:
            agents = client.call("agent.list", {"ended": asked.all})["agents"]
    if session.json:
        session.answer({"agents": agents})
    elif not agents:
        session.show(
            ["No agent runs. `hero_dev agent PROMPT` starts one." if not asked.all else "There is no agent."]
        )
    else:
        session.show(agent_lines(agents, session.terminal(), time.time(), team=asked.team))
    return DONE


def _send(session: Session, asked: argparse.Namespace) -> int:
    commands = [name for name in COMMANDS if getattr(asked, name)]
    if bool(commands) == bool(asked.text) or len(commands) > 1:
        raise HeroError("usage", "Say something to it, or give one of --interrupt, --compact, --clear.")
    with slot_client(session.where()) as client:
        if commands:
            answer = client.call("agent.command", {"agent": asked.agent, "command": commands[0]})
            told = f"Told agent {clean(asked.agent)} to {commands[0]}."
        else:
            answer = client.call("agent.send", {"agent": asked.agent, "text": text_of(asked.text)})
            told = (
                "It has it." if answer["state"] == "sent" else "It works now, and gets it at the end of its turn."
            )
    if session.json:
        session.answer(answer)
    else:
        session.confirm([told])
    return DONE


def _log(session: Session, asked: argparse.Namespace) -> int:
    slot, _, id = asked.agent.rpartition("/")
    where = session.where()
    params = {"agent": id, "limit": asked.lines, "follow": asked.follow}
    if slot and slot != where.user:
        with box_client(where) as client:
            return _print_log(session, client, "peek.agent_log", {**params, "user": slot}, follow=asked.follow)
    with slot_client(where) as client:
        return _print_log(session, client, "agent.log", params, follow=asked.follow)


def _print_log(session: Session, client: SyncClient, method: str, params: dict[str, Any], *, follow: bool) -> int:
    answer = client.call(method, params)
    _print(session, answer["lines"])
    if not follow:
        return DONE
    gc.enable()  # from here on it may run for days
    try:
        for note in client.notifications():
            if note.method == "agent_log" and note.params.get("stream") == answer["stream"]:
                if error := note.params.get("error"):
                    raise HeroError("failed", str(error), hint="Run it again.")
                _print(session, note.params["lines"])
    except KeyboardInterrupt:
        return DONE
    return DONE


def _print(session: Session, lines: list[dict[str, Any]]) -> None:
    if session.json:
        for line in lines:
            print(json.dumps(line))
    else:
        session.show(log_lines(lines, session.terminal()))
    sys.stdout.flush()
