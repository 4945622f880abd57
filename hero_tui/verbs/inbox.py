"""`hero_dev ask`, `answer`, `inbox` and `tell`: questions and messages between people and agents."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from backends.model.durations import parse_seconds
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.inbox import answer_of, inbox_lines, item_lines
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.parsing import refuse_beside
from hero_tui.verbs.session import Session, box_client
from hero_tui.verbs.standard_input import text_of

_AGENT = "HERO_AGENT_SESSION"
"""The variable that all processes of an agent have (backends/slot/agents/process.py)."""

_SUBMITTED = {
    "permission": " It is submitted until the agent has gone on.",
    "approval": " It is done now; `hero_dev inbox ID` and the agent are told what came of it.",
}
_DECISIONS = {"allow": 1, "yes": 1, "y": 1, "deny": 2, "no": 2, "n": 2}

_ENDED_LIMIT = 50
_LIST_LIMIT = 1000

Item = dict[str, Any]


def configure(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    if verb == "ask":
        parser.add_argument("text", metavar="TEXT", nargs="+", help="the question; - reads it from standard input")
        parser.add_argument("--to", metavar="WHO", default="", help="a user, or @admins for any admin")
        parser.add_argument(
            "--option", dest="options", metavar="A", action="append", default=[], help="an answer to choose"
        )
        parser.add_argument(
            "--ttl", metavar="10m", type=_seconds, default=0.0, help="the time to answer (default: any)"
        )
        parser.add_argument("--wait", action="store_true", help="wait for the answer; 1 if none comes")
    elif verb == "answer":
        parser.add_argument("item", metavar="ID", help="the question's id, or its beginning")
        parser.add_argument(
            "text", metavar="TEXT|N", nargs="*", help="words, the number of an option, allow, or deny WHY"
        )
        parser.add_argument(
            "--confirm", metavar="NAME", default="", help="what it is done to: allows an action of high radius"
        )
    elif verb == "tell":
        parser.add_argument("to", metavar="WHO", help="a user, @admins, or an agent like alice/3")
        parser.add_argument("text", metavar="TEXT", nargs="+", help="the message; - reads it from standard input")
    else:
        parser.add_argument("item", metavar="ID", nargs="?", help="all of one, which is read with that")
        parser.add_argument("--all", action="store_true", help="what is over, too")
        parser.add_argument("--sent", action="store_true", help="what I asked and said, with the answers")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError."""
    return {"ask": _ask, "answer": _answer, "tell": _tell, "inbox": _inbox}[asked.verb](session, asked)


def _ask(session: Session, asked: argparse.Namespace) -> int:
    where = session.where()
    params = {"text": text_of(asked.text), "to": asked.to, "options": asked.options, "ttl": asked.ttl}
    params["user"] = where.user
    with box_client(where) as client:
        if asked.wait:
            from hero_tui.verbs.inbox_wait import ask_and_wait

            return ask_and_wait(session, where, client, params)
        item = client.call("question.ask", params)
    asked_whom = f"Asked {clean(item['to'])}: {clean(item['id'])}."
    _tell_item(session, item, f"{asked_whom} `hero_dev inbox --sent` has the answer.")
    return DONE


def _answer(session: Session, asked: argparse.Namespace) -> int:
    user = session.where().user
    with box_client(session.where()) as client:
        found = _find(client, user, asked.item)
        if not asked.text:
            raise _what_answer(found, asked.item)
        refuse_agent(found)
        params = {"id": found["id"] if found else asked.item, "user": user, "confirm": asked.confirm}
        item = client.call("question.answer", params | _chosen(found, asked.text))
    submitted = _SUBMITTED[item["kind"]] if item["state"] == "submitted" else ""
    answer = clean(answer_of(item).replace("\n", " "))
    _tell_item(session, item, f"Answered {clean(item['sender'])}: {answer}.{submitted}")
    return DONE


def refuse_agent(item: Item | None) -> None:
    """Raises HeroError `denied` where an agent decides in a person's name what waits for that person."""
    if item is None or item["kind"] not in _SUBMITTED or not os.environ.get(_AGENT):
        return
    raise HeroError(
        "denied",
        f"{item['id']} is for {item['to']} to decide, and this shell is an agent's.",
        hint="Answer from a shell of your own, or in the cockpit.",
    )


