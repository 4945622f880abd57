"""The `:` line: the cockpit's own commands and the verbs of `hero_dev`, how they are completed and read; pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from backends.model.errors import HeroError, nearest, unknown_name
from backends.model.inbox_calls import TEXT_LIMIT
from backends.model.text import safe_line
from hero_tui import verb_lines
from hero_tui.verbs import VERBS
from screens.fleet_view import FleetView
from screens.widgets.grid_layout import DENSITIES
from styles.themes import NAMES as THEMES


@dataclass(frozen=True, slots=True)
class Command:
    """A word, what its arguments are (each a kind that can be completed; `…` may repeat), and what it does."""

    name: str
    takes: tuple[str, ...]
    help: str
    least: int = 0
    read_only: bool = True


COMMANDS: tuple[Command, ...] = (
    Command("fleet", (), "everybody's services"),
    Command("slot", ("user",), "one slot in detail"),
    Command("peek", ("user",), "somebody's slot, read-only", 1),
    Command("logs", ("service", "…"), "logs of services, merged"),
    Command("builds", ("service",), "the queue of builds, and what went through it"),
    Command("releases", ("service",), "what is published of a service", 1),
    Command("agents", (), "everybody's agents"),
    Command("agent", ("service",), "start an agent in my slot", read_only=False),
    Command("inbox", (), "questions and messages for me"),
    Command("host", (), "the machine: who takes what of it, what takes the room"),
    Command("team", ("user",), "the people, and what the reconciler did"),
    Command("doctor", (), "what is wrong, and what mends it"),
    Command(
        "tell", ("receiver", "…"), "say something to a person, or to an agent like alice/3", 2, read_only=False
    ),
    Command("switch", ("service", "branch"), "run another branch or release", 1, read_only=False),
    Command("restart", ("service", "…"), "restart services", 1, read_only=False),
    Command("start", ("service", "…"), "start services, or the whole slot", read_only=False),
    Command("stop", ("service", "…"), "stop services", 1, read_only=False),
    Command("build", ("service",), "build the worktree and run it", 1, read_only=False),
    Command("pull", ("service",), "the newest release of the branch", 1, read_only=False),
    Command("cancel", (), "cancel what was begun last", read_only=False),
    Command("faults", (), "only what is broken"),
    Command("mine", (), "only my slot"),
    Command("manifest", (), "read my manifest"),
    Command("edit", (), "edit my manifest", read_only=False),
    Command("theme", ("theme",), "another theme, or the next one"),
    Command("settings", (), "theme, keys and everything else that can be set"),
    Command("readonly", ("switch",), "only look from now on; `off` ends that"),
    Command("results", (), "what the commands of this line printed"),
    Command("keymap", (), "every action with its keys, to change them"),
    Command("density", ("density",), "auto, full, compact or heat"),
    Command("refresh", (), "ask the box for everything again"),
    Command("help", (), "the keys that work here"),
    Command("q", (), "quit"),
)
_BY_NAME = {command.name: command for command in COMMANDS} | {
    "quit": Command("q", (), "quit"),
    "q!": Command("q", (), "quit"),
    "rebuild": Command("build", ("service",), "build the worktree and run it", 1, read_only=False),
}


LONGEST = TEXT_LIMIT + 1000
"""Characters of a line: a message goes through. Taking words out of a much longer one takes many seconds."""
_SHOWN = 60
"""Characters of what was typed that are told."""
_PARTS = {"team": ("plan", "apply", "status", "restore", "accept")}
"""Words after a command that only the verb of its name knows."""


def words_of(line: str) -> list[str]:
    """The words of a line. Raises HeroError `usage` where it is too long, a quote is open, or nothing is there."""
    if len(line) > LONGEST:
        raise HeroError("usage", f"A command has {LONGEST:,} characters at most, and this one {len(line):,}.")
    try:
        words = shlex.split(line.strip().lstrip(":"))
    except ValueError:
        raise HeroError("usage", f"A quote is not closed in `{safe_line(line, _SHOWN)}`.") from None
    if not words:
        raise HeroError("usage", "There is no command.", hint="tab completes; ? shows the keys.")
    return words


def verb_words(words: Sequence[str]) -> list[str] | None:
    """What `hero_dev` is to carry out: its own verbs, anything after `!`, and what has options; else None.

    The cockpit's commands take no options, so that `:restart --plan hero_db` can only mean the verb.
    """
    first, *rest = words
    if first.startswith("!"):
        return [first[1:], *rest] if len(first) > 1 else list(rest) or None
    own = first in _BY_NAME and not any(word.startswith("-") for word in rest)
    if own and (not rest or rest[0] not in _PARTS.get(first, ())):
        return None
    return list(words) if first in VERBS else None


def parse(line: str) -> tuple[Command, list[str]]:
    """The command and its arguments. Raises HeroError `usage` or `not_found` with what was meant."""
    words = words_of(line)
    command = _BY_NAME.get(words[0])
    if command is None:
        close = nearest(words[0][:_SHOWN], [*(one.name for one in COMMANDS), *VERBS])
        hint = f"Did you mean :{close[0]}?" if close else "tab shows what there is."
        raise HeroError("not_found", f"There is no command :{safe_line(words[0], _SHOWN)}.", hint=hint)
    arguments = words[1:]
    if len(arguments) < command.least:
        missing = command.takes[len(arguments)].replace("…", "text")
        raise HeroError("usage", f":{command.name} needs a {missing}.", hint=usage(command))
    if "…" not in command.takes and len(arguments) > len(command.takes):
        raise HeroError(
            "usage", f":{command.name} takes no {safe_line(arguments[-1], _SHOWN)!r}.", hint=usage(command)
        )
    return command, arguments


def usage(command: Command) -> str:
    """`:switch SERVICE BRANCH`."""
    words = [word.upper() if word != "…" else "…" for word in command.takes]
    return " ".join((f":{command.name}", *words))


def known(kind: str, name: str, names: Iterable[str]) -> str:
    """`name` if it is one of `names`. Raises HeroError `not_found` with the nearest ones."""
    everything = list(names)
    if name in everything:
        return name
    raise unknown_name(kind, safe_line(name, _SHOWN), everything)


def offered(*, read_only: bool = False) -> dict[str, str]:
    """Every first word and what it does, the cockpit's own first; in a read-only cockpit those that only look."""
    own = {one.name: one.help for one in COMMANDS if one.read_only or not read_only}
    hidden = {one.name for one in COMMANDS}
    verbs = {
        verb: summary
        for verb, (_, summary) in VERBS.items()
        if verb not in hidden and (not read_only or verb in verb_lines.LOOKS)
    }
    return own | verbs


