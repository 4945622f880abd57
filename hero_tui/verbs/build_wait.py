"""`hero_dev build submit --wait`: a queued build, seen through to its end, whatever its daemons do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.ages import seconds_since, took
from hero_tui.render.builds import build_took
from hero_tui.render.logs import shown
from hero_tui.render.progress import Progress, progress_on
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO, exit_code
from hero_tui.verbs.listening import through_restarts
from hero_tui.verbs.session import Session, box_client

OPEN = ("queued", "running")

_TICK_SECONDS = 1.0
"""How long the progress line stands still at most."""
_LAST_LINES = 12

Build = dict[str, Any]


def submit_and_wait(session: Session, where: Where, client: SyncClient, params: dict[str, Any]) -> int:
    """Queue a build and tell how it ended; returns the exit code. Raises HeroError for one that failed."""
    terminal = session.errors()
    quiet = session.quiet or (session.json and not terminal.live)
    progress = progress_on(sys.stderr, terminal, quiet=quiet)
    progress.begin(f"build {params['service']}")
    build_id = ""
    try:
        client.call("events.subscribe")  # before the build is there, so that nothing of it is missed
        build_id = client.call("codescalers.build.submit", params)["build_id"]
        build = see_through(where, client, build_id, _teller(progress, live=terminal.live))
    except KeyboardInterrupt:
        progress.clear()
        if build_id:
            print(f"\nIt goes on; `hero_dev build cancel {clean(build_id)}` stops it.", file=sys.stderr)
        raise
    finally:
        progress.clear()
    return _tell_end(session, where, build)


def see_through(where: Where, client: SyncClient, build_id: str, told: Callable[[Build], None]) -> Build:
    """The build once it has ended; `client` has subscribed to events. `told` hears of it meanwhile.

    A box's daemon that goes away is asked again once it is back. Raises HeroError.
    """
    return through_restarts(where, client, lambda own: _until_ended(own, build_id, told))


def news_of(client: SyncClient, build_id: str, seconds: float) -> Build | None:
    """What the next event tells of the build; None where none came within `seconds`. Raises HeroError."""
    deadline = time.monotonic() + seconds
    try:
        while (left := deadline - time.monotonic()) > 0:
            note = next(client.notifications(timeout=left))
            data = note.params.get("data") or {}
            is_build = note.method == "event" and str(note.params.get("kind", "")).startswith("build.")
            if is_build and data.get("id") == build_id:
                return dict(data)
    except HeroError as error:
        if error.code != "timeout":
            raise
    return None


def _until_ended(client: SyncClient, build_id: str, told: Callable[[Build], None]) -> Build:
    build: Build = client.call("build.get", {"build_id": build_id})
    while build["state"] in OPEN:
        told(build)
        news = news_of(client, build_id, _TICK_SECONDS)
        # What was told before that answer comes after it.
        if news and not (build["state"] == "running" and news["state"] == "queued"):
            build = news
    return build


def _teller(progress: Progress, *, live: bool) -> Callable[[Build], None]:
    """Shows a build as if it were an operation; how long it has been running only where a line is redrawn."""

    def told(build: Build) -> None:
        phase = "queued" if build["state"] == "queued" else "build"
        if build["waits_for"]:
            phase = f"{'queued: ' if build['state'] == 'queued' else 'waits: '}{build['waits_for']}"
        since = seconds_since(build["started_at"] or build["queued_at"], time.time())
        if live and since is not None:
            phase = f"{phase}  {took(since)}"
        title = f"build {build['service']} {build['branch']}".strip()
        progress.told({"title": title, "phase": phase, "state": "running", "done": 0, "total": None})

    return told


def _tell_end(session: Session, where: Where, build: Build) -> int:
    error = None if build["state"] in ("succeeded", "superseded") else _failure(where, build)
    if error is not None and not session.json:
        raise error
    if error is not None:
        from hero_tui.verbs.faults import error_object

        session.answer(error_object(error, build=build))
        return exit_code(error.code)
    done = build["state"] == "succeeded"
    if session.json:
        session.answer(build)
    else:
        session.confirm([_end_line(session, build)])
    return DONE if done else NOTHING_TO_DO


def _end_line(session: Session, build: Build) -> str:
    what = clean(f"{build['service']} {build['branch']} {build['commit'][:8]}")
    if build["state"] == "superseded":
        by = f" by {clean(build['superseded_by'])}" if build["superseded_by"] else ""
        return f"{what} is built already{by}: nothing to do."
    terminal = session.terminal()
    seconds = build_took(build, time.time())
    published = f", published as {clean(build['tag'])}" if build["tag"] else ""
    return f"{terminal.paint(terminal.signs.good, 'good')} {what} is built in {seconds}{published}."


def _failure(where: Where, build: Build) -> HeroError:
    code = "cancelled" if build["state"] == "cancelled" else "build_failed"
    name = clean(build["id"])
    message = build["error"] or f"The build {name} has {build['state']}."
    last = _last_lines(where, build) if code == "build_failed" else []
    said = [line for line in last if line.strip() and line.strip() not in message]
    hint = [*said, build["hint"], f"`hero_dev build log {name}` shows all of its output." if last else ""]
    return HeroError(code, message, hint="\n".join(line for line in hint if line))


def _last_lines(where: Where, build: Build) -> list[str]:
    """What the build printed last, where that can be had."""
    params = {"user": build["slot"], "build": build["id"], "lines": _LAST_LINES}
    try:
        with box_client(where) as client:
            lines = client.call("peek.logs", params)["lines"]
    except HeroError:
        return []
    return [shown(line["text"], colour=False) for line in lines]