def _tell(session: Session, asked: argparse.Namespace) -> int:
    where = session.where()
    with box_client(where) as client:
        item = client.call("message.send", {"to": asked.to, "text": text_of(asked.text), "user": where.user})
    _tell_item(session, item, f"Told {clean(item['to'])}: {clean(item['id'])}.")
    return DONE


def _inbox(session: Session, asked: argparse.Namespace) -> int:
    user = session.where().user
    with box_client(session.where()) as client:
        if asked.item:
            refuse_beside(asked, "inbox ID", {"all": "--all", "sent": "--sent"})
            return _show(session, client, user, asked.item)
        params: dict[str, Any] = {"user": user, "sent": asked.sent, "ended": asked.all or asked.sent}
        params["limit"] = _ENDED_LIMIT if params["ended"] else _LIST_LIMIT
        answer = client.call("question.list", params)
    if session.json:
        session.answer(answer)
    elif answer["items"]:
        session.show(inbox_lines(answer["items"], session.terminal(), time.time(), sent=asked.sent))
    else:
        session.show(["Nothing was asked or said." if params["ended"] else "Nothing waits."])
    return DONE


def _show(session: Session, client: SyncClient, user: str, name: str) -> int:
    found = _find(client, user, name)
    item = client.call("question.list", {"user": user, "id": found["id"] if found else name})["items"][0]
    if found and found["read_at"] is None:
        item = client.call("message.read", {"user": user, "id": found["id"]})
    if session.json:
        session.answer(item)
        return DONE
    session.show(item_lines(item, session.terminal(), time.time()))
    if item["state"] == "open" and item["kind"] != "message":
        what = "N" if item["options"] else "TEXT"
        if item["kind"] == "approval":
            what = f"allow{_repeated(item)}"
        session.confirm([f"`hero_dev answer {clean(item['id'])} {what}` answers it."])
    return DONE


def _find(client: SyncClient, user: str, name: str) -> Item | None:
    """What waits for the user and is called so, or begins so; None where that is not one item."""
    items: list[Item] = client.call("question.list", {"user": user, "limit": _LIST_LIMIT})["items"]
    exactly = [item for item in items if item["id"] == name]
    meant = exactly or [item for item in items if item["id"].startswith(name)]
    return meant[0] if len(meant) == 1 else None


def _chosen(item: Item | None, words: list[str]) -> dict[str, Any]:
    """What is answered: a number is an option's, where the question has options; words may follow it."""
    first = words[0]
    if item and item["kind"] == "approval" and (choice := _DECISIONS.get(first.casefold())):
        return {"choice": choice, "text": " ".join(words[1:])}
    if item and item["options"] and first.isascii() and first.isdigit() and len(first) < 3:
        return {"choice": int(first), "text": " ".join(words[1:])}
    return {"text": text_of(words)}


def _what_answer(item: Item | None, name: str) -> HeroError:
    if item is None:
        return HeroError("usage", f"What is the answer to {name}?", hint="`hero_dev inbox` lists what is asked.")
    if item["kind"] == "approval":
        what, repeated = clean(item["text"].splitlines()[0], 300), _repeated(item)
        return HeroError(
            "usage",
            f"Allow or deny? {item['sender']} wants to: {what}",
            hint=f"`hero_dev inbox {name}` has the plan; `hero_dev answer {name} allow{repeated}`, or deny WHY.",
        )
    options = ", ".join(f"{number} {option}" for number, option in enumerate(item["options"], start=1))
    question = clean(item["text"].replace("\n", " "), 300)
    return HeroError("usage", f"What is the answer? {item['sender']} asks: {question}", hint=clean(options))


def _repeated(item: Item) -> str:
    """What allowing it takes besides."""
    return f" --confirm {clean(item['approval']['subject'])}" if item["approval"]["radius"] == "high" else ""


def _tell_item(session: Session, item: Item, line: str) -> None:
    if session.json:
        session.answer(item)
    else:
        session.confirm([line])


def _seconds(text: str) -> float:
    try:
        return parse_seconds(text)
    except HeroError as error:
        raise argparse.ArgumentTypeError(error.message.rstrip(".")) from None
