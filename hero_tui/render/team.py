"""What the reconciler did, would do and knows, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hero_tui.render.ages import age
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, wrap

Data = Mapping[str, Any]

_USERS = (
    Column("user", 0, 6, cut),
    Column("uid", 3),
    Column("state", 1, 1),
    Column("role", 2, 6, cut),
    Column("archive", 4, 12, cut),
    Column("secrets", 5, 12, cut),
)
_PHASES = {
    "here": ("healthy", "good"),
    "leaving": ("starting", "warn"),
    "packed": ("starting", "warn"),
    "archived": ("stopped", "dim"),
}


def run_lines(run: Data, terminal: Terminal, *, planned: bool) -> list[str]:
    """A reconcile, or with `planned` what one would do."""
    lines = [_headline(run, terminal, planned)]
    for action in run["actions"]:
        lines += _action(action, terminal)
    failures = [f": could not {clean(one['sentence'])}" for one in run["actions"] if one["ok"] is False]
    told = (problem for problem in run["problems"] if not any(each in clean(problem, 1000) for each in failures))
    return [*lines, *_problems(list(told), terminal)]


def status_lines(status: Data, terminal: Terminal, now: float) -> list[str]:
    """What is in force, the last run, everybody whom the reconciler made an account for."""
    commit = clean(status["commit"][:8]) or "nothing yet"
    lines = [f"{clean(status['repo'])} at {commit}{_on(status['branch'])}"]
    if status["candidate"]:
        lines.append(terminal.paint(f"not in force: {clean(status['candidate'][:8])}", "warn"))
    last = status["last"]
    if last:
        changes = len(last["actions"])
        what = f"{changes} action{'' if changes == 1 else 's'}" if changes else "nothing to do"
        lines.append(f"last run {age(last['started_at'], now)} ago: {what}, {last['seconds']:.1f} s")
    if status["running"]:
        lines.append("a run is going")
    if status["users"]:
        lines += ["", *table(_USERS, [_user(one, terminal) for one in status["users"]], terminal)]
    problems = _problems(last["problems"] if last else [], terminal)
    return [*lines, *([""] if problems else []), *problems]


def problem_lines(problems: Sequence[str], users: Sequence[str], terminal: Terminal) -> list[str]:
    """What is wrong with a checkout of the team repo."""
    if problems:
        return _problems(problems, terminal)
    count = f"{len(users)} user{'' if len(users) == 1 else 's'}"
    return [f"{terminal.paint(terminal.signs.good, 'good')} nothing is wrong; {count}"]


def _headline(run: Data, terminal: Terminal, planned: bool) -> str:
    commit = clean(run["commit"][:8])
    if run["stopped"]:
        return terminal.paint(f"{terminal.signs.bad} nothing was applied", "bad")
    moved = f" (was {clean(run['moved_from'][:8])})" if run["moved_from"] else ""
    count = len(run["actions"])
    what = f"{count} action{'' if count == 1 else 's'}" if count else "nothing to do"
    took = "" if planned else f", {run['seconds']:.1f} s"
    return f"{'would follow' if planned else 'at'} {commit}{moved}: {what}{took}"


def _action(action: Data, terminal: Terminal) -> list[str]:
    sign, style = {True: (terminal.signs.good, "good"), False: (terminal.signs.bad, "bad")}.get(
        action["ok"], (terminal.signs.dot, "dim")
    )
    text = f"{clean(action['sentence'])}{': ' + clean(action['error']) if action['error'] else ''}"
    first, *rest = wrap(text, terminal.width and max(terminal.width - 4, 20))
    return [f"  {terminal.paint(sign, style)} {first}", *(f"    {line}" for line in rest)]


def _problems(problems: Sequence[str], terminal: Terminal) -> list[str]:
    sign = terminal.signs.health["unhealthy"]
    lines: list[str] = []
    for problem in problems:
        lines += [
            terminal.paint(one, "warn") for one in wrap(f"{sign} {clean(problem, 1000)}", terminal.width, "  ")
        ]
    return lines


def _user(one: Data, terminal: Terminal) -> tuple[Cell, ...]:
    health, style = _PHASES.get(one["phase"], ("unknown", "warn"))
    sign = terminal.signs.health[health]
    kept = ", kept by hand" if one["kept"] else ""
    return (
        Cell(clean(one["user"]), "bold"),
        Cell(str(one["uid"])),
        Cell(f"{sign} {clean(one['phase'])}{kept}", style, sign),
        Cell(clean(one["role"])),
        Cell(clean(one["archive"]), "dim"),
        Cell(clean(one["secrets"]), "dim"),
    )


def _on(branch: str) -> str:
    return f" on {clean(branch)}" if branch else ""
