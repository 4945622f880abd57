"""What the team's screen says in sentences: its titles, its empty states; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from backends.model.errors import HeroError
from backends.model.team_calls import TeamDiff, TeamRun
from screens.team_view import TeamLook
from screens.widgets.celltext import clean, duration
from screens.widgets.list_order import order_notes
from screens.widgets.no_answer import outdated, refusal
from screens.widgets.team_diff import diff_lines
from screens.widgets.team_model import NEEDY, SORTS, Sort, TeamFilters, TeamRow
from screens.widgets.team_text import run_lines
from screens.widgets.textpane import Line

View = Literal["about", "plan", "diff"]
"""What the pane shows of the row under the cursor."""


def titles(
    rows: Sequence[TeamRow],
    look: TeamLook | None,
    looked_at: datetime | None,
    trouble: str,
    now: datetime,
    *,
    sort: Sort,
    marked: int,
) -> tuple[str, str]:
    """Over and under the list; `trouble` is why there is no newer look."""
    people = sum(row.kind == "person" for row in rows)
    needy = sum(row.state in NEEDY for row in rows)
    told = [f"{people} {'person' if people == 1 else 'people'}"] if look else []
    told += [f"{needy} to look at"] if needy else []
    told += order_notes(SORTS, sort, marked)
    title = " · ".join(("team", *told))
    if trouble and looked_at:
        return title, outdated(looked_at, now, trouble)
    status = look.status if look else None
    return title, f"at {status.commit[:8]}" if status and status.commit else ""


def empty_sentence(
    problem: HeroError | None, look: TeamLook | None, filters: TeamFilters, key: Callable[[str], str]
) -> str:
    """Why there is nobody in the list, and what to do."""
    if problem and look is None:
        return refusal(problem.message, problem.hint, key("app.refresh"))
    if look is None:
        return "Reading the team repo…"
    if filters.only_needy and not filters.text:
        return f"Nothing needs anybody.\n\n{key('team.wrong')} shows all again."
    return f"Nothing matches.\n\n{key('app.back')} clears the filter."


def asked_lines(
    view: View,
    answer: TeamRun | TeamDiff | HeroError | None,
    users: Sequence[str],
    now: datetime,
    asked_at: datetime | None,
) -> Sequence[Line]:
    """The plan or the diff of these people, none: of everybody; or what has become of the question."""
    match answer:
        case TeamRun() as run:
            return run_lines(run, now, planned=True, users=users)
        case TeamDiff() as diff:
            return diff_lines(diff, users)
        case HeroError() as error:
            return [((clean(error.message), "bad"),), ((clean(error.hint), "quiet"),)]
    since = duration((now - asked_at).total_seconds()) if asked_at else ""
    what = "looks at every account" if view == "diff" else "works out what it would do"
    return [((f"The reconciler {what}… {since}", "text"),), (), (("Nothing is changed by that.", "quiet"),)]
