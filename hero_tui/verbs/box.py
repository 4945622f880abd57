"""`hero_dev box`: make a rootless box, bring its daemons up, take them down, look at them, back a box up."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from backends.client.blocking import connect_box
from backends.client.locate import Where, is_system
from backends.model.errors import HeroError
from backends.rpc.sockets import listening
from backends.rpc.sync_client import FOREVER, SyncClient
from hero_tui.render.ages import age
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, wrap
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO
from hero_tui.verbs.parsing import one_of, refuse_beside
from hero_tui.verbs.session import Session

ACTIONS = ("up", "down", "status", "init", "backup")

_INIT_ONLY = {
    "place": "A folder",
    "forge": "--forge",
    "folder_forge": "--folder-forge",
    "team_repo": "--team-repo",
    "name": "--name",
    "token_stdin": "--token-stdin",
    "token_file": "--token-file",
    "hook_url": "--hook-url",
    "listen": "--listen",
}
_ROOTLESS = "all slots share one uid: nothing keeps one from another's files"

UP_SECONDS = 60.0
"""How long all slots' daemons may take to tell the box their state."""


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("action", metavar="up|down|status|init|backup", type=one_of(*ACTIONS))
    parser.add_argument(
        "place", metavar="DIR|NAME|FILE", nargs="?", help="init: where the new box lies; backup: the file"
    )
    parser.add_argument("--keep-services", action="store_true", help="down: end the daemons only")
    new = parser.add_argument_group("box init")
    new.add_argument("--forge", metavar="URL", help="the team's Forgejo or Gitea")
    new.add_argument("--folder-forge", action="store_true", help="none: an empty folder in the box is its forge")
    new.add_argument("--team-repo", metavar="ORG/NAME", help="default: lhumina_code/hero_team")
    new.add_argument("--name", metavar="N", help="what the box is called (default: as its folder)")
    new.add_argument("--token-stdin", action="store_true", help="read the forge's token from standard input")
    new.add_argument("--token-file", metavar="F", help="or from this file, which only you can read")
    new.add_argument("--hook-url", metavar="URL", help="where the forge reaches the box, for webhooks")
    new.add_argument("--listen", metavar="127.0.0.1:PORT", help="a loopback address for webhooks and metrics")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError."""
    if asked.keep_services and asked.action != "down":
        raise HeroError("usage", f"--keep-services goes with `box down`, not with `box {asked.action}`.")
    if asked.action == "init":
        from hero_tui.verbs.box_new import init

        return init(session, asked)
    takes_file = asked.action == "backup"
    others = {name: title for name, title in _INIT_ONLY.items() if not (takes_file and name == "place")}
    refuse_beside(asked, f"box {asked.action}", others)
    where = session.where()
    if takes_file:
        from hero_tui.verbs.box_backup import backup

        return backup(session, where, asked.place)
    if asked.action == "down":
        return _down(session, where, services=not asked.keep_services)
    return _up(session, where) if asked.action == "up" else _status(session, where)


def bring_up(where: Where, told: Callable[[str], None]) -> SyncClient:
    """A connection to the box's daemon once all its slots' daemons are there; `told` hears what is waited for.

    Raises HeroError `timeout`, naming the slots that did not come.
    """
    deadline = time.monotonic() + UP_SECONDS
    client = connect_box(where)
    if is_system(where.box):
        return client
    client.call("events.subscribe")
    while True:
        status = client.call("box.status")
        away = sorted((set(status["slots"]) & set(where.users())) - set(status["online"]))
        if not away:
            return client
        left = deadline - time.monotonic()
        told(f"waiting for {', '.join(away)}")
        try:
            next(client.notifications(timeout=max(left, 0.001)))
        except HeroError as error:
            if error.code != "timeout":
                raise
            raise _not_up(where, away, status["problems"]) from None


def status_lines(status: dict[str, Any], terminal: Terminal, now: float) -> list[str]:
    """A box's daemons as text."""
    away = sorted(set(status["slots"]) - set(status["online"]))
    count = len(status["slots"])
    online = f"{count - len(away)} of {count} online: {', '.join(map(clean, status['online']))}"
    lines = [terminal.paint(f"box {clean(status['box'])} is up", "good" if not away else "warn")]
    facts = [
        ("folder", clean(status["root"])),
        ("daemon", f"pid {status['pid']}, version {clean(status['version'])}"),
        ("up for", age(status["started_at"], now)),
        ("slots", online if count else "none: a file in users/ of the team repo makes one"),
        ("away", ", ".join(map(clean, away))),
        ("cockpits", str(status["subscribers"])),
        ("rootless", _ROOTLESS if status["rootless"] else ""),
    ]
    for name, text in facts:
        if text:
            first, *rest = wrap(text, terminal.width and max(terminal.width - 12, 12))
            lines += [f"  {terminal.paint(f'{name:8}', 'dim')}  {first}", *(f"{'':12}{line}" for line in rest)]
    for problem in status["problems"]:
        lines += wrap(f"{terminal.signs.health['unhealthy']} {clean(problem, 2000)}", terminal.width, "  ")
    return lines


