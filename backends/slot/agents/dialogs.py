"""The dialogs that a session has open, each with the hook that waits for its answer.

The program runs its PermissionRequest hook beside the dialog in the terminal: whichever answers first, counts, and
a hook that came too late is ended. So an answer can reach no other dialog than its own, and nothing is typed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backends.model.agent_calls import AgentAnswerParams
from backends.model.agents import Waiting
from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.slot.agents.lines import bounded, input_in_words, text_of
from backends.slot.agents.situation import QUESTION_TOOLS

OPTION_LIMIT, OPTION_LENGTH = 10, 200
_REFUSED = "This was refused by the person who looks after you."


@dataclass(frozen=True)
class Open:
    """A dialog, what its tool was called with, and the answer that its hook is to print."""

    waiting: Waiting
    given: Mapping[str, Any]
    answer: asyncio.Future[str]


class Dialogs:
    """The open dialogs of one session, by their ids."""

    def __init__(self) -> None:
        self._open: dict[str, Open] = {}

    def open(self, waiting: Waiting, given: Mapping[str, Any]) -> Open:
        """A dialog has opened, and its hook is here to be answered."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._open[waiting.id] = Open(waiting, given, answer)
        return self._open[waiting.id]

    def close(self, id: str) -> None:
        """The dialog is over, however."""
        self._open.pop(id, None)

    def holds(self, id: str) -> bool:
        return id in self._open

    def answer(self, params: AgentAnswerParams) -> Waiting:
        """Answer the dialog that `params` name. Raises HeroError: conflict where it is over, usage."""
        found = self._open.get(params.waiting)
        if found is None or found.answer.done():
            raise HeroError(
                "conflict",
                "That dialog is not open any more: it was answered, or the agent went on without it.",
                hint="`hero_dev agents` shows what it waits for now; a dialog without options is for its window.",
            )
        found.answer.set_result(output_of(decision(found, params)))
        return found.waiting


def waiting_of(id: str, payload: Mapping[str, Any], now: datetime) -> Waiting:
    """The dialog that a PermissionRequest hook tells of."""
    tool = safe_line(text_of(payload.get("tool_name")), 100)
    given = payload.get("tool_input")
    if tool not in QUESTION_TOOLS:
        return Waiting(id=id, tool=tool, text=f"{tool}: {input_in_words(given)}", since=now)
    asked = questions(given)
    options = options_of(asked[0]) if len(asked) == 1 else ()
    text = "\n\n".join(_question_in_words(one, with_options=len(asked) > 1) for one in asked)
    return Waiting(id=id, tool=tool, text=bounded(text) or "It asks something.", options=options, since=now)


def questions(given: object) -> list[Mapping[str, Any]]:
    """The questions of an AskUserQuestion call."""
    asked = given.get("questions") if isinstance(given, Mapping) else None
    return [one for one in asked if isinstance(one, Mapping)] if isinstance(asked, list) else []


def options_of(question: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels of a question's options."""
    return tuple(safe_line(one, OPTION_LENGTH) for one in _labels(question))


def decision(dialog: Open, params: AgentAnswerParams) -> dict[str, Any]:
    """What the hook decides. Raises HeroError `usage` for an answer that the dialog does not take."""
    is_question = dialog.waiting.tool in QUESTION_TOOLS
    if params.choice == "deny":
        return {"behavior": "deny", "message": bounded(params.text) or _REFUSED}
    if params.choice == "allow":
        if is_question:
            raise HeroError("usage", "This dialog asks something; allowing it is no answer.", hint="Choose one.")
        return {"behavior": "allow"}
    if not is_question:
        raise HeroError("usage", "This dialog is about a permission.", hint="It is answered by allow or deny.")
    return {"behavior": "allow", "updatedInput": {**dialog.given, "answers": _answers(dialog, params)}}


def output_of(decided: Mapping[str, Any]) -> str:
    """What a PermissionRequest hook prints."""
    return json.dumps({"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": decided}})


def _answers(dialog: Open, params: AgentAnswerParams) -> dict[str, str]:
    chosen = bounded(params.text)
    if params.option:
        if params.option > len(dialog.waiting.options):
            raise HeroError("usage", f"There is no option {params.option}.")
        # The words that the program offered, not ours: they may be longer than what a list shows.
        labels = _labels(questions(dialog.given)[0])
        option = labels[params.option - 1]
        chosen = f"{option}: {chosen}" if chosen and chosen != option else option
    if not chosen:
        raise HeroError("usage", "There is no answer.", hint="Choose an option, or say it in words.")
    return {text_of(one.get("question")): chosen for one in questions(dialog.given)}


def _labels(question: Mapping[str, Any]) -> list[str]:
    """The options as the program has them, those left out that a list could not tell from another."""
    given = question.get("options")
    found: dict[str, str] = {}
    for one in given if isinstance(given, list) else ():
        label = text_of(one.get("label")) if isinstance(one, Mapping) else ""
        if label.strip():
            found.setdefault(safe_line(label, OPTION_LENGTH), label)
    return list(found.values())[:OPTION_LIMIT]


def _question_in_words(question: Mapping[str, Any], *, with_options: bool) -> str:
    text = text_of(question.get("question"))
    return "\n".join([text, *(f"- {one}" for one in options_of(question))]) if with_options else text
