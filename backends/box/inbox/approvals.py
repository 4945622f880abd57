"""What may become of an action that waits for a person: pure rules; what it takes of them is policy's to say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from backends.box.inbox import rules
from backends.box.inbox.callers import ADMINS, Caller
from backends.model.errors import HeroError
from backends.model.inbox import Approval, InboxItem
from backends.model.inbox_calls import AnswerParams, AskParams, SettleParams
from backends.model.policy import DEFAULT_RULE, Rule
from backends.model.text import safe_line, safe_text

WAITS_HOURS = 24
"""How long an approval of high radius waits; what nobody has allowed by then is not done."""

ALLOW, DENY = 1, 2

RuleOf = Callable[[str], Rule]
"""Policy's rule for an agent that takes an action."""


def approver(rule: Rule, owner: str) -> str:
    """Whom an action of an agent of `owner` waits for: its owner, unless the team's own rule names only others."""
    if rule is DEFAULT_RULE or not rule.approvers or owner in rule.approvers:
        return owner
    return ADMINS if ADMINS in rule.approvers else rule.approvers[0]


def approval(item_id: str, params: AskParams, sender: str, to: str, rule: Rule, now: datetime) -> InboxItem:
    """What `params` propose. Raises HeroError: usage; conflict where policy lets agents do it by themselves."""
    asked = params.approval
    if asked is None or not params.waiting or not params.agent:
        raise HeroError("usage", "An approval needs an agent, what it wants to do, and the proposal's id.")
    if rule.radius == "low":
        raise HeroError(
            "conflict", f"Policy lets agents take {asked.action} by themselves (now).", hint="Try again."
        )
    held = Approval(
        action=safe_line(asked.action, 100),
        subject=safe_line(asked.subject, 200),
        radius=rule.radius,
        rule="" if rule is DEFAULT_RULE else rule.action,
        hold=rule.hold if rule.radius == "medium" else 0.0,
    )
    waits = timedelta(seconds=held.hold) if held.hold else timedelta(hours=WAITS_HOURS)
    return InboxItem(
        id=item_id,
        kind="approval",
        sender=sender,
        to=to,
        text=rules.said(params.text),
        options=rules.ALLOW_OR_DENY,
        asked_at=now,
        expires_at=now + waits,
        waiting=safe_line(params.waiting, 200),
        approval=held,
    )


def decided(
    item: InboxItem, params: AnswerParams, answer: tuple[str, int], by: Caller, now: datetime
) -> InboxItem:
    """`item`, allowed or denied by `answer`. Raises HeroError `usage` for any other, and for a wrong name."""
    text, choice = answer
    if choice not in (ALLOW, DENY):
        raise HeroError("usage", "An action is allowed or denied.", hint=f"`hero_dev answer {item.id} deny WHY`.")
    if choice == ALLOW:
        _refuse_unread(item, params.confirm)
    state = "submitted" if choice == ALLOW else "answered"
    update = {"state": state, "answer": text, "choice": choice, "answered_by": by.name, "answered_at": now}
    return item.model_copy(update=update | {"problem": ""})


def overdue(item: InboxItem, now: datetime) -> InboxItem:
    """An item whose time is over: an action of medium radius is done then, all else has expired."""
    if not is_held(item) or item.approval is None:
        return rules.expired(item)
    answer = f"nobody has objected for {item.approval.hold:g} s"
    update = {
        "state": "submitted",
        "answer": answer,
        "choice": ALLOW,
        "answered_by": rules.BOX,
        "answered_at": now,
    }
    return item.model_copy(update=update)


def held_anew(item: InboxItem, now: datetime) -> InboxItem:
    """`item`, whose time ran out while the box was away and nobody could object: it waits once more."""
    hold = item.approval.hold if item.approval else 0.0
    return item.model_copy(update={"expires_at": now + timedelta(seconds=hold)})


def is_held(item: InboxItem) -> bool:
    """Whether the end of its time lets it be done."""
    return item.approval is not None and item.approval.radius == "medium"


def settled(item: InboxItem, params: SettleParams) -> InboxItem:
    """An action as its slot saw it end: done, tried in vain, or given up before anybody allowed it."""
    detail = safe_line(params.detail, 1000)
    if not params.answered or item.state != "submitted":
        return rules.failed(item, detail or "Its agent has given it up.")
    outcome = safe_text(params.outcome).strip()
    return item.model_copy(update={"state": "answered", "outcome": outcome, "problem": detail})


def word_of(item: InboxItem) -> str:
    """What the agent that proposed it is told; empty while there is nothing to tell, and of what it took back."""
    what = f"{item.id} (“{safe_line(item.text.partition(chr(10))[0], 160)}”)"
    match item.state:
        case "answered" if item.choice == DENY:
            why = f": {item.answer}" if item.answer != item.options[DENY - 1] else ""
            return f"{item.answered_by} has denied {what}; it is not done{why}"
        case "answered":
            return f"{_allowed_by(item)} {what}. {item.outcome or item.problem}".strip()
        case "expired":
            return f"The time of {what} is over: {item.to} has not decided, so it is not done."
        case "cancelled" if item.problem:
            return f"{what} was not done: {item.problem}"
    return ""


def _allowed_by(item: InboxItem) -> str:
    if item.answered_by == rules.BOX:
        return "Nobody has objected to"
    words = f" (“{safe_line(item.answer, 300)}”)" if item.answer != item.options[ALLOW - 1] else ""
    return f"{item.answered_by} has allowed{words}"


def _refuse_unread(item: InboxItem, confirm: str) -> None:
    """Raises HeroError `usage` where something of high radius is allowed without repeating its name."""
    held = item.approval
    if held is None or held.radius != "high" or confirm.strip() == held.subject:
        return
    said = f"{safe_line(confirm.strip(), 100)!r} is not it" if confirm.strip() else "its name was not repeated"
    raise HeroError(
        "usage",
        f"{held.action} is of high radius, and {said}; nothing was allowed.",
        hint=f"Read the plan (`hero_dev inbox {item.id}`), then: `hero_dev answer {item.id} allow "
        f"--confirm {held.subject}`.",
    )
