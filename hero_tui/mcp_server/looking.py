"""Tools that look: the own slot, a teammate's, logs, plans, releases; nothing here changes anything."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from hero_tui.mcp_server.answers import compact, telling
from hero_tui.mcp_server.arguments import Arguments, Branch, Name, WhatToRun
from hero_tui.mcp_server.desk import Desk

_SLOT = ("slot", "full_name", "role", "online", "problems", "operations")
_SERVICE = (
    "service",
    "branch",
    "from",
    "hash",
    "tag",
    "drift",
    "drift_reason",
    "newest",
    "health",
    "reason",
    "exit_code",
    "last_log",
    "since",
    "restarts",
    "url",
    "worktree",
    "depends_on",
)
_BUILD = ("id", "state", "commit", "error", "hint", "finished_at", "waits_for")
_OPERATION = ("id", "title", "phase", "state", "started_at")
_AGENT = ("id", "title", "state", "why", "service", "branch")
_RELEASE = ("tag", "commit", "author", "published_at", "subject", "size", "complete")


class Status(Arguments):
    service: Name = Field(default="", description="This service alone, with everything that is known of it.")


class Peek(Arguments):
    user: Name = Field(description="The teammate's login.")
    service: Name = Field(default="", description="This service alone.")
    logs: int = Field(default=0, ge=0, le=1000, description="So many last lines of the logs instead.")
    grep: str = Field(default="", max_length=500, description="Only lines with this regular expression.")


class Logs(Arguments):
    services: tuple[Name, ...] = Field(default=(), max_length=50, description="None named: all of the slot.")
    lines: int = Field(default=100, ge=1, le=2000, description="The last so many lines.")
    minutes: float | None = Field(default=None, gt=0, le=100_000, description="Only of the last so many minutes.")
    grep: str = Field(default="", max_length=500, description="Only lines with this regular expression.")
    build: Name = Field(default="", description="The output of this build instead, by its id.")


class Plan(WhatToRun):
    action: Literal["switch", "bind", "unbind", "rebuild", "pull", "start", "stop", "restart"] = "switch"


class Releases(Arguments):
    service: Name
    branch: Branch = Field(default="", description="Of this branch only.")
    limit: int = Field(default=20, ge=1, le=100)


def status(desk: Desk, asked: Status) -> str:
    """The own slot, or one service of it."""
    return _slot(desk.slot("slot.status", {}), asked.service)


def peek(desk: Desk, asked: Peek) -> str:
    """A teammate's slot or its logs, as far as they show them."""
    if not asked.logs and not asked.grep:
        return _slot(desk.box("peek.slot", {"user": asked.user}), asked.service)
    params: dict[str, Any] = {"user": asked.user, "lines": asked.logs or 100, "grep": asked.grep or None}
    params["services"] = [asked.service] if asked.service else []
    return _lines(desk.box("peek.logs", params)["lines"])


def logs(desk: Desk, asked: Logs) -> str:
    """What services of the own slot said."""
    since = time.time() - asked.minutes * 60 if asked.minutes else None
    params = {"services": asked.services, "lines": asked.lines, "since": since}
    answer = desk.slot("slot.logs", params | {"grep": asked.grep or None, "build": asked.build or None})
    return _lines(answer["lines"])


def plan(desk: Desk, asked: Plan) -> str:
    """What an action would do."""
    return compact(desk.slot("slot.plan", asked.params() | {"action": asked.action}))


def releases(desk: Desk, asked: Releases) -> str:
    """What is published of a service, newest first."""
    params = {"service": asked.service, "branch": asked.branch or None, "limit": asked.limit}
    found = desk.box("release.list", params)["releases"]
    return "\n".join(compact_line(telling(one, _RELEASE)) for one in found) or "There is no such release."


def compact_line(data: Mapping[str, Any]) -> str:
    """A value on one line."""
    return compact(data).replace(",\n ", ", ")


def _slot(slot: Mapping[str, Any], service: str) -> str:
    services: Sequence[Mapping[str, Any]] = slot["services"]
    if service:
        named = {one["service"]: one for one in services}
        if service not in named:
            from backends.model.errors import unknown_name

            raise unknown_name(f"service in {slot['slot']}'s slot", service, named)
        return compact(telling(named[service], named[service]))
    told = telling(slot, _SLOT)
    if "operations" in told:
        told["operations"] = [telling(one, _OPERATION) for one in slot["operations"]]
    told["agents"] = [telling(one, _AGENT) for one in slot["agents"] if one["state"] != "gone"]
    head = compact_line(telling(told, told))
    return "\n".join([head, *(compact_line(_service(one)) for one in services)])


def _service(one: Mapping[str, Any]) -> dict[str, Any]:
    told = telling(one, _SERVICE)
    if not one["enabled"]:
        told["enabled"] = False
    if one["build"]:
        told["build"] = telling(one["build"], _BUILD)
    if one["operation"]:
        told["operation"] = telling(one["operation"], _OPERATION)
    return told


def _lines(lines: Sequence[Mapping[str, Any]]) -> str:
    sources = {line["source"] for line in lines}
    named = len(sources) > 1
    return "\n".join(f"{line['source']}: {line['text']}" if named else str(line["text"]) for line in lines)
