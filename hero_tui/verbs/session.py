"""One run of `hero_dev`: which box and slot it means, how it answers."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from backends.client.locate import Where, locate
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from hero_tui.render.terminal import Terminal, terminal_of


class Session(NamedTuple):
    """The global options. A named tuple, because dataclasses would cost every start ten milliseconds."""

    box: str = ""
    slot: str = ""
    json: bool = False
    quiet: bool = False
    no_colour: bool = False

    def where(self) -> Where:
        """The box and the slot that are meant. Raises HeroError."""
        return locate(self.box, self.slot)

    def terminal(self) -> Terminal:
        """What standard output can show."""
        return terminal_of(sys.stdout, os.environ, no_colour=self.no_colour)

    def errors(self) -> Terminal:
        """What standard error can show."""
        return terminal_of(sys.stderr, os.environ, no_colour=self.no_colour)

    def show(self, lines: Iterable[str]) -> None:
        """Print what the verb was asked for."""
        text = "".join(f"{line}\n" for line in lines)
        print(text, end="")

    def confirm(self, lines: Iterable[str]) -> None:
        """Print what the verb did; not under -q."""
        if not self.quiet:
            self.show(lines)

    def answer(self, value: dict[str, Any]) -> None:
        """Print the JSON answer, escaped to ASCII so that nothing in it reaches a terminal as it is."""
        import json

        print(json.dumps(value, indent=2, ensure_ascii=True))


def session_of(asked: argparse.Namespace) -> Session:
    """The session that a parsed line asks for."""
    return Session(asked.box, asked.slot, asked.json, asked.quiet, asked.no_color)


def slot_client(where: Where, user: str = "") -> SyncClient:
    """A connection to the slot's daemon, started if need be. Raises HeroError.

    What starts a daemon is imported only where none answers: most runs find one.
    """
    try:
        return SyncClient(where.slot(user).rpc_socket)
    except HeroError as error:
        if error.code != "unreachable":
            raise
    from backends.client.blocking import connect_slot

    return connect_slot(where, user)


def box_client(where: Where) -> SyncClient:
    """A connection to the box's daemon; started, with all its slots, if it does not run. Raises HeroError."""
    try:
        return SyncClient(where.box.rpc_socket)
    except HeroError as error:
        if error.code != "unreachable":
            raise
    from hero_tui.verbs.box import bring_up

    return bring_up(where, lambda _: None)
