"""What the doctor's screen says: why its list is empty, who can mend a finding, what is asked before; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from backends.model.errors import HeroError
from screens.examination import Ill
from screens.widgets.cells import ago
from screens.widgets.celltext import clean, first_of
from screens.widgets.finding_model import SORTS, FindingFilters, FindingRow, Sort, counted
from screens.widgets.list_order import order_notes
from screens.widgets.no_answer import refusal

_OLD_SECONDS = 600


def list_title(rows: Sequence[FindingRow], going: str, sort: Sort, marks: Collection[str]) -> str:
    """Over the list: how many of each state, what is going on, the order, and how many are marked."""
    marked = sum(row.key in marks for row in rows)
    told = [going] if going else []
    told += order_notes(SORTS, sort, marked)
    return " · ".join(("doctor", *counted(rows), *told))


def looked_words(looked_at: datetime, now: datetime, key: str) -> str:
    """Under the list: how long ago it was looked; once that is long, `key` looks again."""
    age = (now - looked_at).total_seconds()
    # No seconds: each other title has the whole panel painted.
    told = f"looked {ago(looked_at, now) if age >= 60 else 'just now'}"
    return f"not up to date: {told}; {key} looks again" if age > _OLD_SECONDS else told


def empty_sentence(
    filters: FindingFilters, problem: HeroError | None, rows: Sequence[FindingRow], key: Callable[[str], str]
) -> str:
    """Why there is no line, and what to do."""
    if problem and not rows:
        return f"The doctor cannot look.\n{refusal(problem.message, problem.hint, key('doctor.again'))}"
    if not rows:
        return "Looking at the box and its slots…"
    if filters.only_wrong and not filters.text:
        return f"Nothing is wrong.\n\n{key('doctor.wrong')} shows all again."
    if filters.only_mendable and not filters.text:
        return f"Nothing is there that could be mended from here.\n\n{key('doctor.mendable')} shows all again."
    return f"Nothing matches.\n\n{key('app.back')} clears the filter."


def how_mended(row: FindingRow, key: str, *, read_only: bool) -> str:
    """Who can mend it."""
    finding = row.finding
    if finding is None or finding.state in ("ok", "skipped"):
        return ""
    if not finding.fixable:
        return "by hand: nothing here may do it" if finding.mend else ""
    if read_only:
        return "`hero_dev doctor --fix` does it; this cockpit is read-only"
    whole = f"{key} mends this, and all else that can be mended in {row.job.slot}'s slot"
    return whole if row.job.whole else f"{key} does it, as `hero_dev doctor --fix` would"


def mend_question(ill: Sequence[Ill]) -> tuple[str, list[str]]:
    """The question, and a line for each thing that will be done."""
    whole = sorted({one.job.slot for one in ill if one.job.whole})
    single = [one for one in ill if not one.job.whole]
    lines = [_line(one) for one in single]
    lines += [f"slot {slot}: all that its owner's process can mend" for slot in whole]
    count = len(single) + len(whole)
    one = clean(single[0].finding.title) if single else f"the slot of {clean(whole[0])}"
    told = "Nobody's work is touched; each mend is in the audit log."
    return f"Mend {one if count == 1 else f'{count} things'}?", [*first_of(lines), "", told]


def _line(ill: Ill) -> str:
    whose = f" · {ill.job.slot}" if ill.job.slot else ""
    return f"{clean(ill.finding.title)}{whose}: {clean(ill.finding.mend or ill.finding.what)}"


def copied(row: FindingRow) -> dict[str, str]:
    """What can be copied of it, by name."""
    finding = row.finding
    if finding is None:
        return {}
    return {"what mends it": finding.mend, "what was found": finding.what, "why it matters": finding.why}