def _up(session: Session, where: Where) -> int:
    was_up = listening(where.box.rpc_socket)

    def told(text: str) -> None:
        if not session.quiet and not session.json and sys.stderr.isatty():
            print(text, file=sys.stderr)

    bring_up(where, told).close()
    with connect_box(where) as client:
        status = client.call("box.status")
    _print_status(session, status, confirmed=True)
    return NOTHING_TO_DO if was_up else DONE


def _status(session: Session, where: Where) -> int:
    try:
        with SyncClient(where.box.rpc_socket) as client:
            status = client.call("box.status")
    except HeroError as error:
        if error.code != "unreachable":
            raise
        raise HeroError(
            "unreachable", f"The box in {where.box.root} is down.", hint="`hero_dev box up` starts it."
        ) from None
    _print_status(session, status, confirmed=False)
    return DONE


def _print_status(session: Session, status: dict[str, Any], *, confirmed: bool) -> None:
    if session.json:
        session.answer(status)
    else:
        lines = status_lines(status, session.terminal(), time.time())
        session.confirm(lines) if confirmed else session.show(lines)


def _down(session: Session, where: Where, *, services: bool) -> int:
    running = listening(where.box.rpc_socket) or _slots_run(where)
    if running:
        # A box whose own daemon was killed is started for this: it knows how to end what its slots still run.
        with connect_box(where) as client:
            client.call("box.down", {"services": services}, timeout=FOREVER)
            _wait_for_end(client)
    if session.json:
        session.answer({"box": str(where.box.root), "was_up": running, "services_stopped": running and services})
    elif running:
        what = "its services too" if services else "its services run on"
        session.confirm([f"The box in {where.box.root} is down, {what}."])
    else:
        session.confirm([f"The box in {where.box.root} was down already."])
    return DONE if running else NOTHING_TO_DO


def _slots_run(where: Where) -> bool:
    """Whether a slot's daemon or supervisor listens, or the broker, though the box's does not."""
    if listening(where.box.broker_socket):
        return True
    folders = [where.box.slot(user).rpc_socket.parent for user in where.users()]
    return any(listening(socket) for folder in folders if folder.is_dir() for socket in folder.glob("*.sock"))


def _wait_for_end(client: SyncClient) -> None:
    """Until the daemon has closed the connection, the last thing that it does."""
    try:
        for _ in client.notifications():
            pass
    except HeroError:
        return


def _not_up(where: Where, away: list[str], problems: list[str]) -> HeroError:
    logs = ", ".join(str(where.box.slot(user).log / "slotd.log") for user in away)
    return HeroError(
        "timeout",
        f"These slots did not come up within {UP_SECONDS:g} s: {', '.join(away)}.",
        hint="\n".join([*problems, f"See {logs}."]),
    )
