"""The tools that an agent can have on its slot, and which a role's agents are granted."""

from __future__ import annotations

TOOLS: dict[str, str] = {
    "status": "",
    "peek": "",
    "logs": "",
    "plan": "",
    "switch": "slot.switch",
    "rebuild": "slot.rebuild",
    "releases": "",
    "ask_operator": "",
    "tell": "",
    "read_events": "",
}
"""Every tool that can be granted, with the action of policy.toml that it takes (none: it changes no slot)."""

ALONG: dict[str, str] = {"cancel_question": "ask_operator"}
"""Tools that come with another: who may ask may take it back."""


def with_those_along(granted: tuple[str, ...]) -> tuple[str, ...]:
    """`granted`, and what comes with it."""
    return (*granted, *(name for name, other in ALONG.items() if other in granted))
