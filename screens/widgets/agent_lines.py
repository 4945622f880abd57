"""How one entry of an agent's log becomes rows of the screen: its sign, its words broken to the width; pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len, chop_cells

from backends.model.agents import AgentLine
from backends.model.text import safe_text
from screens.widgets.celltext import clean, fit
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part

KINDS = ("start", "prompt", "tool", "result", "answer", "wait", "error", "message", "iteration", "end")
Row = tuple[Part, ...]

LONGEST = 20_000
"""Characters of an entry that are shown."""
_LONGEST_LINE = 2_000
_INDENT = 2
_ROWS = {"tool": 6, "result": 12}
"""Rows of those entries at most that seldom need to be read whole."""


def rows_of(line: AgentLine, width: int, *, brief: bool = False, glyphs: Glyphs = UNICODE) -> list[Row]:
    """The entry in rows of at most `width` cells; `brief` keeps tool calls and their results to a row each."""
    style, sign = f"said--{line.kind}", glyphs.said.get(line.kind, "?")
    room = max(4, width - _INDENT)
    tool = f"{clean(line.tool, 60)} " if line.kind == "tool" and line.tool else ""
    limit = _ROWS.get(line.kind, 0)
    texts = list(wrapped(tool + line.text, room, (1 if brief else limit) if limit else 0))
    rows: list[Row] = []
    for number, text in enumerate(texts or [""]):
        lead = (f"{sign} ", f"said--sign-{line.kind}") if number == 0 else ("  ", "")
        if number == 0 and tool and text.startswith(tool):
            rows.append((lead, (tool, "said--name"), (text[len(tool) :], style)))
        else:
            rows.append((lead, (text, style)))
    return rows


def wrapped(text: str, room: int, limit: int = 0) -> Iterator[str]:
    """`text` made harmless and broken at spaces; after `limit` rows (0: all) how much more there is."""
    cut = len(text) > LONGEST
    lines = safe_text(text[:LONGEST]).split("\n")
    rows = [row for line in lines for row in _broken(clean(line, _LONGEST_LINE).rstrip(), room)]
    while rows and not rows[-1]:
        rows.pop()
    if limit and len(rows) > limit:
        more = f" (+{len(rows) - limit} lines)"
        last = fit(rows[limit - 1], max(1, room - len(more))).rstrip() + more
        rows = [*rows[: limit - 1], fit(last, room).rstrip()]
    yield from rows
    if cut and not limit:
        yield f"… {len(text) - LONGEST:,} more characters"


def _broken(line: str, room: int) -> Iterator[str]:
    """A line in pieces of at most `room` cells, what is indented stays so."""
    if cell_len(line) <= room:
        yield line
        return
    row = indent = " " * min(len(line) - len(line.lstrip()), room // 2)
    fresh = True
    for word in line.lstrip().split(" "):
        grown = row + word if fresh else f"{row} {word}"
        if cell_len(grown) > room and not fresh:
            yield row
            grown = indent + word
        pieces = chop_cells(grown, room) if cell_len(grown) > room else [grown]
        yield from pieces[:-1]
        row, fresh = pieces[-1], False
    yield row
