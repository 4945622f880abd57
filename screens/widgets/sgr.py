"""Log lines for the screen: colours (SGR) are kept, every other escape and control character is made harmless."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from backends.model.text import safe_text

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
# Printable, yet terminals disagree about what they do to the width of their neighbours.
_UNSTEADY = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_ATTRIBUTES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_RESETS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}
TAB = 8
State = tuple[int | str, ...]
"""SGR attribute numbers, then colours as `fg=…` and `bg=…`."""


def plain(text: str) -> str:
    """What a line says, without escapes and control characters; what filters and searches look at."""
    bare = _SGR.sub("", text) if "\x1b" in text else text
    if bare.isprintable():  # nothing but colours in it: the long way would come to the same
        return bare if bare.isascii() else _UNSTEADY.sub("\ufffd", bare)
    return "".join(shown for _, shown in _runs(text))


def segments(text: str, base: Style) -> list[Segment]:
    """`text` with its colours over `base`; the texts joined are `plain(text)`."""
    if text.isascii() and text.isprintable():
        return [Segment(text, base)] if text else []
    return [Segment(shown, base + _style(state) if state else base) for state, shown in _runs(text)]


def _runs(text: str) -> Iterator[tuple[State, str]]:
    """The stretches of a line between changes of colour, made harmless, each with its attributes."""
    state: State = ()
    column = 0
    for index, part in enumerate(_SGR.split(_last_overwrite(text))):
        if index % 2:
            state = _advance(state, part)
        elif part and (shown := _harmless(part, column)):
            column += cell_len(shown)
            yield state, shown


def _last_overwrite(text: str) -> str:
    """What a terminal would leave of a line that a progress bar rewrote with carriage returns."""
    text = text.rstrip("\r\n")
    return text.rsplit("\r", 1)[1] if "\r" in text else text


def _harmless(text: str, column: int) -> str:
    """`text` with tabs as spaces, starting at `column`, and what could steer a terminal as `\ufffd`."""
    safe = _UNSTEADY.sub("\ufffd", safe_text(text).replace("\n", " "))
    if safe.isprintable():
        return safe
    safe = "".join(map(_visible, safe))
    parts = safe.split("\t")
    out = ""
    for part in parts[:-1]:
        out += part
        out += " " * (TAB - (column + cell_len(out)) % TAB)
    return out + parts[-1]


def _visible(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    kind = unicodedata.category(character)
    if kind == "Co":  # symbols of patched fonts
        return character
    return " " if kind == "Zs" else "\ufffd"


@lru_cache(maxsize=4096)
def _advance(state: State, codes: str) -> State:
    """The set of attributes after an SGR sequence; attributes and colours are kept as text for `_style`."""
    attributes = {item for item in state if isinstance(item, int)}
    colours = dict(str(item).split("=", 1) for item in state if isinstance(item, str))
    numbers = [int(code) if code.isdigit() else 0 for code in codes.replace(":", ";").split(";")[:32]]
    place = 0
    while place < len(numbers):
        code = numbers[place]
        place += 1
        if code == 0:
            attributes, colours = set(), {}
        elif code in _ATTRIBUTES:
            attributes.add(code)
        elif code in _RESETS:
            attributes = {item for item in attributes if _ATTRIBUTES[item] not in _RESETS[code]}
        elif code in (38, 48):
            value, used = _extended(numbers[place:])
            place += used
            if value:
                colours["fg" if code == 38 else "bg"] = value
        else:
            _set_basic(colours, code)
    return (*sorted(attributes), *(f"{name}={value}" for name, value in sorted(colours.items())))


def _set_basic(colours: dict[str, str], code: int) -> None:
    for first, ground, offset in ((30, "fg", 0), (40, "bg", 0), (90, "fg", 8), (100, "bg", 8)):
        if first <= code <= first + 7:
            colours[ground] = f"color({code - first + offset})"
    if code in (39, 49):
        colours.pop("fg" if code == 39 else "bg", None)


def _extended(numbers: list[int]) -> tuple[str, int]:
    """The colour of a `5;n` or `2;r;g;b` tail and how many numbers it took."""
    if numbers[:1] == [5] and len(numbers) >= 2:
        return f"color({min(255, numbers[1])})", 2
    if numbers[:1] == [2] and len(numbers) >= 4:
        red, green, blue = (min(255, number) for number in numbers[1:4])
        return f"#{red:02x}{green:02x}{blue:02x}", 4
    return "", len(numbers)


@lru_cache(maxsize=4096)
def _style(state: State) -> Style:
    style = Style.null()
    for item in state:
        if isinstance(item, int):
            style += Style.parse(_ATTRIBUTES[item])
        else:
            ground, value = item.split("=", 1)
            colour = Color.parse(value)
            style += Style.from_color(colour) if ground == "fg" else Style.from_color(None, colour)
    return style


def wrap_points(text: str, width: int) -> list[int]:
    """Where (in characters) the rows of `text` start when it is broken at `width` cells; at least `[0]`."""
    if width < 2:
        return [0]
    if text.isascii():
        return list(range(0, len(text), width)) or [0]
    points, used = [0], 0
    for index, character in enumerate(text):
        size = get_character_cell_size(character)
        if used + size > width:
            points.append(index)
            used = 0
        used += size
    return points


def cut(painted: list[Segment], start: int, stop: int) -> list[Segment]:
    """The characters from `start` to `stop` of painted text."""
    out: list[Segment] = []
    place = 0
    for text, style, _ in painted:
        first, last = max(start - place, 0), stop - place
        if first < len(text) and last > 0:
            out.append(Segment(text[first:last], style))
        place += len(text)
    return out


def overlay(painted: list[Segment], spans: list[tuple[int, int]], style: Style) -> list[Segment]:
    """`painted` with `style` laid over the character `spans`, which are in order and do not overlap."""
    if not spans:
        return painted
    out: list[Segment] = []
    place = 0
    for start, stop in spans:
        out += cut(painted, place, start)
        out += [Segment(text, (own or Style.null()) + style) for text, own, _ in cut(painted, start, stop)]
        place = stop
    return out + cut(painted, place, sum(len(segment.text) for segment in painted))
