"""The calls about questions and messages, which the box answers."""

from __future__ import annotations

from pydantic import Field

from backends.model.frozen import Frozen
from backends.model.inbox import InboxItem
from backends.model.method import Empty, Method

TEXT_LIMIT = 20_000
"""Characters of a question, a message or an answer."""

_USER = Field(
    default="", max_length=100, description="Who calls; heard on a rootless box only, where all have one uid."
)


class ApprovalParams(Frozen):
    """What an agent wants done: an action of policy.toml, and to what."""

    action: str = Field(min_length=1, max_length=100)
    subject: str = Field(min_length=1, max_length=200)


class AskParams(Frozen):
    """`agent`: who asks, an agent of the caller's own slot; none: the caller. `to` none: the agent's owner.

    `ttl` in seconds; 0: for ever. With `waiting` it is a dialog in the agent's terminal (kind permission);
    its options are Allow and Deny where none are given. Asked again, it is the same item. With `approval` too it
    is an action that waits: only a slot's daemon asks so, and the team's policy says whom, and for how long.
    """

    text: str = Field(min_length=1, max_length=TEXT_LIMIT)
    to: str = Field(default="", max_length=100)
    agent: str = Field(default="", max_length=100)
    options: tuple[str, ...] = Field(default=(), max_length=10)
    free_text: bool = True
    ttl: float = Field(default=0.0, ge=0, le=30 * 24 * 3600)
    waiting: str = Field(default="", max_length=200)
    approval: ApprovalParams | None = None
    user: str = _USER


class AnswerParams(Frozen):
    """`confirm`: the name that is repeated to allow something of high radius."""

    id: str = Field(max_length=40)
    text: str = Field(default="", max_length=TEXT_LIMIT)
    choice: int = Field(default=0, ge=0, le=10)
    confirm: str = Field(default="", max_length=200)
    user: str = _USER


class ItemParams(Frozen):
    id: str = Field(max_length=40)
    agent: str = Field(default="", max_length=100)
    user: str = _USER


class SettleParams(Frozen):
    """A slot says what became of a dialog that an agent of it waited in, or of an action that was allowed
    (`outcome`). `agent`: `<slot>/<agent>`, or the number alone where the slot is known by its uid or its link."""

    agent: str = Field(max_length=100)
    waiting: str = Field(max_length=200)
    answered: bool = False
    detail: str = Field(default="", max_length=1000)
    outcome: str = Field(default="", max_length=TEXT_LIMIT)


class StandingParams(Frozen):
    """A slot's daemon says which dialogs and approvals of its agents there are (`waiting`, their ids): whatever
    else the box has open of them is over. The slot is known by the uid, the link, or `user`."""

    waiting: tuple[str, ...] = Field(default=(), max_length=10_000)
    user: str = _USER


class TellParams(Frozen):
    """`agent`: who says it, an agent of the caller's own slot; none: the caller."""

    to: str = Field(max_length=100)
    text: str = Field(min_length=1, max_length=TEXT_LIMIT)
    agent: str = Field(default="", max_length=100)
    user: str = _USER


class InboxParams(Frozen):
    """`whose`: a login or `<slot>/<agent>`; none: the caller's own. `sent`: what they asked and said instead.

    `id`: this item alone, in whatever state, if it is to or from the caller or an agent of theirs.
    """

    whose: str = Field(default="", max_length=100)
    id: str = Field(default="", max_length=40)
    ended: bool = Field(default=False, description="Those that are answered, read or over, too.")
    sent: bool = False
    limit: int = Field(default=200, ge=1, le=1000)
    user: str = _USER


class InboxResult(Frozen):
    items: tuple[InboxItem, ...] = ()
    unread: int = 0


class TakeParams(Frozen):
    """A slot's daemon asks for what waits for its agents (none named: all), and says which of it has arrived
    (`taken`). The slot is known by the uid, the link, or the names in `agents`."""

    agents: tuple[str, ...] = Field(default=(), max_length=200)
    taken: tuple[str, ...] = Field(default=(), max_length=1000)


INBOX_METHODS: tuple[Method, ...] = (
    Method("question.ask", "box", AskParams, InboxItem, "Ask a person; answers at once.", True),
    Method("question.list", "box", InboxParams, InboxResult, "Questions and messages."),
    Method("question.answer", "box", AnswerParams, InboxItem, "Answer a question.", True),
    Method("question.cancel", "box", ItemParams, InboxItem, "Take a question of one's own back.", True),
    Method("question.settle", "box", SettleParams, Empty, "What became of an agent's dialog.", True),
    Method("question.standing", "box", StandingParams, Empty, "Which dialogs a slot's agents wait in.", True),
    Method("message.send", "box", TellParams, InboxItem, "Tell a person or an agent something.", True),
    Method("message.read", "box", ItemParams, InboxItem, "Mark a message as read.", True),
    Method("message.take", "box", TakeParams, InboxResult, "What waits for a slot's agents.", True),
)