def stands_alone(name: str) -> bool:
    """Whether the first word can be the whole line."""
    if name in _BY_NAME:
        return not _BY_NAME[name].least
    return name in _WHOLE


_WHOLE = frozenset({"status", "gates", "operations", "audit", "hooks", "sync", "agents"})
"""Verbs that say something by themselves."""


def completer(
    fleet: Callable[[], FleetView], *, read_only: bool = False, themes: Sequence[str] = THEMES
) -> Callable[[str], Sequence[str]]:
    """For the command line: from what is typed to whole lines."""
    return lambda text: complete(text, fleet(), read_only=read_only, themes=themes)


def complete(text: str, fleet: FleetView, *, read_only: bool = False, themes: Sequence[str] = THEMES) -> list[str]:
    """Lines that `text` may become, the commands first in their own order; `themes` are all that there are."""
    if len(text) > LONGEST:
        return []
    before, _, last = text.lstrip(":").rpartition(" ")
    words = before.split()
    if not words:
        mark = "!" if last.startswith("!") else ""
        first = offered(read_only=read_only) if not mark else VERBS
        return [mark + name for name in first if name.startswith(last.removeprefix("!"))]
    verb = verb_words([*words, last] if last else words)
    if verb is not None and verb[0] in VERBS:
        offers = verb_lines.complete([verb[0], *words[1:]], last, fleet)
        return [f"{before} {name}" for name in offers]
    command = _BY_NAME.get(words[0])
    if command is None or (read_only and not command.read_only):
        return []
    place = len(words) - 1
    kind = command.takes[place] if place < len(command.takes) else ""
    if kind in ("…", "") and "…" in command.takes:
        kind = command.takes[0]
    known = themes if kind == "theme" else _names(kind, words, fleet)
    names = [name for name in known if name not in words[1:]]
    starting = [name for name in names if name.startswith(last)]
    containing = [name for name in names if last and last in name and name not in starting]
    return [f"{before} {name}" for name in (*starting, *containing)]


def _names(kind: str, words: Sequence[str], fleet: FleetView) -> list[str]:
    match kind:
        case "user":
            return fleet.users()
        case "service":
            return fleet.services()
        case "receiver" if len(words) == 1:
            agents = [agent.name for slot in fleet.slots.values() for agent in slot.agents.values()]
            return [*fleet.users(), *agents]
        case "branch" if len(words) > 1:
            bound = {slot.cells[words[1]].branch for slot in fleet.slots.values() if words[1] in slot.cells}
            return sorted(bound)
        case "switch":
            return ["on", "off"]
        case "density":
            return ["auto", *DENSITIES]
    return []
