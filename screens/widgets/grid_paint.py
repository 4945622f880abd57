"""How one cell, label or header of the fleet grid looks: plain data in, styled segments out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from screens.widgets.celltext import clean, fit, fit_middle, fit_right, short_branch
from screens.widgets.glyphs import Glyphs
from screens.widgets.grid_data import GridCell, GridRow
from screens.widgets.grid_layout import Geometry, tag_of

Line = tuple[Segment, ...]

PARTS = (
    "grid--header",
    "grid--header-hot",
    "grid--label",
    "grid--label-hot",
    "grid--label-pinned",
    "grid--tag",
    "grid--pinned",
    "grid--stripe",
    "grid--cursor",
    "grid--cursor-blurred",
    "grid--mark",
    "grid--rule",
    "grid--stale",
    "grid--branch",
    "grid--hash",
    "grid--age",
    "grid--busy",
    "grid--bar",
    "grid--faint",
)
STATES = (
    *(f"health--{s}" for s in ("healthy", "starting", "unhealthy", "crashed", "stopped", "unknown")),
    *(f"drift--{s}" for s in ("current", "behind", "modified", "missing", "pinned")),
    *(f"source--{s}" for s in ("release", "build", "hash")),
    *(f"build--{s}" for s in ("queued", "running", "succeeded", "failed")),
    *(f"agent--{s}" for s in ("starting", "working", "waiting", "idle", "error")),
    "credential--expiring",
    "credential--cooling",
)


@dataclass(frozen=True)
class Ink:
    """The styles by component class and the signs to draw with."""

    styles: Mapping[str, Style]
    glyphs: Glyphs

    def put(self, text: str, name: str, ground: Style) -> Segment:
        """`text` in the style of component class `name` over the row's `ground`."""
        style = self.styles.get(name)
        return Segment(text, ground + style if style else ground)

    def sign(self, group: str, state: str, ground: Style) -> Segment:
        """The one-cell sign of a state; blank for no state, `?` for one that is not known."""
        sign = getattr(self.glyphs, group).get(state, "?" if state else " ")
        return self.put(sign, f"{group}--{state}", ground)


def paint_cell(cell: GridCell | None, geometry: Geometry, ink: Ink, ground: Style, hot: bool) -> tuple[Line, ...]:
    """The lines of a cell, each exactly one pitch wide; `hot` puts the cursor's mark in the margin."""
    sign = ink.glyphs.marked if cell and cell.marked else ink.glyphs.cursor if hot else ""
    mark = ink.put(sign, "grid--mark", ground) if sign else Segment(" ", ground)
    width = geometry.inner - geometry.gap
    if cell is None:
        unbound = ink.put(fit(ink.glyphs.unbound, width), "grid--faint", ground)
        lines: tuple[Line, ...] = ((unbound,), (Segment(" " * width, ground),))
    elif geometry.density == "heat":
        lines = (_heat(cell, width, ink, ground),)
    elif geometry.density == "compact":
        lines = (_compact(cell, width, ink, ground),)
    elif cell.summary:
        lines = _full_summary(cell, width, ink, ground)
    elif cell.busy is not None:
        lines = _full_busy(cell, width, ink, ground)
    else:
        lines = (_full_top(cell, width, ink, ground), _full_bottom(cell, width, ink, ground))
    end = (Segment(" " * geometry.gap, ground),) if geometry.gap else ()
    return tuple((mark, *line, *end) for line in lines[: geometry.row_height])


def _branch_style(cell: GridCell) -> str:
    return f"health--{cell.health}" if cell.health in ("crashed", "unhealthy") else "grid--branch"


def _full_top(cell: GridCell, width: int, ink: Ink, ground: Style) -> Line:
    """`● development_mik  ✗`: run state, branch, build state."""
    room = width - 4 if cell.build else width - 2
    branch = f" {short_branch(cell.branch, room)}" + (" " if cell.build else "")
    health = ink.sign("health", cell.health, ground)
    text = ink.put(branch, _branch_style(cell), ground)
    return (health, text, ink.sign("build", cell.build, ground)) if cell.build else (health, text)


