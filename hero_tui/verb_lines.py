"""Verbs of `hero_dev` on the cockpit's `:` line: which only look, which need a terminal, how to complete them."""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
from collections.abc import Mapping, Sequence

from backends.model.errors import HeroError
from hero_tui.verbs import VERBS
from screens.fleet_view import FleetView

ALWAYS = ("*",)

LOOKS: Mapping[str, tuple[str, ...]] = {
    "status": ALWAYS,
    "peek": ALWAYS,
    "logs": ALWAYS,
    "builds": ALWAYS,
    "build": ("show", "log"),
    "releases": ALWAYS,
    "gates": ALWAYS,
    "host": ALWAYS,
    "operations": ALWAYS,
    "agents": ALWAYS,
    "agent-log": ALWAYS,
    "inbox": ALWAYS,
    "claude": ("", "status"),
    "doctor": ALWAYS,
    "audit": ALWAYS,
    "hooks": ("", "status"),
    "box": ("status",),
    "team": ("plan", "status"),
    "clean": ALWAYS,
    "completion": ALWAYS,
    "web": ("", "status"),
}
"""Verbs that change nothing; where there are several in one, by its first word."""

_CHANGING_OPTIONS = frozenset({"--fix", "--rotate", "--confirm"})
_PLANNED = frozenset({"--plan", "--dry-run"})
_OWN_PLAN = frozenset({"agent"})
"""Verbs whose --plan is another thing than telling what would be done."""
_TALKS: Mapping[str, tuple[str, ...]] = {
    "agent-attach": ALWAYS,
    "login": ALWAYS,
    "mcp": ALWAYS,
    "secrets": ("edit",),
    "claude": ("login", "keys"),
    "web": ("passwd", "secret"),
}
"""Verbs that talk with a person at a terminal."""


def only_looks(words: Sequence[str]) -> bool:
    """Whether a line of `hero_dev`, its verb first, changes nothing."""
    verb, *rest = words
    if _PLANNED.intersection(rest) and verb not in _OWN_PLAN:
        return True
    return _is_listed(LOOKS, words) and not _CHANGING_OPTIONS.intersection(rest)


def needs_terminal(words: Sequence[str]) -> bool:
    """Whether it talks with a person at a terminal."""
    return _is_listed(_TALKS, words)


def _is_listed(table: Mapping[str, tuple[str, ...]], words: Sequence[str]) -> bool:
    listed = table.get(words[0], ())
    first = next((word for word in words[1:] if not word.startswith("-")), "")
    return listed == ALWAYS or first in listed


def check(words: Sequence[str]) -> None:
    """Raises HeroError `usage` where `hero_dev` would not understand the line; nothing is run for that."""
    from hero_tui.verbs import parsing

    # What asks for help or the version (`-qh` does, too) argparse answers at once, and then ends the program.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        parsing.parse(parsing.split(list(words)))


def complete(words: Sequence[str], last: str, fleet: FleetView) -> list[str]:
    """Words that `last` may become, after a verb and what follows it."""
    from hero_tui.verbs import parsing

    try:
        actions = parsing.parser_of(words[0])._actions
    except HeroError:
        return []
    if last.startswith("-"):
        names = [name for action in actions for name in action.option_strings if name.startswith("--")]
        return [name for name in names if name.startswith(last) and name not in words]
    known = _value_of_option(actions, words, fleet)
    if known is None:
        known = _positional(actions, words, fleet)
    named = [name for name in known if name not in words[1:]]
    starting = [name for name in named if name.startswith(last)]
    return starting + [name for name in named if last and last in name and name not in starting]


def _value_of_option(
    actions: Sequence[argparse.Action], words: Sequence[str], fleet: FleetView
) -> Sequence[str] | None:
    """What the option before may be given; None where there is none that takes something."""
    option = next((one for one in actions if words[-1] in one.option_strings), None)
    return None if option is None or option.nargs == 0 else _values(option, words, fleet)


def _positional(actions: Sequence[argparse.Action], words: Sequence[str], fleet: FleetView) -> Sequence[str]:
    places = [one for one in actions if not one.option_strings]
    with_value = {name for one in actions if one.nargs != 0 for name in one.option_strings}
    given = [
        word for before, word in itertools.pairwise(words) if not word.startswith("-") and before not in with_value
    ]
    if not places:
        return ()
    action = places[min(len(given), len(places) - 1)]
    many = action.nargs in ("*", "+")
    return _values(action, words, fleet) if many or len(given) < len(places) else ()


def _values(action: argparse.Action, words: Sequence[str], fleet: FleetView) -> Sequence[str]:
    if action.choices:
        return [str(one) for one in action.choices]
    if isinstance(action.metavar, str) and "|" in action.metavar and action.metavar.islower():
        return action.metavar.split("|")
    match action.dest:
        case "service" | "services" | "subject":
            return fleet.services()
        case "user" | "slot":
            return fleet.users()
        case "to":
            return [*fleet.users(), *(one.name for slot in fleet.slots.values() for one in slot.agents.values())]
        case "branch":
            cells = [slot.cells[word] for slot in fleet.slots.values() for word in words if word in slot.cells]
            return sorted({cell.branch for cell in cells})
        case "agent":
            return [one.id for slot in fleet.slots.values() for one in slot.agents.values()]
    return ()


def summary(verb: str) -> str:
    """What the verb does, in a line."""
    return VERBS[verb][1]
