"""Who and what stands in the team's list, in which state, and what the filters leave of it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from backends.model.problems import Problem
from backends.model.team_calls import TeamAction, TeamRun, TeamUser
from backends.model.team_files import UserFile
from screens.team_view import TeamLook
from screens.widgets.list_filters import ListFilters, matcher

Kind = Literal["reconciler", "file", "person"]
State = Literal[
    "well", "none", "running", "away", "stopped", "problem", "failed", "here", "new", "kept", "leaving",
    "archived", "disabled", "unlisted",
]  # fmt: skip
NEEDY: frozenset[State] = frozenset({"away", "stopped", "problem", "failed", "new", "leaving", "unlisted"})
"""States about which somebody should know, or do something."""

Sort = Literal["need", "name", "role", "uid"]
SORTS: tuple[Sort, ...] = ("need", "name", "role", "uid")
"""By what people can be sorted, the usual order first."""

_USERS = "users/"
_NO_UID = 1 << 32


@dataclass(frozen=True)
class TeamFilters(ListFilters):
    """What is left: what needs somebody."""

    SAYS = {"only_needy": "only problems"}  # noqa: RUF012

    only_needy: bool = False


@dataclass(frozen=True)
class TeamRow:
    """The reconciler, a file that cannot be used, or a person: what their file says, what there is of them."""

    kind: Kind
    name: str
    state: State
    file: UserFile | None = None
    known: TeamUser | None = None
    problems: tuple[Problem, ...] = ()
    actions: tuple[TeamAction, ...] = ()
    """What the last reconcile did, or could not do."""
    what: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.kind}:{self.name}"

    @property
    def path(self) -> str:
        """The file in the team repo that it is about."""
        return {"person": f"{_USERS}{self.name}.toml", "file": self.name}.get(self.kind, "")


def rows_of(look: TeamLook) -> list[TeamRow]:
    """The reconciler, files that cannot be used, then everybody by name."""
    known = {one.user: one for one in look.status.users} if look.status else {}
    last = look.status.last if look.status else None
    actions: dict[str, list[TeamAction]] = {}
    for action in last.actions if last else ():
        actions.setdefault(action.user, []).append(action)
    logins = sorted(_logins(look))
    people = [_person(login, look, known.get(login), tuple(actions.get(login, ()))) for login in logins]
    return [_reconciler(look), *_files(look), *people]


def ordered(rows: Iterable[TeamRow], sort: Sort) -> list[TeamRow]:
    """People by `sort`, below what is about everybody."""

    def place(row: TeamRow) -> tuple[bool, bool | int | str, str]:
        if row.kind != "person":
            return False, 0, ""
        uid = row.known.uid if row.known else _NO_UID
        figures: dict[Sort, bool | int | str] = {"need": row.state not in NEEDY, "role": role_of(row), "uid": uid}
        return True, figures.get(sort, 0), row.name

    return sorted(rows, key=place)


def role_of(row: TeamRow) -> str:
    """As the file says; without one, as the account was made."""
    return row.file.role if row.file else row.known.role if row.known else ""


def _logins(look: TeamLook) -> set[str]:
    stopped = {path.removeprefix(_USERS).removesuffix(".toml") for path in look.repo.stopped if _is_user(path)}
    known = {one.user for one in look.status.users} if look.status else set[str]()
    return {*look.repo.users, *stopped, *known, *(() if look.reconciled else look.slots)}


def _is_user(path: str) -> bool:
    return path.startswith(_USERS) and "/" not in path.removeprefix(_USERS)


def _files(look: TeamLook) -> list[TeamRow]:
    """What is wrong with files that are nobody's own."""
    names = dict.fromkeys(one.file for one in look.problems if not _is_user(one.file))
    rows = []
    for name in names:
        problems = tuple(one for one in look.problems if one.file == name)
        rows.append(TeamRow("file", name, "problem", problems=problems, what=_first(problems)))
    return rows


def _first(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    text = str(problems[0])
    return f"{text.removeprefix(problems[0].file).lstrip(':')}{more}"


def _reconciler(look: TeamLook) -> TeamRow:
    last = look.status.last if look.status else None
    if not look.reconciled:
        return TeamRow("reconciler", "reconciler", "none", what="a rootless box has none")
    if look.status is None:
        return TeamRow("reconciler", "reconciler", "away", what=look.trouble)
    if last and last.stopped:
        return TeamRow("reconciler", "reconciler", "stopped", what=last.stopped)
    state: State = "running" if look.status.running else "failed" if last and failed(last) else "well"
    return TeamRow("reconciler", "reconciler", state, what=summary(last) if last else "nothing was reconciled yet")


def failed(run: TeamRun) -> bool:
    """Whether something could not be done."""
    return any(action.ok is False for action in run.actions)


def summary(run: TeamRun) -> str:
    """How it went, in a line."""
    count, bad = len(run.actions), sum(action.ok is False for action in run.actions)
    parts = [f"{count} action{'' if count == 1 else 's'}" if count else "nothing to do"]
    parts += [f"{bad} failed"] if bad else []
    parts += [f"{len(run.problems)} problem{'' if len(run.problems) == 1 else 's'}"] if run.problems else []
    return ", ".join(parts)


def _person(login: str, look: TeamLook, known: TeamUser | None, actions: tuple[TeamAction, ...]) -> TeamRow:
    file = look.repo.users.get(login)
    problems = tuple(one for one in look.problems if one.file == f"{_USERS}{login}.toml")
    state = _state(login, look, file, known, actions)
    what = file.full_name if file else _NO_FILE.get(state, "")
    if problems:
        what = _first(problems)
    elif bad := next((one for one in actions if one.ok is False), None):
        what = f"could not {bad.sentence}: {bad.error}"
    return TeamRow("person", login, state, file, known, problems, actions, what)


_NO_FILE: dict[State, str] = {"leaving": "no file any more", "unlisted": "a slot, and no file in the team repo"}


def _state(
    login: str, look: TeamLook, file: UserFile | None, known: TeamUser | None, actions: Iterable[TeamAction]
) -> State:
    if look.repo.is_stopped(login):
        return "problem"
    if any(action.ok is False for action in actions):
        return "failed"
    if not look.reconciled:
        return _without_reconciler(login, look, file)
    if known is None:
        return "disabled" if file and not file.enabled else "new"
    if known.kept:
        return "kept"
    if known.phase == "archived":
        return "archived"
    if known.phase != "here":
        return "leaving"
    return "here" if file and file.enabled else "leaving"


def _without_reconciler(login: str, look: TeamLook, file: UserFile | None) -> State:
    there = login in look.slots
    if file is None:
        return "unlisted"
    if not file.enabled:
        return "leaving" if there else "disabled"
    return "here" if there else "new"


def filtered(rows: Iterable[TeamRow], filters: TeamFilters) -> list[TeamRow]:
    """What the filters leave."""
    matches = matcher(filters.text)

    def kept(row: TeamRow) -> bool:
        if filters.only_needy and row.state not in NEEDY:
            return False
        file = row.file
        told = (file.full_name, file.role, *file.groups, *file.ssh_keys) if file else ()
        return matches("\n".join((row.kind, row.name, row.state, row.what, *told)))

    return [row for row in rows if kept(row)]
