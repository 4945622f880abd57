"""What the picker lists: items as they arrive, ranked by the query, in sections, one of them highlighted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from screens.widgets.celltext import clean, fit
from screens.widgets.fuzzy import Match, match

_IN_TEXT = 24  # a match in the text alone is worth more than one that needs the detail


@dataclass(frozen=True, slots=True)
class PickerItem:
    """Something to choose: `text` and, quieter, `detail` are searched; `note` stands at the right.

    All of an item that is `off` is quiet: choosing it does nothing.
    """

    key: str
    text: str
    detail: str = ""
    note: str = ""
    section: str = ""
    off: bool = False


def in_columns(items: Sequence[PickerItem]) -> list[PickerItem]:
    """The same items, their details one under the other."""
    wide = max((cell_len(clean(item.text)) for item in items), default=0)
    return [replace(item, text=fit(item.text, wide)) for item in items]


@dataclass(frozen=True, slots=True)
class PickerRow:
    """A line of the list: a section's title (no item), or an item with the spans of `text` that matched."""

    section: str
    item: PickerItem | None = None
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Hit:
    place: int
    item: PickerItem
    found: Match


class PickerModel:
    """Items in the order of arrival; `rows` is what the query leaves, best first within its section."""

    def __init__(self, sections: Sequence[str] = ()) -> None:
        self.rows: list[PickerRow] = []
        self.highlighted: str | None = None
        self.query = ""
        self._sections = list(sections)
        self._items: dict[str, PickerItem] = {}
        self._places: dict[str, int] = {}
        self._hits: list[_Hit] = []

    @property
    def total(self) -> int:
        """How many items have arrived."""
        return len(self._items)

    @property
    def matching(self) -> int:
        """How many of them match."""
        return len(self._hits)

    @property
    def item(self) -> PickerItem | None:
        """The highlighted item."""
        return None if self.highlighted is None else self._items.get(self.highlighted)

    def add(self, items: Iterable[PickerItem]) -> None:
        """Take more items in, or newer versions by key; the highlighted one stays highlighted."""
        fresh = {item.key: item for item in items}
        if not fresh.keys().isdisjoint(self._items):
            self._hits = [hit for hit in self._hits if hit.item.key not in fresh]
        self._items.update(fresh)
        for item in fresh.values():
            self._places.setdefault(item.key, len(self._places))
            if item.section not in self._sections:
                self._sections.append(item.section)
            if hit := self._match(item):
                self._hits.append(hit)
        self._arrange()

    def clear(self) -> None:
        """Forget all items; the query stays."""
        self._items, self._places, self._hits = {}, {}, []
        self._arrange()

    def search(self, query: str) -> None:
        """Rank by another query and highlight its best match."""
        narrower = bool(self.query) and query.startswith(self.query)
        candidates = [hit.item for hit in self._hits] if narrower else list(self._items.values())
        self.query = query
        self._hits = [hit for item in candidates if (hit := self._match(item))]
        best = max(self._hits, key=lambda hit: (hit.found.score, -hit.place), default=None)
        self.highlighted = best.item.key if best and query.strip() else None
        self._arrange()

    def _match(self, item: PickerItem) -> _Hit | None:
        text = clean(item.text)
        found = match(self.query, text)
        if found is not None:
            found = Match(found.score + _IN_TEXT, found.spans)
        else:
            found = match(self.query, f"{text} {clean(item.detail)}")
        return _Hit(self._places[item.key], item, found) if found else None

    def _arrange(self) -> None:
        by_section: dict[str, list[_Hit]] = {}
        for hit in self._hits:
            by_section.setdefault(hit.item.section, []).append(hit)
        self.rows = []
        for section in self._sections:
            hits = by_section.get(section, [])
            if hits and section:
                self.rows.append(PickerRow(section))
            for hit in sorted(hits, key=lambda hit: (-hit.found.score, hit.place)):
                self.rows.append(PickerRow(section, hit.item, hit.found.spans))
        if self.position is None:
            self.highlighted = next((row.item.key for row in self.rows if row.item), None)

    @property
    def position(self) -> int | None:
        """The row of the highlighted item, None if it is not listed."""
        if self.highlighted is None:
            return None
        rows = enumerate(self.rows)
        return next((place for place, row in rows if row.item and row.item.key == self.highlighted), None)

    def highlight_first(self) -> None:
        """Highlight the first item that is listed."""
        self.highlighted = next((row.item.key for row in self.rows if row.item), None)

    def move(self, steps: int) -> None:
        """Highlight the item so many items further; it stops at the ends."""
        keys = [row.item.key for row in self.rows if row.item]
        if not keys:
            return
        place = keys.index(self.highlighted) if self.highlighted in keys else 0
        self.highlighted = keys[max(0, min(len(keys) - 1, place + steps))]
