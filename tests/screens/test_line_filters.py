"""Poor terminals: everything in ASCII at the same width, and without colours the cursor is still seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from hero_tui.settings import Settings
from screens.line_filters import AsciiOnly, NoColours
from screens.widgets.glyphs import ASCII, UNICODE, in_ascii
from tests.hero_tui.fleets import Cockpit

BLACK = Color.parse("#000000")


def said(text: str) -> str:
    return "".join(segment.text for segment in AsciiOnly().apply([Segment(text)], BLACK))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_whatever_is_drawn_becomes_ascii_of_the_same_width(text: str) -> None:
    assert said(text).isascii()
    assert cell_len(said(text)) == sum(max(0, cell_len(character)) for character in text)


def test_frames_and_sentences_become_what_people_type() -> None:
    assert said("╭─ alice · hero_db ─╮") == "+- alice . hero_db -+"
    assert said("│ 12 s old — reconnecting… │") == "| 12 s old - reconnecting. |"
    assert said("Ünïcode 漢字") == "Unicode ????"


def test_each_sign_becomes_that_of_the_ascii_set() -> None:
    signs, plain = UNICODE.all(), ASCII.all()
    assert {name: in_ascii(sign) for name, sign in signs.items()} == plain


def test_without_colours_loud_grounds_are_reversed_and_nothing_has_a_colour() -> None:
    loud = NoColours(["#1e3950"])
    line = [
        Segment("plain", Style.parse("#63c385 on #10151f bold")),
        Segment("cursor", Style.parse("#63c385 on #1e3950")),
        Segment("bare", None),
    ]
    plain, cursor, bare = loud.apply(line, BLACK)
    assert plain.style
    assert cursor.style
    assert plain.style.bold
    assert not plain.style.reverse
    assert cursor.style.reverse
    assert all(style.color and style.color.is_default for style in (plain.style, cursor.style))
    assert bare.style is None


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_whole_cockpit_can_be_drawn_in_ascii_without_colours(size: tuple[int, int]) -> None:
    cockpit = Cockpit(settings=Settings(glyphs="ascii", colours="none"))
    async with cockpit.running(size) as pilot:
        for keys in ((), ("question_mark",), ("escape", "ctrl+p"), ("escape", "comma"), ("escape", "l")):
            await cockpit.press(pilot, *keys)
            filters = cockpit.app.get_line_filters()
            for strip in pilot.app.screen._compositor.render_strips():
                for one in filters:
                    strip = strip.apply_filter(one, BLACK)
                assert strip.text.isascii()
                assert cell_len(strip.text) == size[0]
                for segment in strip:
                    style = segment.style
                    assert style is None or style.color is None or style.color.is_default
