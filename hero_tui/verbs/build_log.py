"""`hero_dev build log`: what a build printed; `-f` waits for its begin, goes on with it, and ends when it ends."""

from __future__ import annotations

import argparse
import contextlib
import gc
from typing import Any

from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.logs import LogPrinter
from hero_tui.verbs.build import build_of
from hero_tui.verbs.build_wait import OPEN, Build, news_of
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.logs import lines_of, params, print_lines
from hero_tui.verbs.session import Session, box_client

_LOOK_SECONDS = 0.5
"""How often a build that has just begun is asked for its log."""
_QUIET_SECONDS = 0.5
"""After its end: lines that are on their way come within this time."""


def print_log(session: Session, asked: argparse.Namespace) -> int:
    """Print it. Raises HeroError."""
    asked.services, asked.build = [], asked.subject
    with box_client(session.where()) as client, contextlib.suppress(KeyboardInterrupt):
        if asked.follow:
            client.call("events.subscribe")
        build = build_of(client, asked.subject)
        answer, build = _open(client, build, {**params(asked), "user": build["slot"]})
        printer = LogPrinter(session.terminal(), [], named=False)
        print_lines(session, printer, answer["lines"])
        if asked.follow:
            gc.enable()  # it may take hours
            _follow(session, client, printer, answer["stream"], build)
    return DONE


def _open(client: SyncClient, build: Build, asked: dict[str, Any]) -> tuple[dict[str, Any], Build]:
    """The log's answer, and the build as it stands; a followed one that has no log yet is waited for."""
    while True:
        try:
            return client.call("peek.logs", asked), build
        except HeroError as error:
            if error.code != "not_found" or build["state"] not in OPEN:
                raise
            if not asked.get("follow"):
                raise HeroError(
                    "not_found",
                    f"The build {build['id']} is {build['state']} and has printed nothing yet.",
                    hint=f"`hero_dev build log {build['id']} -f` waits for it.",
                ) from None
        build = news_of(client, build["id"], _LOOK_SECONDS) or build


def _follow(session: Session, client: SyncClient, printer: LogPrinter, stream: str, build: Build) -> None:
    ended = build["state"] not in OPEN
    try:
        while True:
            note = next(client.notifications(timeout=_QUIET_SECONDS if ended else None))
            if note.method == "log" and note.params.get("stream") == stream:
                print_lines(session, printer, lines_of(note.params))
            elif note.method == "event" and (note.params.get("data") or {}).get("id") == build["id"]:
                kind, _, state = str(note.params.get("kind", "")).partition(".")
                ended = ended or (kind == "build" and state not in OPEN)
    except HeroError as error:
        if error.code != "timeout":
            raise
