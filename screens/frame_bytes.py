"""From what is to be shown to the fewest bytes: nothing that the terminal shows already, no colour said twice."""

from __future__ import annotations

from collections.abc import Iterable

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

Codes = tuple[str, str, str]
"""Attributes, foreground and background as SGR parameters; empty ones are the terminal's own."""
Run = tuple[int, str, Codes]
"""Where a text in one style stops, the text, the style."""

_PLAIN: Codes = ("", "", "")
_RESET = "\x1b[0m"


class Pen:
    """The style in which the terminal would write now, and the way from it to another."""

    def __init__(self, system: ColorSystem) -> None:
        self._system = system
        self._known: dict[Style | None, Codes] = {None: _PLAIN}
        self._now = _PLAIN

    def codes(self, style: Style | None) -> Codes:
        """The parameters of a style; the terminal must understand its colours."""
        codes = self._known.get(style)
        if codes is None:
            assert style is not None
            codes = self._known[style] = _codes(style, self._system)
        return codes

    def change(self, codes: Codes, text: str) -> str:
        """What has to be sent so that `text` is written in this style."""
        attributes, foreground, background = self._now
        wanted, colour, ground = codes
        if not wanted and text.isspace():
            colour = foreground  # nobody sees it
        if wanted != attributes:
            parts = (["0"] if attributes else []) + [one for one in (wanted, colour, ground) if one]
            if not attributes:  # colours stay, unless they are the terminal's own
                parts += [back for one, was, back in _grounds(self._now, codes) if was and not one]
        else:
            pairs = ((colour, foreground, "39"), (ground, background, "49"))
            parts = [one or back for one, was, back in pairs if one != was]
        self._now = (wanted, colour, ground)
        return f"\x1b[{';'.join(parts)}m" if parts else ""

    def end(self) -> str:
        """What has to be sent so that others find the terminal's own style."""
        before, self._now = self._now, _PLAIN
        return _RESET if before != _PLAIN else ""


def _grounds(now: Codes, wanted: Codes) -> Iterable[tuple[str, str, str]]:
    return (wanted[1], now[1], "39"), (wanted[2], now[2], "49")


def _codes(style: Style, system: ColorSystem) -> Codes:
    parts = style.without_color, Style(color=style.color), Style(bgcolor=style.bgcolor)
    attributes, foreground, background = (_parameters(part.render(" ", color_system=system)) for part in parts)
    return attributes, foreground, background


def _parameters(rendered: str) -> str:
    """`1;3` of a space that is rendered bold and italic."""
    return rendered[2:].partition("m")[0] if rendered.startswith("\x1b[") else ""


class Shown:
    """What stands on the terminal, as far as it is known: runs of text in one style, by line and first cell."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._runs: dict[int, dict[int, Run]] = {}
        self._owners: dict[int, list[int]] = {}

    def forget(self) -> None:
        """Anything may stand there: it was cleared, resized, or written on by others."""
        self._runs, self._owners = {}, {}

    def fit(self, size: tuple[int, int]) -> None:
        """The terminal has this width and height; one of another size shows nothing that is known."""
        if size != self._size:
            self._size = size
            self.forget()

    def differs(self, y: int, x: int, run: Run) -> bool:
        """Whether `run` must be sent for the cells from `x` on; if so, it is what they show from now on."""
        runs = self._runs.setdefault(y, {})
        if runs.get(x) == run:
            return False
        owners, stop = self._owners.setdefault(y, []), run[0]
        if len(owners) < stop:
            owners += [-1] * (stop - len(owners))
        for start in {*owners[x:stop]}:
            if start >= 0:
                end = runs.pop(start)[0]
                owners[start:end] = [-1] * (end - start)
        owners[x:stop] = [x] * (stop - x)
        runs[x] = run
        return True


class Frame:
    """The bytes of one frame, span by span."""

    def __init__(self, pen: Pen, shown: Shown) -> None:
        self._pen = pen
        self._shown = shown
        self._out: list[str] = []
        self._at = (-1, -1)

    def put(self, x: int, y: int, segments: Iterable[Segment]) -> None:
        """These stand from cell `x` of line `y` on; what does so already is passed over."""
        pen, differs = self._pen, self._shown.differs
        for text, style, length in _runs_of(segments):
            codes, stop = pen.codes(style), x + length
            if style is not None and style.link:
                text = f"\x1b]8;id={style.link_id};{style.link}\x1b\\{text}\x1b]8;;\x1b\\"
            if differs(y, x, (stop, text, codes)):
                if self._at != (x, y):
                    self._out.append(f"\x1b[{y + 1};{x + 1}H")
                self._out.append(pen.change(codes, text) + text)
                self._at = (stop, y)
            x = stop

    def end(self) -> str:
        """All of it; empty if nothing differs."""
        return "".join(self._out) + self._pen.end()


def _runs_of(segments: Iterable[Segment]) -> Iterable[tuple[str, Style | None, int]]:
    """Text, style and width of each segment; marks without a width go with the text before them."""
    held: tuple[str, Style | None, int] | None = None
    for segment in segments:
        text, style, _ = segment
        length = segment.cell_length
        if not length and held is not None:
            held = (held[0] + text, held[1], held[2])
        else:
            if held is not None:
                yield held
            held = (text, style, length)
    if held is not None and held[2]:
        yield held
