"""The fleet grid's rows, columns and cells, and what narrows them: plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from screens.widgets.list_filters import ListFilters


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A service."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class GridRow:
    """A user's slot. `tag` is the credential column, `short_tag` its spelling on a narrow screen.

    `tag_state`: whether it is `expiring` or `cooling`. `agents` counts the live ones, `agents_state` is the state
    that matters most among them. A `stale` row is drawn as possibly out of date. `problems` counts what the slot
    says is wrong with itself, `waits` what of it waits for the person at the keyboard. A row that `leads` comes
    first among those of its box. A `head` stands over `members` rows, which are hidden while it is `folded`.
    """

    key: str
    title: str
    pinned: bool = False
    tag: str = ""
    stale: bool = False
    short_tag: str = ""
    tag_state: str = ""
    agents: int = 0
    agents_state: str = ""
    waits: int = 0
    problems: int = 0
    role: str = ""
    box: str = ""
    leads: bool = False
    head: bool = False
    folded: bool = False
    members: int = 0


@dataclass(frozen=True, slots=True)
class GridCell:
    """One binding at a glance. `progress` (0 to 1, None where unknown) counts only while `busy` says what runs.

    A `marked` one has been chosen together with others. A `summary` stands for all of its column under a head.
    """

    branch: str = ""
    hash8: str = ""
    source: str = ""
    drift: str = ""
    health: str = "unknown"
    build: str = ""
    age_text: str = ""
    busy: str | None = None
    progress: float | None = None
    marked: bool = False
    summary: bool = False

    @property
    def faulty(self) -> bool:
        """True where a person should look: unhealthy, crashed, missing, or its build failed."""
        return self.health in ("unhealthy", "crashed") or self.drift == "missing" or self.build == "failed"


class GridSource(Protocol):
    """Who knows more cells than a screen shows. All answers are of now, whatever was told of them before."""

    def cell(self, row_key: str, column_key: str, /) -> GridCell | None:
        """How the binding there looks; None where nothing is bound."""

    def faults(self, row_key: str, /) -> int:
        """How many of the row's cells are faulty."""

    def states(self, row_keys: Sequence[str], column_key: str, /) -> Sequence[str]:
        """How these rows' cells in one column are, each as `grid_order.state_of` has it."""


@dataclass(frozen=True)
class Filters(ListFilters):
    """What is left out. `text` keeps matching users or services, `!text` drops them; words add up.

    With `mine` only the row with this key is left, and the pinned ones.
    """

    SAYS: ClassVar[Mapping[str, str]] = {
        "only_faults": "faults only",
        "only_waiting": "waiting only",
        "mine": "mine only",
    }

    only_faults: bool = False
    only_waiting: bool = False
    mine: str = ""


@dataclass(frozen=True, slots=True)
class GridView:
    """The rows and columns that are shown, pinned rows first."""

    rows: tuple[GridRow, ...] = ()
    columns: tuple[GridColumn, ...] = ()
    pinned: int = 0
    row_at: dict[str, int] = field(default_factory=dict)
    column_at: dict[str, int] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    """By row the key of the head that it stands under, hidden rows too."""