def _full_bottom(cell: GridCell, width: int, ink: Ink, ground: Style) -> Line:
    """`↓ 9f3c21ab release  3h`: drift, hash, where from, age; the words go first where it is narrow."""
    line = [
        ink.sign("drift", cell.drift, ground),
        ink.put(f" {fit(cell.hash8 or cell.drift, 8)}", "grid--hash", ground),
    ]
    room = width - 10
    if width >= 22:
        line.append(ink.put(f" {fit(cell.source, 7)}", f"source--{cell.source}", ground))
        room -= 8
    else:
        line.append(ink.sign("source", cell.source, ground))
        room -= 1
    if room >= 15 and cell.hash8 and cell.drift not in ("", "current"):
        line.append(ink.put(f" {fit(cell.drift, 9)}", f"drift--{cell.drift}", ground))
        room -= 10
    return (*line, ink.put(fit_right(cell.age_text, room), "grid--age", ground))


def _full_summary(cell: GridCell, width: int, ink: Ink, ground: Style) -> tuple[Line, Line]:
    """`✖ 7/9 healthy` over `1 crashed 1 missing`."""
    health = ink.sign("health", cell.health, ground)
    text = fit(f" {cell.branch} healthy", width - 1)
    rest = fit(f"  {cell.age_text}", width)
    return (health, ink.put(text, "grid--branch", ground)), (ink.put(rest, "grid--age", ground),)


def _full_busy(cell: GridCell, width: int, ink: Ink, ground: Style) -> tuple[Line, Line]:
    """What runs and how far it is: `⟳ installing` over `━━━━╌╌╌╌ 43%`, or over the branch."""
    top = (ink.put(f"{ink.glyphs.busy} {fit(cell.busy or '', width - 2)}", "grid--busy", ground),)
    if cell.progress is None:
        return top, (ink.put(f"  {short_branch(cell.branch, width - 2)}", "grid--age", ground),)
    return top, _bar(cell.progress, width, ink, ground)


def _bar(progress: float, width: int, ink: Ink, ground: Style) -> Line:
    share = max(0.0, min(1.0, progress))
    room = width - 6
    done = round(share * room)
    return (
        ink.put(ink.glyphs.bar_done * done, "grid--bar", ground),
        ink.put(ink.glyphs.bar_left * (room - done), "grid--faint", ground),
        ink.put(f"{share:5.0%} ", "grid--age", ground),
    )


def _compact(cell: GridCell, width: int, ink: Ink, ground: Style) -> Line:
    """`● dev_mik ✗↓`: run state, branch, that its build failed, drift where there is one."""
    if cell.busy is not None:
        how_far = f"{cell.progress:.0%}" if cell.progress is not None else ""
        text = f" {how_far} {cell.busy}" if how_far else f" {cell.busy}"
        return (ink.put(ink.glyphs.busy + fit(text, width - 1), "grid--busy", ground),)
    tail: Line = (ink.sign("build", "failed", ground),) if cell.build == "failed" else ()
    if cell.drift not in ("", "current"):
        tail += (ink.sign("drift", cell.drift, ground),)
    health = ink.sign("health", cell.health, ground)
    branch = ink.put(f" {short_branch(cell.branch, width - 2 - len(tail))}", _branch_style(cell), ground)
    return (health, branch, *tail)


def _heat(cell: GridCell, width: int, ink: Ink, ground: Style) -> Line:
    """The one sign that matters most: what runs, what is wrong, what is out of date, or how it is."""
    if cell.busy is not None:
        sign = ink.put(ink.glyphs.busy, "grid--busy", ground)
    elif cell.build == "failed" and cell.drift != "missing" and cell.health not in ("crashed", "unhealthy"):
        sign = ink.sign("build", "failed", ground)
    elif cell.drift == "missing" or (cell.health == "healthy" and cell.drift in ("behind", "modified")):
        sign = ink.sign("drift", cell.drift, ground)
    else:
        sign = ink.sign("health", cell.health, ground)
    return (sign, Segment(" " * (width - 1), ground))


def paint_label(
    row: GridRow, faults: int, geometry: Geometry, ink: Ink, ground: Style, hot: bool
) -> tuple[Line, ...]:
    """User, credential, agents; in two lines, the second counts the row's faults."""
    if row.head:
        return _head_label(row, geometry, ink, ground, hot)
    name = "grid--label-hot" if hot else "grid--label-pinned" if row.pinned else "grid--label"
    title = fit(row.title, geometry.label - 2)
    if row.problems and not row.stale:
        sign = ink.sign("health", "unhealthy", ground)
        top: Line = (ink.put(title, name, ground), sign, Segment(" ", ground))
    else:
        top = (ink.put(f"{title}{ink.glyphs.stale if row.stale else ' '} ", name, ground),)
    if geometry.tag:
        top += _tag(row, geometry, ink, ground)
    if geometry.agents:
        top += _agents(row, ink, ground)
    if geometry.row_height == 1:
        return (top,)
    return top, _notes(row, faults, geometry.left, ink, ground)


