"""What stands in the columns of a list of commits; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len

from backends.model.forge import CommitInfo
from screens.widgets.build_cells import Column
from screens.widgets.celltext import clean, coarse_age, fit, fit_right
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part

_AUTHOR_MOST = 20
_MEASURED = 200


@dataclass(frozen=True, slots=True)
class CommitTable:
    """Commits as rows at `now`."""

    now: datetime
    glyphs: Glyphs = UNICODE

    def key(self, row: CommitInfo) -> str:
        """Its hash."""
        return row.commit

    def marked(self, row: CommitInfo) -> bool:
        """Commits bear no marks."""
        return False

    def columns(self, rows: Sequence[CommitInfo], room: int) -> list[Column]:
        """The subject takes what the others leave."""
        author = max([6, *(cell_len(clean(row.author)) for row in rows[:_MEASURED])])
        fixed = [
            Column("commit", "commit", 8),
            Column("author", "author", min(author, _AUTHOR_MOST, max(6, room // 5))),
            Column("age", "age", 3),
        ]
        used = sum(column.width + 1 for column in fixed)
        return [*fixed, Column("subject", "subject", max(4, room - used))]

    def parts(self, row: CommitInfo, column: Column) -> Sequence[Part]:
        """One cell."""
        match column.name:
            case "commit":
                return ((fit(row.commit[:8], column.width), "list--tag"),)
            case "author":
                return ((fit(row.author, column.width), "list--text"),)
            case "age":
                age = coarse_age((self.now - row.time).total_seconds()) if row.time else ""
                return ((fit_right(age, column.width), "list--quiet"),)
        return ((fit(row.subject, column.width), "list--name"),)
