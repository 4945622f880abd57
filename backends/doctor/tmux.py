"""Rules for tmux: its version, and the options of a running server that the cockpit needs; pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

LEAST = (3, 2)
LONGEST_ESCAPE = 50
"""Milliseconds that tmux may wait after an escape key."""
ESCAPE = "10"
_POOR = ("dumb", "linux", "ansi", "vt")
"""Beginnings of TERMs that have no such colours whatever tmux is told."""

_VERSION = re.compile(r"^tmux (?:next-|openbsd-)?(\d{1,4})\.(\d{1,4})")
_TERM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_OPTION = re.compile(r"^([a-z0-9-]+)(?:\[\d+\])?(?: (.*))?$")


@dataclass(frozen=True)
class Client:
    """A terminal that is attached: its TERM, and the features that tmux sees in it."""

    term: str
    features: frozenset[str]


def parse_version(text: str) -> tuple[int, int] | None:
    """`tmux 3.3a` → (3, 3); None for what is no version."""
    found = _VERSION.match(text.strip())
    return (int(found[1]), int(found[2])) if found else None


def parse_options(text: str) -> dict[str, list[str]]:
    """`tmux show-options`: each option's values, those of an array in their order."""
    options: dict[str, list[str]] = {}
    for line in text.splitlines():
        found = _OPTION.match(line)
        if found:
            options.setdefault(found[1], []).extend([_unquoted(found[2])] if found[2] else [])
    return options


def parse_clients(text: str) -> list[Client]:
    """`tmux list-clients -F '#{client_termname} #{client_termfeatures}'`."""
    words = [line.split(" ", 1) for line in text.splitlines() if line.strip()]
    return [Client(one[0], frozenset(one[1].split(",")) if len(one) > 1 else frozenset()) for one in words]


def milliseconds(options: dict[str, list[str]]) -> int | None:
    """`escape-time`; None where it is not told."""
    value = next(iter(options.get("escape-time", ())), "")
    return int(value) if value.isascii() and value.isdigit() else None


def without_true_colour(options: dict[str, list[str]], clients: Sequence[Client]) -> list[str]:
    """The TERMs of clients that get no 24-bit colours; with no client, "*" where nothing asks for them."""
    rules = _rules(options)
    if not clients:
        return [] if rules else ["*"]
    return [
        client.term
        for client in clients
        if "RGB" not in client.features and not any(fnmatchcase(client.term, pattern) for pattern in rules)
    ]


def colour_feature(terms: Sequence[str]) -> str:
    """The value of `terminal-features` by which `terms`, as above, get them; "" where none of them can."""
    if list(terms) == ["*"]:
        return ",*256col*:RGB"
    able = sorted({term for term in terms if _TERM.fullmatch(term) and not term.startswith(_POOR)})
    return "".join(f",{term}:RGB" for term in able)


def _rules(options: dict[str, list[str]]) -> list[str]:
    """The patterns of TERM for which an option turns 24-bit colours on."""
    values = [value for name in ("terminal-features", "terminal-overrides") for value in options.get(name, ())]
    entries = [entry.split(":") for value in values for entry in value.split(",") if entry]
    return [entry[0] for entry in entries if {"RGB", "Tc"} & set(entry[1:])]


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value
