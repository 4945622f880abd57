"""`hero_dev logs`: what services said, of one or several, merged by time; `-f` goes on as they say more."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from backends.model.durations import parse_seconds
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.logs import LogPrinter, shown
from hero_tui.verbs.exits import DONE
from hero_tui.verbs.session import Session, slot_client

_LINES = 100
_LINES_SINCE = 10_000

Line = Mapping[str, Any]


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("services", metavar="SERVICE", nargs="*", help="default: all of the slot")
    parser.add_argument("--build", metavar="ID", help="the output of a build instead")
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which lines; `peek --logs` takes the same."""
    parser.add_argument("-f", "--follow", action="store_true", help="go on as more is said; ctrl-c ends it")
    parser.add_argument("-n", "--lines", type=_count, metavar="N", help=f"the last N lines (default: {_LINES})")
    parser.add_argument(
        "--since", type=_moment, metavar="10m|TIME", help="from then on: an age, or 2026-11-20T10:00"
    )
    parser.add_argument("--grep", metavar="PATTERN", help="only lines with this regular expression, or this text")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Print them. Raises HeroError."""
    if asked.build and asked.services:
        raise HeroError("usage", "--build goes without services: a build has a log of its own.")
    with slot_client(session.where()) as client:
        return print_logs(session, client, "slot.logs", params(asked), asked.services, follow=asked.follow)


def params(asked: argparse.Namespace) -> dict[str, Any]:
    """What the options ask the daemon for."""
    named = {
        "services": asked.services,
        "build": getattr(asked, "build", None),
        "since": asked.since,
        "grep": asked.grep,
        "follow": asked.follow,
    }
    lines = asked.lines if asked.lines is not None else _LINES_SINCE if asked.since else _LINES
    return {"lines": lines, **{name: value for name, value in named.items() if value not in (None, "", [], False)}}


def print_logs(
    session: Session, client: SyncClient, method: str, asked: dict[str, Any], services: list[str], *, follow: bool
) -> int:
    """The lines that are there, and with `follow` those that come, until ctrl-c. Raises HeroError."""
    named = len(services) != 1 and "build" not in asked
    printer = LogPrinter(session.terminal(), services, named=named)
    answer = client.call(method, asked)
    print_lines(session, printer, answer["lines"])
    if not follow:
        return DONE
    gc.enable()  # from here on it may run for days
    try:
        for lines in _following(client, answer["stream"]):
            print_lines(session, printer, lines)
    except KeyboardInterrupt:
        return DONE
    return DONE


def _following(client: SyncClient, stream: str) -> Iterator[list[Line]]:
    for note in client.notifications():
        if note.method == "log" and note.params.get("stream") == stream:
            yield lines_of(note.params)


def lines_of(told: Mapping[str, Any]) -> list[Line]:
    """The lines of a `log` notification. Raises HeroError where it says that the stream broke."""
    if error := told.get("error"):
        raise HeroError("failed", str(error), hint="Run it again.")
    return list(told["lines"])


def print_lines(session: Session, printer: LogPrinter, lines: Iterable[Line]) -> None:
    """Print them now, each as text or as an object."""
    if session.json:
        import json

        for line in lines:
            print(json.dumps({**line, "text": shown(line["text"], colour=False)}))
    else:
        session.show(printer.lines(lines))
    sys.stdout.flush()


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 100000")
    return int(text)


def _moment(text: str) -> float:
    """Seconds since the epoch of `10m` (ago) or a date and time on this machine's clock."""
    try:
        return time.time() - parse_seconds(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither an age like 10m or 1h30m nor a time like 2026-11-20T10:00"
        ) from None
