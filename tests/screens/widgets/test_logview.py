"""The log view under lines, keys and filters."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from screens.widgets.log_buffer import LogLine
from screens.widgets.logview import LogView
from tests.conftest import screen_text
from tests.screens.widgets.samples import Heard, RecordingApp, mash

START = 1_700_000_000.0


class LogApp(RecordingApp):
    def __init__(self, limit: int = 100_000) -> None:
        super().__init__()
        self.log_view = LogView(limit=limit, zone=UTC)

    def compose(self) -> ComposeResult:
        yield self.log_view


def numbered(count: int, source: str = "hero_router", first: int = 0) -> list[LogLine]:
    return [LogLine(source, START + number, f"line {number:05d}") for number in range(first, first + count)]


async def settled(app: LogApp, pilot: Pilot[None]) -> str:
    """The screen once every line is shown and filtered."""
    app.log_view.flush()
    while app.log_view.busy:
        await pilot.pause()
    await pilot.pause()
    # The last column is the scrollbar's.
    return "\n".join(line[: app.size.width - 1].rstrip() for line in screen_text(app).splitlines()) + "\n"


@asynccontextmanager
async def running(app: LogApp, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Pilot[None], Heard]]:
    heard = Heard()
    async with app.run_test(size=size, message_hook=heard) as pilot:
        await pilot.pause()
        yield pilot, heard


async def test_the_end_is_followed() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        for start in range(0, 1000, 100):
            app.log_view.append(numbered(100, first=start))
        text = await settled(app, pilot)
        assert "line 00999" in text.splitlines()[22]
        assert "following" in text
        assert "1,000 lines" in text


@pytest.mark.parametrize("key", ["f", "space", "k", "ctrl+u", "pageup", "g"])
async def test_a_key_pauses_and_new_lines_are_counted_not_shown(key: str) -> None:
    app = LogApp()
    async with running(app) as (pilot, heard):
        app.log_view.append(numbered(100))
        await settled(app, pilot)
        await pilot.press(key)
        before = (await settled(app, pilot)).splitlines()
        app.log_view.append(numbered(35, first=100))
        after = (await settled(app, pilot)).splitlines()
        assert after[:22] == before[:22]
        assert "paused · 35 new" in after[23]
        assert app.log_view.unseen == 35
        await pilot.press("G")
        assert "line 00134" in await settled(app, pilot)
        assert [message.following for message in heard.of(LogView.FollowChanged)] == [False, True]


async def test_scrolling_to_the_end_follows_again() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(100))
        await settled(app, pilot)
        await pilot.press("k", "k")
        assert not app.log_view.following
        await pilot.press("j")
        assert not app.log_view.following
        await pilot.press("j")
        assert app.log_view.following


async def test_while_paused_dropped_and_late_lines_move_nothing() -> None:
    app = LogApp(limit=200)
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(200))
        app.log_view.append([LogLine("hero_slides", START + 150, "from slides")])
        await settled(app, pilot)
        await pilot.press("ctrl+u", "ctrl+u")
        before = (await settled(app, pilot)).splitlines()
        app.log_view.append(numbered(50, first=300))
        app.log_view.append([LogLine("hero_slides", START + 100.5, "late")] * 7)
        after = (await settled(app, pilot)).splitlines()
        assert after[0] == before[0]
        assert after[:22] == before[:22]
        assert "dropped" in after[23]


async def test_a_filter_keeps_matching_lines_and_says_how_many() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(5000))
        app.log_view.set_filter("7")
        text = await settled(app, pilot)
        lines = text.splitlines()[:23]
        assert all("7" in line for line in lines)
        assert "/7 1,355 matches" in text
        app.log_view.append(
            [LogLine("hero_router", START + 9000, "7 at last"), LogLine("hero_router", START + 9001, "no")]
        )
        assert "7 at last" in (await settled(app, pilot)).splitlines()[22]
        app.log_view.set_filter("!0")
        assert all(
            "0" not in line for line in (await settled(app, pilot)).splitlines()[:23] if line.startswith("line")
        )
        app.log_view.set_filter("~0000[12]$")
        assert (await settled(app, pilot)).splitlines()[:2] == ["line 00001", "line 00002"]
        app.log_view.set_filter("")
        assert app.log_view.scene.shown.count == 5002


async def test_a_wrong_filter_leaves_the_old_one() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(10))
        app.log_view.set_filter("3")
        with pytest.raises(ValueError, match="regular expression"):
            app.log_view.set_filter("~(")
        await settled(app, pilot)
        assert app.log_view.scene.shown.count == 1


async def test_n_goes_through_the_matches() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(300))
        app.log_view.set_filter("5")
        await settled(app, pilot)
        await pilot.press("ampersand", "g")
        await settled(app, pilot)
        seen = []
        for key in ("n", "n", "n", "N"):
            await pilot.press(key)
            current = app.log_view.current
            assert current is not None
            seen.append(app.log_view.scene.log.line(current).text)
            assert seen[-1] in screen_text(app)
        assert seen == ["line 00005", "line 00015", "line 00025", "line 00015"]
        assert app.log_view.scene.shown.count == 300


@asynccontextmanager
async def searching(count: int, text: str) -> AsyncIterator[tuple[LogApp, Pilot[None]]]:
    """The app on so many lines, in which it has just begun to look for `text`."""
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(count))
        await settled(app, pilot)
        app.log_view.set_filter(text, hide=False)
        assert app.log_view.busy
        yield app, pilot


async def test_who_has_gone_away_from_a_match_goes_on_from_what_is_in_sight() -> None:
    async with searching(1000, "~[05]$") as (app, pilot):
        await settled(app, pilot)
        await mash(pilot, ["N", "N"])
        assert app.log_view.current == 990
        await mash(pilot, ["g", "n", "n"])
        assert app.log_view.current == 5
        await mash(pilot, ["G", "N"])
        assert app.log_view.current == 995


async def test_a_search_goes_to_the_match_that_is_nearest_and_not_to_the_one_that_is_found_first() -> None:
    async with searching(60_000, "7777") as (app, pilot):
        await mash(pilot, ["N", "N"])
        await settled(app, pilot)
        assert app.log_view.current == 47_777
        await mash(pilot, ["n", "n"])
        assert app.log_view.current == 7_777


async def test_who_goes_elsewhere_gives_up_the_steps_that_wait() -> None:
    async with searching(60_000, "7777") as (app, pilot):
        await mash(pilot, ["N", "G"])
        await settled(app, pilot)
        assert app.log_view.following


async def test_filtering_a_full_buffer_lets_keys_through() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(60_000))
        await settled(app, pilot)
        app.log_view.set_filter("9")
        assert app.log_view.busy
        await mash(pilot, ["t"])
        assert app.log_view._sight.mode.times
        await settled(app, pilot)
        assert app.log_view.scene.shown.count == sum("9" in f"{n:05d}" for n in range(60_000))


async def test_wrapping_shows_the_whole_line() -> None:
    app = LogApp()
    async with running(app, (40, 12)) as (pilot, _):
        app.log_view.append(
            [LogLine("a", START, "x" * 100), LogLine("a", START, "漢" * 30), LogLine("a", START, "end")]
        )
        cut = await settled(app, pilot)
        assert cut.count("x") == 38
        assert cut.count("›") == 2
        await pilot.press("w")
        text = await settled(app, pilot)
        assert (text.count("x"), text.count("漢")) == (100, 30)
        assert text.splitlines()[5] == "end"


async def test_long_lines_move_sideways() -> None:
    app = LogApp()
    async with running(app, (40, 12)) as (pilot, _):
        app.log_view.append([LogLine("a", START, "0123456789" * 10)])
        await settled(app, pilot)
        await pilot.press("l")
        assert (await settled(app, pilot)).startswith("890123")
        await pilot.press("h", "h")
        assert (await settled(app, pilot)).startswith("0123")


async def test_sources_and_times_stand_in_the_gutter(snap_text: Callable[[App[Any]], bool]) -> None:
    app = LogApp()
    async with running(app, (100, 16)) as (pilot, _):
        rng = random.Random(5)
        sources = ["hero_router", "hero_slides", "a_service_with_a_long_name"]
        lines = [
            LogLine(rng.choice(sources), START + n / 3, f"\x1b[32mINFO\x1b[0m request {n}") for n in range(40)
        ]
        lines.append(
            LogLine("hero_slides", START + 40, "\x1b[1;31mERROR\x1b[0m \x1b]0;x\x07日本語 " + "long " * 40)
        )
        app.log_view.append(lines)
        await pilot.press("t", "w")
        await settled(app, pilot)
        assert snap_text(app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
def test_colours(snap_compare: Callable[..., bool], theme: str) -> None:
    app = LogApp()

    async def dress(pilot: Pilot[None]) -> None:
        app.theme = theme
        levels = ["\x1b[32mINFO\x1b[0m", "\x1b[33mWARN\x1b[0m", "\x1b[1;31mERROR\x1b[0m"]
        lines = [
            LogLine(f"hero_{n % 5}", START + n, f"{levels[n % 3]} request {n} took {n * 7 % 90} ms")
            for n in range(40)
        ]
        app.log_view.append(lines)
        app.log_view.set_filter("request")
        await settled(app, pilot)
        await pilot.press("ampersand", "n", "t")
        await settled(app, pilot)

    assert snap_compare(app, terminal_size=(90, 20), run_before=dress)


async def test_hostile_lines_stay_inside_the_view() -> None:
    app = LogApp()
    hostile = ["\x1b[2J\x1b[H", "\x1b]52;c;cGF3bg==\x07", "a\x00b\x08c\x7f", "\ud800\udcff", "\x1b[31"]
    hostile += ["\u202eevil", "\r\n\r\n", "\t" * 20]
    async with running(app) as (pilot, _):
        app.log_view.append([LogLine("\x1b[31ms", START, text) for text in hostile])
        app.log_view.append([LogLine("other", START, b"caf\xe9".decode(errors="replace"))])
        await pilot.press("t")
        text = await settled(app, pilot)
        assert "caf\ufffd" in text
        assert not set(text) & set("\x1b\x07\x00\x08\x7f\r\u202e\ud800")
        assert {cell_len(strip.text) for strip in app.screen._compositor.render_strips()} == {80}


async def test_while_paused_new_lines_cost_the_status_alone() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(500))
        await settled(app, pilot)
        await pilot.press("ctrl+u")
        await settled(app, pilot)
        app.take()
        app.log_view.append(numbered(50, first=500))
        await settled(app, pilot)
        sent = app.take()
        assert "50 new" in sent
        assert "line 00" not in sent


async def test_while_paused_switches_and_late_lines_repaint_what_is_seen() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(200))
        app.log_view.append([LogLine("other", START, "first")])
        await settled(app, pilot)
        await pilot.press("ctrl+u")
        await settled(app, pilot)
        app.take()
        await pilot.press("t")
        await settled(app, pilot)
        assert "22:16:1" in app.take()
        app.log_view.append([LogLine("other", START + 170.5, "squeezed in")])
        await settled(app, pilot)
        assert "squeezed in" in app.take()


async def test_late_lines_take_no_mark_from_its_line() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(60))
        app.log_view.set_filter("line 00040", hide=False)
        await settled(app, pilot)
        await pilot.press("N", "m")
        app.log_view.append([LogLine("hero_slides", START + 39.5, f"late {number}") for number in range(3)])
        text = (await settled(app, pilot)).splitlines()
        marked = next(number for number, line in enumerate(text) if line.startswith("── mark 1"))
        assert text[marked - 1].endswith("line 00040")
        current = app.log_view.current
        assert current is not None
        assert app.log_view.scene.log.line(current).text == "line 00040"
        await pilot.press("m")
        assert "mark 1" not in await settled(app, pilot)


async def test_a_reset_view_shows_another_log_from_its_own_beginning() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(1000))
        await settled(app, pilot)
        await pilot.press("k")
        app.log_view.reset()
        app.log_view.append([LogLine("other", None, "earlier than all of those"), LogLine("other", 5.0, "later")])
        text = await settled(app, pilot)
        assert app.log_view.following
        assert text.startswith("earlier than all of those\nlater")
        assert "following  2 lines\n" in text


async def test_clearing_forgets_the_lines() -> None:
    app = LogApp()
    async with running(app) as (pilot, _):
        app.log_view.append(numbered(50))
        await settled(app, pilot)
        app.log_view.clear()
        app.log_view.append(numbered(1, first=77))
        text = await settled(app, pilot)
        assert text.startswith("line 00077\n\n")


async def test_five_hundred_random_keys_and_lines_raise_nothing() -> None:
    app = LogApp(limit=500)
    keys = [*"jkhlgGfwtnN", "space", "ampersand", "ctrl+d", "ctrl+u", "pageup", "pagedown", "home", "end", "slash"]
    rng = random.Random(11)
    async with running(app) as (pilot, _):
        for _ in range(50):
            await mash(pilot, rng.choices(keys, k=10))
            deed = rng.randrange(6)
            if deed == 0:
                app.log_view.set_filter(rng.choice(["", "1", "!1", "~[0-3]$", "zzz"]))
            elif deed == 1:
                await pilot.resize_terminal(rng.randint(3, 160), rng.randint(2, 50))
            elif deed == 2 and rng.random() < 0.2:
                app.log_view.clear()
            else:
                text = rng.choice(["short 1", "漢字 " * 20, "\x1b[31mred\x1b[0m " * 12])
                times = [START + rng.randrange(2000) for _ in range(rng.randint(1, 80))]
                app.log_view.append([LogLine(rng.choice("abc"), time, text) for time in times])
        await settled(app, pilot)
