"""What a turn was ended by, for whoever has to do something about it: the program's own words, and what next."""

from __future__ import annotations

import re

from backends.model.agents import Agent
from backends.slot.agents.situation import FAILURES

PERSONAL = "personal"
"""The credential's name where the user's own login pays."""

_LIMIT = 300
_LOGIN = re.compile(r"(?:\s*·\s*)?Please run /login(?:\s*·\s*)?")
"""The program's advice; with an org key it is wrong, and from afar nobody can type it."""
_STATUS = re.compile(
    r"^(?:Failed to authenticate\.\s*)?API Error:\s*(?:[45]\d\d\s+|Request rejected \(429\)\s*·\s*)?"
)
_GATEWAY = re.compile(r"\s*If it persists, check your inference gateway \([^)]*\)\.?")
"""The gateway is the broker's relay, which has said what it knows."""


def in_words(error: str, text: str, agent: Agent) -> str:
    """The program's `text` for `error`, without what misleads here, and what a person can do."""
    said = _GATEWAY.sub("", _STATUS.sub("", _LOGIN.sub(" ", text).strip())).strip()
    return " ".join(part for part in (_ended(said), _next(error, agent)) if part)[:_LIMIT]


def _ended(said: str) -> str:
    return said if not said or said.endswith((".", "!", "?", "…")) else f"{said}."


def _next(error: str, agent: Agent) -> str:
    go_on = f"`hero_dev agent-send {agent.id} 'Go on.'`"
    match FAILURES.get(error, ""):
        case "auth" if agent.credential == PERSONAL:
            return f"`hero_dev claude login`, then {go_on}."
        case "auth":
            return f"`hero_dev claude status` tells more; once that is mended: {go_on}."
        case "rate limit" if agent.credential == PERSONAL:
            return "Its window says whether it goes on by itself then."
        case "rate limit":
            return f"Then: {go_on}."
        case "overloaded":
            return f"Later: {go_on}."
    return ""