def _notes(row: GridRow, faults: int, width: int, ink: Ink, ground: Style) -> Line:
    """`▲ 1 problem ✖ 2 faults ? 1 waits`: what of the row a person should look at."""
    if row.stale:
        return (ink.put(fit("not up to date", width), "grid--stale", ground),)
    notes: list[tuple[str, str]] = []
    if row.problems:
        text = f"{ink.glyphs.health['unhealthy']} {row.problems} problem{'s' * (row.problems > 1)} "
        notes.append((text, "health--unhealthy"))
    if faults:
        notes.append((f"{ink.glyphs.health['crashed']} {faults} fault{'s' * (faults > 1)} ", "health--crashed"))
    if row.waits:
        wait = f"{ink.glyphs.agent['waiting']} {row.waits} wait{'s' * (row.waits == 1)}"
        notes.append((wait, "agent--waiting"))
    line, room = [], width
    for text, style in notes:
        line.append(ink.put(fit(text, min(room, cell_len(text))), style, ground))
        room -= min(room, cell_len(text))
    return (*line, ink.put(" " * room, "grid--tag", ground))


def _head_label(row: GridRow, geometry: Geometry, ink: Ink, ground: Style, hot: bool) -> tuple[Line, ...]:
    """`▾ developer 12`: whether its rows are hidden, its name, how many they are."""
    sign = ink.glyphs.folded if row.folded else ink.glyphs.unfolded
    count = f" {row.members} "
    name = fit(f"{sign} {clean(row.title)}", max(0, geometry.left - len(count)))
    label = ink.put(name, "grid--label-hot" if hot else "grid--label-pinned", ground)
    top = (label, ink.put(fit(count, min(len(count), geometry.left)), "grid--tag", ground))
    return (top, (Segment(" " * geometry.left, ground),))[: geometry.row_height]


def _tag(row: GridRow, geometry: Geometry, ink: Ink, ground: Style) -> Line:
    """The credential; right after it the sign of one that expires soon, or rests."""
    tag, room = tag_of(row, geometry.width), geometry.tag - 1
    if not row.tag_state:
        return (ink.put(f"{fit_middle(tag, room)} ", "grid--tag", ground),)
    name = fit_middle(tag, min(cell_len(clean(tag)), room - 1))
    rest = " " * (geometry.tag - cell_len(name) - 1)
    return (
        ink.put(name, "grid--tag", ground),
        ink.sign("credential", row.tag_state, ground),
        Segment(rest, ground),
    )


def _agents(row: GridRow, ink: Ink, ground: Style) -> Line:
    """`?2 `: the state that matters most, and how many there are."""
    if not row.agents:
        return (Segment("   ", ground),)
    count = str(row.agents) if row.agents < 10 else "+"
    return (ink.sign("agent", row.agents_state, ground), ink.put(f"{count} ", "grid--tag", ground))


def paint_header(titles: Sequence[str], geometry: Geometry, ink: Ink, line: int, hot: int) -> Line:
    """One line of the columns' titles; in heat the letters stand below each other."""
    ground = Style.null()
    segments = []
    for index, title in enumerate(titles):
        name = "grid--header-hot" if index == hot else "grid--header"
        if geometry.density == "heat":
            letters = clean(title)[: geometry.header].rjust(geometry.header)
            text = fit(letters[line], geometry.inner)
        else:
            text = fit_middle(title, geometry.inner - 1) + " "
        segments.append(ink.put(" " + text, name, ground))
    return tuple(segments)


def changed_span(before: Line, after: Line) -> tuple[int, int] | None:
    """First and last-but-one cell where two lines of equal width differ; None if they do not."""
    start = 0
    head = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        start += new.cell_length
        head += 1
    if head == len(before) == len(after):
        return None
    end = sum(segment.cell_length for segment in after)
    tail_before, tail_after = before[head:], after[head:]
    for old, new in zip(reversed(tail_before[1:]), reversed(tail_after[1:]), strict=False):
        if old != new:
            break
        end -= new.cell_length
    return start, end
