"""`hero_dev claude keys`: the org's Claude keys: list, set, rotate, revoke; a key comes by standard input only."""

from __future__ import annotations

import argparse
import re
import time
from typing import TYPE_CHECKING, Any

from backends.model.errors import HeroError
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import add_globals, one_of
from hero_tui.verbs.session import Session
from hero_tui.verbs.standard_input import unseen_line

if TYPE_CHECKING:
    from backends.client.locate import Where
    from backends.rpc.sync_client import SyncClient

ACTIONS = ("list", "set", "rotate", "revoke")

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add `keys` below the verb `claude`; the parser, whose line `run` carries out."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "keys",
        help="the org's keys: list, set, rotate, revoke; admins only",
        description="The org's Claude keys. A key is read from standard input, or asked for; never an argument.",
        allow_abbrev=False,
    )
    configure("keys", parser)
    add_globals(parser, default=argparse.SUPPRESS)
    return parser


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the options of `claude keys`."""
    parser.add_argument(
        "keys_action", metavar="list|set|rotate|revoke", type=one_of(*ACTIONS), nargs="?", default="list"
    )
    parser.add_argument("key_name", metavar="NAME", nargs="?", help="of the key, like ORG_CLAUDE_KEY_2")
    # Taken in to be refused without being shown.
    parser.add_argument("key_itself", nargs="*", help=argparse.SUPPRESS)


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError, which never shows a key."""
    action: str = asked.keys_action
    if asked.key_itself:
        raise HeroError(
            "usage",
            "A key is never an argument: everybody on the machine can read command lines.",
            hint=f"`hero_dev claude keys {action} NAME` asks for it, or reads it from standard input. What you"
            " just typed is in your shell's history: revoke it where it was made.",
        )
    if action == "list":
        if asked.key_name:
            raise HeroError("usage", "`claude keys list` takes no name.", hint="It lists all keys.")
        return _list(session)
    name = _checked(action, asked.key_name or "")
    return _revoke(session, name) if action == "revoke" else _keep(session, action, name)


def _broker(where: Where) -> SyncClient:
    from backends.client.broker import connect_broker  # `claude status` does without its weight

    return connect_broker(where)


def _list(session: Session) -> int:
    with _broker(session.where()) as client:
        result = client.call("aibroker.claude_key.list")
    if session.json:
        session.answer(result)
    else:
        from hero_tui.render.claude_keys import key_lines

        session.show(key_lines(result, session.terminal(), time.time()))
    return DONE


def _keep(session: Session, action: str, name: str) -> int:
    where = session.where()
    secret = _read_secret(name)
    with _broker(where) as client:
        info = client.call(f"aibroker.claude_key.{action}", {"slot": name, "secret": secret})
    if session.json:
        session.answer(info)
        return DONE
    users = ", ".join(map(clean, info["users"])) or "nobody yet (`[claude_org_key]` in users/ of the team repo)"
    done = "is kept" if info["generation"] == 1 else "was replaced"
    session.confirm([f"{name} {done}: fingerprint {clean(info['fingerprint'])}. It is for {users}."])
    return DONE


def _revoke(session: Session, name: str) -> int:
    with _broker(session.where()) as client:
        client.call("aibroker.claude_key.revoke", {"slot": name})
    if session.json:
        session.answer({"slot": name, "revoked": True})
    else:
        session.confirm(
            [f"{name} is forgotten; sessions on it stop at their next request. Revoke it at its maker too."]
        )
    return DONE


def _checked(action: str, name: str) -> str:
    if _NAME.fullmatch(name):
        return name
    if not name:
        raise HeroError("usage", f"Which key? `hero_dev claude keys {action} ORG_CLAUDE_KEY_1` names it.")
    raise HeroError(
        "usage",
        "That is no name of a key (it is not shown here).",
        hint="It is like ORG_CLAUDE_KEY_2. If it was the key itself, your shell's history has it now: revoke it.",
    )


def _read_secret(name: str) -> str:
    text = unseen_line(name).strip()
    if not text:
        raise HeroError("usage", "No key was given.", hint="Standard input was empty; nothing has changed.")
    return text
