"""What may become of a question or a message, and when: pure rules; an item that is over stays as it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from backends.box.inbox.callers import Caller
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import AnswerParams, AskParams, SettleParams
from backends.model.text import safe_line, safe_text

ALLOW_OR_DENY = ("Allow", "Deny")
"""The options of a dialog whose slot gives none."""

_IN_SHORT = {"y": 1, "yes": 1, "ok": 1, "n": 2, "no": 2}

OPTION_LIMIT = 200
MESSAGE_DAYS = 30
"""How long a message waits to be read."""

HANDED = ("permission", "approval")
"""Kinds whose answer a slot's daemon has to take."""

ENDED = ("answered", "cancelled", "expired", "delivered")
BOX = "hero"
"""Who says what the box itself has to say; no login can be called so."""


def question(item_id: str, params: AskParams, sender: str, to: str, now: datetime) -> InboxItem:
    """A new question or dialog. Raises HeroError `usage` for texts that say nothing."""
    options = tuple(safe_line(option, OPTION_LIMIT).strip() for option in params.options)
    if not all(options) or len(set(options)) != len(options):
        raise HeroError("usage", "Each option of a question needs words of its own.")
    if params.waiting and not params.agent:
        raise HeroError("usage", "Only an agent waits in a dialog.")
    if not options and not params.free_text and not params.waiting:
        raise HeroError("usage", "A question without options takes an answer in words.")
    return InboxItem(
        id=item_id,
        kind="permission" if params.waiting else "question",
        sender=sender,
        to=to,
        text=said(params.text),
        options=options or (ALLOW_OR_DENY if params.waiting else ()),
        free_text=params.free_text,
        asked_at=now,
        expires_at=now + timedelta(seconds=params.ttl) if params.ttl else None,
        waiting=safe_line(params.waiting, 200),
    )


def message(item_id: str, sender: str, to: str, text: str, now: datetime) -> InboxItem:
    """A new message. Raises HeroError `usage` for a text that says nothing."""
    expires = now + timedelta(days=MESSAGE_DAYS)
    return InboxItem(
        id=item_id, kind="message", sender=sender, to=to, text=said(text), asked_at=now, expires_at=expires
    )


def said(text: str) -> str:
    """`text` as anybody may read it. Raises HeroError `usage` where nothing is left of it."""
    harmless = safe_text(text.replace("\r\n", "\n")).strip()
    if not harmless:
        raise HeroError("usage", "There is no text.")
    return harmless


def is_over(item: InboxItem, now: datetime) -> bool:
    """Whether the time of `item` has run out; one that was answered has no time any more."""
    return item.state == "open" and item.expires_at is not None and item.expires_at <= now


def expired(item: InboxItem) -> InboxItem:
    return item.model_copy(update={"state": "expired"})


def refuse_answerer(item: InboxItem, by: Caller) -> None:
    """Raises HeroError where `by` has nothing to answer: denied, conflict (it is over), usage (a message)."""
    if item.kind == "message":
        raise HeroError(
            "usage", f"{item.id} is a message, not a question.", hint=f"`hero_dev tell {item.sender} …` replies."
        )
    if not by.is_addressed(item.to):
        raise HeroError("denied", f"This question is for {item.to} to answer, not for {by.name}.")
    refuse_ended(item)


def answered(item: InboxItem, params: AnswerParams, by: Caller, now: datetime) -> InboxItem:
    """`item` with its answer. Raises HeroError: denied, conflict (it is over), usage (no such answer)."""
    refuse_answerer(item, by)
    text, choice = chosen(item, params)
    state = "submitted" if item.kind == "permission" else "answered"
    update = {"state": state, "answer": text, "choice": choice, "answered_by": by.name, "answered_at": now}
    return item.model_copy(update=update | {"problem": ""})


def cancelled(item: InboxItem, by: Caller) -> InboxItem:
    """`item`, taken back. Raises HeroError: denied, conflict."""
    if by.name != item.sender:
        raise HeroError("denied", f"Only {item.sender}, who asked it, takes this question back.")
    if item.kind == "message":
        raise HeroError("usage", f"{item.id} is a message: what is said is said.")
    refuse_ended(item)
    return item.model_copy(update={"state": "cancelled"})


def settled(item: InboxItem, params: SettleParams, owner: str, now: datetime) -> InboxItem:
    """A dialog as its slot saw it end: answered here or in the terminal (by `owner`), or gone by itself."""
    detail = safe_line(params.detail, 1000)
    if not params.answered:
        return failed(item, detail or "The dialog is not there any more.")
    if item.state == "submitted":
        return item.model_copy(update={"state": "answered", "problem": ""})
    update = {"state": "answered", "answer": detail or "in the terminal", "answered_by": owner, "answered_at": now}
    return item.model_copy(update=update)


