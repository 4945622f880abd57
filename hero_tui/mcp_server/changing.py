"""Tools that change the own slot: each begins what a person's verb begins, or waits for a person to allow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.client.blocking import connect_slot
from backends.model.errors import HeroError
from hero_tui.mcp_server.answers import compact, telling
from hero_tui.mcp_server.arguments import Arguments, Name, WhatToRun
from hero_tui.mcp_server.desk import Desk

WAIT_SECONDS = 90.0
"""How long a tool waits for the end of what it began; after that the slot goes on alone."""
PLAN_SECONDS = 60.0
"""How long the slot has to work out what would be done."""


class Switch(WhatToRun):
    pass


class Rebuild(Arguments):
    service: Name


def switch(desk: Desk, asked: Switch) -> str:
    """Run another branch, release or commit. Raises HeroError."""
    if not any((asked.branch, asked.source, asked.hash, asked.back)):
        raise HeroError(
            "usage", f"What should {asked.service} run?", hint="Give a branch, a source, a hash, or back."
        )
    return _act(desk, "slot.switch", asked.params())


def rebuild(desk: Desk, asked: Rebuild) -> str:
    """Build the worktree and run it. Raises HeroError."""
    return _act(desk, "slot.rebuild", {"service": asked.service})


def _act(desk: Desk, action: str, params: dict[str, Any]) -> str:
    """The slot asks the box what policy says of it, so nothing that is said here lets anybody around that."""
    given = {name: value for name, value in params.items() if value is not None}
    with connect_slot(desk.where, start=False) as client:
        asked = {"agent": desk.agent, "action": action, "asked": given}
        told = client.call("agent.act", asked, timeout=PLAN_SECONDS)
        if told["item"]:
            return _waits(told["item"])
        operation = told["operation"]
        try:
            ended = client.call(
                "operation.wait", {"operation": operation}, timeout=WAIT_SECONDS, on_notification=lambda _: None
            )
        except HeroError as error:
            if error.code != "timeout":
                raise
            return f"It goes on in the slot, as operation {operation}. read_events tells what came of it."
    return _told(ended)


def _waits(item: Mapping[str, Any]) -> str:
    """What is told of an action that a person decides."""
    held, name = item["approval"], item["id"]
    rule = f'the rule for "{held["rule"]}" makes it' if held["rule"] else "no rule names it, so it is"
    lines = [
        f"It waits for approval {name}: in policy.toml {rule} {held['radius']}. "
        f"{item['to']} decides; nothing was done yet.",
        "You will be told what came of it by a message. Do not wait and do not ask again: go on with what does "
        f"not depend on it, or end your turn; cancel_question {name} takes it back.",
    ]
    if held["hold"]:
        lines.append(f"Unless somebody objects it is done at {item['expires_at']}.")
    elif item["expires_at"]:
        lines.append(f"It ends undecided at {item['expires_at']}.")
    return "\n".join([*lines, "", "What was proposed, and is done exactly so or not at all:", "", item["text"]])


def _told(ended: Mapping[str, Any]) -> str:
    if ended["state"] == "succeeded":
        return f"Done: {ended['title']}.\n{compact(telling(ended['result'], ended['result']))}"
    error = ended["error"] or {"code": "cancelled", "message": f"{ended['title']}: it was cancelled.", "hint": ""}
    raise HeroError(error["code"], error["message"], hint=error["hint"])
