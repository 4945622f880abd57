"""Which findings the doctor's list shows and in which order, while some checks are still being made; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from backends.model.health_report import HealthFinding, HealthState
from screens.examination import Ill, Job, Looked
from screens.widgets.list_filters import ListFilters, matcher

RowState = Literal["ok", "warn", "bad", "skipped", "waiting"]

COUNTED: tuple[tuple[HealthState, str], ...] = (
    ("bad", "bad"),
    ("warn", "to look at"),
    ("ok", "well"),
    ("skipped", "skipped"),
)
"""How many there are of each state, in these words."""

Sort = Literal["checks", "area", "slot"]
SORTS: tuple[Sort, ...] = ("checks", "area", "slot")
"""By what findings can be sorted; the first is the order in which the checks are made."""


@dataclass(frozen=True)
class FindingFilters(ListFilters):
    """What is left: what is wrong, what can be mended here, what is about one slot."""

    SAYS = {  # noqa: RUF012
        "only_wrong": "only what is wrong",
        "only_mendable": "only what can be mended",
        "only_slot": "mine only",
    }

    only_wrong: bool = False
    only_mendable: bool = False
    only_slot: str = ""


@dataclass(frozen=True)
class FindingRow:
    """One finding of `job`, its `number` among that check's; without one, the check is not done yet.

    `again`: it is of the examination before, and is being looked at anew. `heads`: the first of its area.
    """

    job: Job
    finding: HealthFinding | None = None
    number: int = 0
    again: bool = False
    heads: bool = False

    @property
    def key(self) -> str:
        """What tells it from all others, while it is looked at and after."""
        return "\0".join((*self.job.key, str(self.number)))

    @property
    def state(self) -> RowState:
        """As it was found; `waiting` before."""
        return self.finding.state if self.finding else "waiting"

    @property
    def title(self) -> str:
        """What is looked at."""
        return self.finding.title if self.finding else self.job.title

    @property
    def mendable(self) -> bool:
        """Whether this caller can have it mended."""
        return self.finding is not None and self.finding.fixable

    @property
    def ill(self) -> Ill | None:
        """What there is to mend."""
        return Ill(self.job, self.finding) if self.finding and self.finding.fixable else None


def rows_of(
    jobs: Sequence[Job], found: Mapping[tuple[str, str], Looked], stale: Collection[tuple[str, str]]
) -> list[FindingRow]:
    """A row a finding, in the order of the checks; one for each check that is not done."""
    rows: list[FindingRow] = []
    for job in jobs:
        looked = found.get(job.key)
        again = job.key in stale
        if looked is None:
            rows.append(FindingRow(job))
            continue
        # A check that finds nothing to say has been made all the same; it has no line.
        rows += [FindingRow(job, one, number, again) for number, one in enumerate(looked.findings)]
    return rows


def ordered(rows: Iterable[FindingRow], sort: Sort) -> list[FindingRow]:
    """By area, or whose slot it is, the box before the slots; what is alike, as the checks are made."""
    if sort == "area":
        return sorted(rows, key=lambda row: (row.job.area.casefold(), row.job.slot))
    return sorted(rows, key=lambda row: row.job.slot) if sort == "slot" else list(rows)


def filtered(rows: Iterable[FindingRow], filters: FindingFilters) -> list[FindingRow]:
    """What the filters leave, the first of each area marked as such."""
    matches = matcher(filters.text)

    def kept(row: FindingRow) -> bool:
        if filters.only_wrong and row.state in ("ok", "skipped"):
            return False
        if filters.only_mendable and not row.mendable:
            return False
        if filters.only_slot and row.job.slot not in ("", filters.only_slot):
            return False
        finding = row.finding
        told = (finding.what, finding.mend, finding.id) if finding else ()
        return matches("\n".join((row.job.area, row.job.slot, row.title, row.state, *told)))

    left = [row for row in rows if kept(row)]
    heads = [area_of(row) for row in left]
    return [
        FindingRow(
            row.job, row.finding, row.number, row.again, heads=not place or heads[place - 1] != heads[place]
        )
        for place, row in enumerate(left)
    ]


def area_of(row: FindingRow) -> str:
    """The heading that it stands under."""
    return f"{row.job.slot} · {row.job.area}" if row.job.slot else row.job.area


def counted(rows: Iterable[FindingRow]) -> list[str]:
    """`2 bad`, `1 to look at`, `40 well`."""
    states = [row.state for row in rows]
    return [f"{states.count(state)} {words}" for state, words in COUNTED if state in states]
