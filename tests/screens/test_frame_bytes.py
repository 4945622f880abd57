"""The bytes of a frame: what is shown already is not sent, colours are said once, and the screen is the same."""

from __future__ import annotations

import random

import pyte
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from screens.frame_bytes import Frame, Pen, Shown

RED, BLUE = Style.parse("red on black"), Style.parse("blue on black")
STYLES = (
    None,
    RED,
    BLUE,
    Style.parse("bold red on black"),
    Style.parse("italic"),
    Style.parse("bold reverse on #102030"),
    Style.parse("underline #ff8800"),
    Style.parse("default on default"),
)
TEXTS = ("a", "hero", "   ", "漢字", "e\u0301t\u0301", "●", " ◐ dev ")
WIDTH, HEIGHT = 60, 6


def sent(shown: Shown, pen: Pen, *spans: tuple[int, int, list[Segment]]) -> str:
    frame = Frame(pen, shown)
    for x, y, segments in spans:
        frame.put(x, y, segments)
    return frame.end()


def test_what_stands_there_is_not_sent_again() -> None:
    shown, pen = Shown(), Pen(ColorSystem.TRUECOLOR)
    line = [Segment("one", RED), Segment("two", BLUE)]
    assert sent(shown, pen, (0, 1, line)) == "\x1b[2;1H\x1b[31;40mone\x1b[34mtwo\x1b[0m"
    assert sent(shown, pen, (0, 1, line)) == ""
    assert sent(shown, pen, (0, 1, [Segment("one", RED), Segment("2", BLUE)])) == "\x1b[2;4H\x1b[34;40m2\x1b[0m"


def test_a_run_that_was_written_over_in_part_is_sent_again() -> None:
    shown, pen = Shown(), Pen(ColorSystem.TRUECOLOR)
    sent(shown, pen, (0, 0, [Segment("0123456789")]))
    assert sent(shown, pen, (5, 0, [Segment("xy")])) == "\x1b[1;6Hxy"
    assert sent(shown, pen, (5, 0, [Segment("xy")])) == ""
    assert sent(shown, pen, (0, 0, [Segment("0123456789")])) == "\x1b[1;1H0123456789"
    shown.fit((WIDTH, HEIGHT))
    assert sent(shown, pen, (0, 0, [Segment("0123456789")])) != ""


def test_colours_of_blanks_are_not_sent_and_marks_stay_with_their_letter() -> None:
    shown, pen = Shown(), Pen(ColorSystem.TRUECOLOR)
    assert sent(shown, pen, (0, 0, [Segment("a", RED), Segment("  ", BLUE), Segment("b", RED)])) == (
        "\x1b[1;1H\x1b[31;40ma  b\x1b[0m"
    )
    assert sent(shown, pen, (0, 1, [Segment("e"), Segment("\u0301"), Segment("f")])) == "\x1b[2;1He\u0301f"


def test_the_screen_is_that_of_every_segment_by_itself() -> None:
    for seed in range(40):
        rng = random.Random(seed)
        shown, pen = Shown(), Pen(ColorSystem.TRUECOLOR)
        ours, plain = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
        for _ in range(30):
            x, y = rng.randrange(30), rng.randrange(HEIGHT)
            segments = [Segment(rng.choice(TEXTS), rng.choice(STYLES)) for _ in range(rng.randrange(1, 6))]
            pyte.Stream(ours).feed(sent(shown, pen, (x, y, segments)))
            words = "".join(style.render(text) if style else text for text, style, _ in segments)
            pyte.Stream(plain).feed(f"\x1b[{y + 1};{x + 1}H{words}")
            assert looks(ours) == looks(plain), seed


def looks(screen: pyte.Screen) -> list[tuple[object, ...]]:
    cells = (screen.buffer[y][x] for y in range(HEIGHT) for x in range(WIDTH))
    return [(cell.data, _colour(cell), cell.bg, cell.bold, cell.italics, cell.reverse) for cell in cells]


def _colour(cell: pyte.screens.Char) -> str:
    """A blank has no colour but its ground's, which is the letters' in reverse."""
    return str(cell.fg) if cell.data.strip() or cell.reverse else ""
