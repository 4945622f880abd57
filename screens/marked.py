"""A list of which several rows can be marked, so that a key does something to all of them at once."""

from __future__ import annotations

from collections.abc import Sequence

from screens.desk import Desk
from screens.filtered import F, FilteredScreen
from screens.widgets.linelist import Row


class MarkedScreen(FilteredScreen[F, Row]):
    """A screen takes in its rows by `take` and has its table show `_marks`.

    Marks outlive filters and a visit elsewhere, never their rows.
    """

    KEPT = (*FilteredScreen.KEPT, "_marks")

    def __init__(self, desk: Desk, filters: F) -> None:
        super().__init__(desk, filters)
        self._rows: Sequence[Row] = ()
        self._marks: frozenset[str] = frozenset()

    def take(self, rows: Sequence[Row], *, known: bool = True) -> None:
        """These are all, with those that filters leave out; none has left before it is `known` which there are."""
        self._rows = rows
        if self._marks and known:
            self._marks = self._marks.intersection(map(self.list.key_of, rows))

    @property
    def marked(self) -> Sequence[Row]:
        """All that are marked, with those that the filters leave out."""
        if not self._marks:
            return ()
        key_of = self.list.key_of  # it is looked for among the widgets each time
        return [row for row in self._rows if key_of(row) in self._marks]

    @property
    def meant(self) -> Sequence[Row]:
        """All that are marked, else the one under the cursor."""
        return self.marked or ([self.row] if self.row else ())

    def mark(self) -> None:
        """Mark what is under the cursor or take its mark back, and go on."""
        if self.row:
            self._marks ^= {self.list.key_of(self.row)}
            self.show_rows()
            self.list.action_move(1)

    def unmark(self) -> None:
        """Take all marks back."""
        self._marks = frozenset()
        self.show_rows()

    def clear(self) -> bool:
        """Esc takes back the filters, then the marks."""
        if super().clear():
            return True
        if not self._marks:
            return False
        self.unmark()
        return True
