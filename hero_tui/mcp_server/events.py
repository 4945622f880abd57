"""`read_events`: what happened in this slot since the last read, a line each, out of the box's log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from backends.client.blocking import connect_box
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.mcp_server.arguments import Arguments
from hero_tui.mcp_server.desk import Desk

FAR = 5000
"""Events of the whole box that one read goes back at most."""
_SECONDS = 10.0

Event = Mapping[str, Any]


class ReadEvents(Arguments):
    limit: int = Field(default=50, ge=1, le=200, description="The newest so many.")


class EventReader:
    """Knows how far `desk`'s agent has read. `begin` sets the mark where there is none yet."""

    def __init__(self, desk: Desk):
        self._desk = desk
        self._read: int | None = None
        self._turn = threading.Lock()

    def begin(self, seq: int) -> None:
        """What comes after the number `seq` is news."""
        if self._read is None:
            self._read = seq

    def read(self, asked: ReadEvents, newest: int) -> str:
        """The news up to the number `newest`. Raises HeroError."""
        with self._turn:
            after = self._read if self._read is not None else newest
            if newest <= after:
                return "Nothing has happened since the last read."
            begin = max(after, newest - FAR)
            lines = self._lines(begin, newest)
            self._read = newest
        head = ["Some older events were left out."] if begin > after or len(lines) > asked.limit else []
        return "\n".join([*head, *lines[-asked.limit :]]) or "Nothing has happened here since the last read."

    def _lines(self, after: int, newest: int) -> list[str]:
        try:
            with connect_box(self._desk.where, start=False) as client:
                events = _between(client, after, newest)
        except HeroError as error:
            if error.code != "snapshot_needed":
                raise
            return ["Some events are not kept any more; look at the status."]
        told: dict[tuple[str, str], str] = {}
        lines = []
        for event in events:
            words = _in_words(event, self._desk)
            key = (event["kind"].partition(".")[0], event["subject"])
            if words and told.get(key) != words:
                told[key] = words
                lines.append(f"{event['time'][:19]}Z {words}")
        return lines


def _between(client: SyncClient, after: int, newest: int) -> list[Event]:
    client.call("events.subscribe", {"after": after})
    found: list[Event] = []
    for note in client.notifications(timeout=_SECONDS):
        event = note.params
        if note.method == "event" and event.get("seq"):
            found.append(event)
        if event.get("seq", 0) >= newest:
            break
    return found


def _in_words(event: Event, desk: Desk) -> str:
    """What an agent should know of it; empty for what is not of this slot, or says nothing."""
    kind, data = str(event["kind"]), event["data"]
    if kind == "question.changed":
        return _item(data) if desk.name in (data.get("sender"), data.get("to")) else ""
    if event["slot"] != desk.where.user:
        return ""
    for prefix, words in _WORDS.items():
        if kind.startswith(prefix):
            return words(event)
    return ""


def _service(event: Event) -> str:
    if event["kind"] == "service.removed":
        return f"{event['subject']} is not bound any more"
    data = event["data"]
    reason = f" ({data['reason']})" if data.get("reason") else ""
    what = f"{data.get('branch', '')} {str(data.get('hash', ''))[:8]} from {data.get('from', '')}"
    return f"{event['subject']} is {data.get('health')}{reason}, {data.get('drift')}: {what}"


def _build(event: Event) -> str:
    data = event["data"]
    why = f": {data['error']}" if data.get("error") else ""
    what = f"{event['subject']} {data.get('branch', '')} {str(data.get('commit', ''))[:8]}".strip()
    return f"build {data.get('id', '')} of {what} {event['kind'].partition('.')[2]}{why}"


def _item(data: Mapping[str, Any]) -> str:
    who = f"from {data.get('sender')} to {data.get('to')}"
    return f"{data.get('kind')} {data.get('id')} {who} is {data.get('state')}"


def _agent(event: Event) -> str:
    if event["kind"] == "agent.removed":
        return f"agent {event['subject']} is removed"
    data = event["data"]
    why = f": {data['why']}" if data.get("why") else ""
    return f"agent {data.get('id')} is {data.get('state')}{why}"


def _audit(event: Event) -> str:
    data = event["data"]
    title = data.get("title") or f"{event['kind'].removeprefix('audit.')} {event['subject']}"
    error = f": {data['error']}" if data.get("error") else ""
    return f"{title} by {data.get('actor', 'somebody')}: {data.get('outcome', 'done')}{error}"


_WORDS: dict[str, Callable[[Event], str]] = {
    "service.": _service,
    "build.": _build,
    "agent.": _agent,
    "audit.": _audit,
    "release.published": lambda event: f"{event['subject']} is published: {event['data'].get('tag', '')}",
    "slot.recovered": lambda event: f"{event['subject']} was recovered after a kill: {event['data']}",
    "slot.supervisor": lambda _: "the supervisor was killed, and started again",
    "slot.offline": lambda _: "the slot's daemon is away",
    "slot.online": lambda _: "the slot's daemon is back",
}
