"""The commands of the `:` line: which there are, what they take, and how they are completed; pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from backends.model.errors import HeroError, nearest, unknown_name
from hero_tui.settings import THEMES
from screens.desk import FleetView
from screens.widgets.grid_layout import DENSITIES


@dataclass(frozen=True, slots=True)
class Command:
    """A word, what its arguments are (each a kind that can be completed; `…` may repeat), and what it does."""

    name: str
    takes: tuple[str, ...]
    help: str
    least: int = 0


COMMANDS: tuple[Command, ...] = (
    Command("fleet", (), "everybody's services"),
    Command("slot", ("user",), "one slot in detail"),
    Command("peek", ("user",), "somebody's slot, read-only", 1),
    Command("logs", ("service", "…"), "logs of services, merged"),
    Command("builds", ("service",), "the queue of builds, and what went through it"),
    Command("releases", ("service",), "what is published of a service", 1),
    Command("agents", (), "everybody's agents"),
    Command("agent", ("service",), "start an agent in my slot"),
    Command("inbox", (), "questions and messages for me"),
    Command("tell", ("receiver", "…"), "say something to a person, or to an agent like alice/3", 2),
    Command("switch", ("service", "branch"), "run another branch or release", 1),
    Command("restart", ("service", "…"), "restart services", 1),
    Command("start", ("service", "…"), "start services, or the whole slot"),
    Command("stop", ("service", "…"), "stop services", 1),
    Command("build", ("service",), "build the worktree and run it", 1),
    Command("pull", ("service",), "the newest release of the branch", 1),
    Command("cancel", (), "cancel what was begun last"),
    Command("faults", (), "only what is broken"),
    Command("mine", (), "only my slot"),
    Command("manifest", (), "read my manifest"),
    Command("edit", (), "edit my manifest"),
    Command("theme", ("theme",), "hero-dark or hero-light"),
    Command("density", ("density",), "auto, full, compact or heat"),
    Command("refresh", (), "ask the box for everything again"),
    Command("help", (), "the keys that work here"),
    Command("q", (), "quit"),
)
_BY_NAME = {command.name: command for command in COMMANDS} | {
    "quit": Command("q", (), "quit"),
    "q!": Command("q", (), "quit"),
    "rebuild": Command("build", ("service",), "build the worktree and run it", 1),
}


def parse(line: str) -> tuple[Command, list[str]]:
    """The command and its arguments. Raises HeroError `usage` or `not_found` with what was meant."""
    try:
        words = shlex.split(line.strip().lstrip(":"))
    except ValueError:
        raise HeroError("usage", f"A quote is not closed in `{line}`.") from None
    if not words:
        raise HeroError("usage", "There is no command.", hint="tab completes; ? shows the keys.")
    command = _BY_NAME.get(words[0])
    if command is None:
        close = nearest(words[0], [one.name for one in COMMANDS])
        hint = f"Did you mean :{close[0]}?" if close else "tab shows what there is."
        raise HeroError("not_found", f"There is no command :{words[0]}.", hint=hint)
    arguments = words[1:]
    if len(arguments) < command.least:
        missing = command.takes[len(arguments)].replace("…", "text")
        raise HeroError("usage", f":{command.name} needs a {missing}.", hint=usage(command))
    if "…" not in command.takes and len(arguments) > len(command.takes):
        raise HeroError("usage", f":{command.name} takes no {arguments[-1]!r}.", hint=usage(command))
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
    raise unknown_name(kind, name, everything)


def completer(fleet: Callable[[], FleetView]) -> Callable[[str], Sequence[str]]:
    """For the command line: from what is typed to whole lines."""
    return lambda text: complete(text, fleet())


def complete(text: str, fleet: FleetView) -> list[str]:
    """Lines that `text` may become, the commands first in their own order."""
    before, _, last = text.lstrip(":").rpartition(" ")
    words = before.split()
    if not words:
        return [command.name for command in COMMANDS if command.name.startswith(last)]
    command = _BY_NAME.get(words[0])
    if command is None:
        return []
    place = len(words) - 1
    kind = command.takes[place] if place < len(command.takes) else ""
    if kind in ("…", "") and "…" in command.takes:
        kind = command.takes[0]
    names = [name for name in _names(kind, words, fleet) if name not in words[1:]]
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
        case "theme":
            return list(THEMES)
        case "density":
            return ["auto", *DENSITIES]
    return []