def failed(item: InboxItem, problem: str) -> InboxItem:
    """A dialog that no answer reaches any more."""
    return item.model_copy(update={"state": "cancelled", "problem": problem})


def unconfirmed(item: InboxItem) -> InboxItem:
    """A dialog that was most likely answered: a kill hid whether the slot took the answer, and it is gone now."""
    problem = "The slot did not confirm this answer: a daemon was restarted meanwhile."
    return item.model_copy(update={"state": "answered", "problem": problem})


def lost(item: InboxItem) -> InboxItem:
    """What its slot does not know of any more: its daemon was killed before it could tell the end."""
    if item.kind == "approval":
        return failed(item, "Its slot's daemon was restarted, and does not know it (any more).")
    if item.state == "submitted":
        return unconfirmed(item)
    return failed(item, "It was closed in its window, or its agent ended, while its slot's daemon was away.")


def reopened(item: InboxItem, problem: str) -> InboxItem:
    """A dialog that is still there, and had no use for the answer."""
    update = {"state": "open", "answer": "", "choice": 0, "answered_by": "", "answered_at": None}
    return item.model_copy(update=update | {"problem": problem})


def read(item: InboxItem, by: Caller, now: datetime) -> InboxItem:
    """`item`, seen; a message is over with that. Raises HeroError `denied`."""
    if not by.is_addressed(item.to):
        raise HeroError("denied", f"This is for {item.to} to read, not for {by.name}.")
    if item.read_at is not None or item.state not in ("open", "submitted"):
        return item
    state = "delivered" if item.kind == "message" else item.state
    return item.model_copy(update={"state": state, "read_at": now})


def delivered(item: InboxItem, now: datetime) -> InboxItem:
    """A message that has reached its agent."""
    return item.model_copy(update={"state": "delivered", "read_at": now})


def word_of_answer(item: InboxItem) -> str:
    """What an agent that asked is told."""
    asked = f"your question {item.id} (“{safe_line(item.text, 160)}”)"
    if item.state == "expired":
        return f"The time of {asked} is over: {item.to} has not answered it."
    return f"{item.answered_by} has answered {asked}: {answer_in_words(item)}"


def answer_in_words(item: InboxItem) -> str:
    """`2 (Deny)`, `2 (Deny): not before Monday`, or the text."""
    if not item.choice:
        return item.answer
    label = item.options[item.choice - 1]
    return f"{item.choice} ({label})" + (f": {item.answer}" if item.answer != label else "")


def refuse_ended(item: InboxItem) -> None:
    """Raises HeroError `conflict`, which says how `item` ended, unless it is open."""
    if item.state == "open":
        return
    data = {"id": item.id, "state": item.state, "answered_by": item.answered_by}
    raise HeroError("conflict", f"{_how_it_ended(item)} Nothing was changed.", data=data)


def _how_it_ended(item: InboxItem) -> str:
    if item.state in ("answered", "submitted"):
        return f"{item.answered_by} has answered this already: {safe_line(answer_in_words(item), 300)}."
    if item.state == "expired" and item.expires_at:
        return f"The time to answer this was over at {item.expires_at:%Y-%m-%d %H:%M:%S} UTC."
    why = item.problem or f"{item.sender} has taken it back."
    return f"This question is gone: {why}"


def chosen(item: InboxItem, params: AnswerParams) -> tuple[str, int]:
    """The text and the number of the option (0: none) that `params` answer with. Raises HeroError `usage`."""
    text = safe_text(params.text.replace("\r\n", "\n")).strip()
    choice = params.choice
    if not choice:
        choice = _option_called(text.casefold(), item.options)
        text = "" if choice else text
    if choice > len(item.options):
        raise HeroError("usage", f"There is no option {choice}.", hint=_hint(item))
    if choice and not text:
        return item.options[choice - 1], choice
    if not text:
        raise HeroError("usage", "There is no answer.", hint=_hint(item))
    if not item.free_text:
        raise HeroError("usage", "This question takes one of its options.", hint=_hint(item))
    return text, choice


def _option_called(text: str, options: tuple[str, ...]) -> int:
    """The number of the option that `text` names; 0 where it is none."""
    labels = [option.casefold() for option in options]
    if text in labels:
        return labels.index(text) + 1
    return _IN_SHORT.get(text, 0) if options == ALLOW_OR_DENY else 0


def _hint(item: InboxItem) -> str:
    options = ", ".join(f"{number} {option}" for number, option in enumerate(item.options, start=1))
    return f"Options: {options}." if options else "Answer in your own words."
