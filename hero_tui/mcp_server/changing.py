"""Tools that change the own slot: each begins what a person's verb begins, and waits for it for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.client.blocking import connect_slot
from backends.model.agent_calls import AgentTools
from backends.model.errors import HeroError
from hero_tui.mcp_server.answers import compact, telling
from hero_tui.mcp_server.arguments import Arguments, Name, WhatToRun
from hero_tui.mcp_server.desk import Desk

WAIT_SECONDS = 90.0
"""How long a tool waits for the end of what it began; after that the slot goes on alone."""


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
    return _see_through(desk, "slot.switch", asked.params())


def rebuild(desk: Desk, asked: Rebuild) -> str:
    """Build the worktree and run it. Raises HeroError."""
    return _see_through(desk, "slot.rebuild", {"service": asked.service})


def refuse_held(granted: AgentTools, action: str) -> None:
    """Raises HeroError `approval` where policy.toml does not let agents take `action` by themselves."""
    held = next((one for one in granted.actions if one.action == action), None)
    if held is not None and held.radius == "low":
        return
    rule = f'the rule for "{held.rule}" makes it {held.radius}' if held else "no rule allows it"
    raise HeroError(
        "approval",
        f"Agents do not take the action {action} by themselves on this team: in policy.toml {rule}. "
        "Nothing was done.",
        hint=f"Ask a person to do it, with ask_operator: {granted.user} may, by `hero_dev`.",
    )


def _see_through(desk: Desk, method: str, params: dict[str, Any]) -> str:
    given = {name: value for name, value in params.items() if value is not None}
    with connect_slot(desk.where, start=False) as client:
        operation = client.call(method, given)["operation"]
        try:
            ended = client.call(
                "operation.wait", {"operation": operation}, timeout=WAIT_SECONDS, on_notification=lambda _: None
            )
        except HeroError as error:
            if error.code != "timeout":
                raise
            return f"It goes on in the slot, as operation {operation}. read_events tells what came of it."
    return _told(ended)


def _told(ended: Mapping[str, Any]) -> str:
    if ended["state"] == "succeeded":
        return f"Done: {ended['title']}.\n{compact(telling(ended['result'], ended['result']))}"
    error = ended["error"] or {"code": "cancelled", "message": f"{ended['title']}: it was cancelled.", "hint": ""}
    raise HeroError(error["code"], error["message"], hint=error["hint"])
