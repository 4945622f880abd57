"""The log screen: lines as they come, merged, filtered, through a restart of the daemon."""

from __future__ import annotations

from backends.model.errors import HeroError
from backends.model.state import LogLine
from screens.widgets.logview import LogView
from tests.hero_tui.fleets import Cockpit


def line(text: str, time: float = 1.0, source: str = "hero_db") -> LogLine:
    return LogLine(source=source, time=time, text=text)


async def open_logs(cockpit: Cockpit, pilot: object, *lines: LogLine) -> None:
    await cockpit.press(pilot, "l")  # type: ignore[arg-type]
    cockpit.line.log.put_nowait(lines)
    await told(cockpit, pilot)


async def told(cockpit: Cockpit, pilot: object) -> None:
    await cockpit.settle(pilot)  # type: ignore[arg-type]
    cockpit.app.screen.query_one(LogView).flush()
    await cockpit.settle(pilot)  # type: ignore[arg-type]


async def test_lines_are_shown_as_they_come() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "l")
        assert "Reading the log…" in cockpit.text
        await told(cockpit, pilot)
        cockpit.line.log.put_nowait((line("checkpoint 1"), line("checkpoint 2", 2.0)))
        await told(cockpit, pilot)
        assert "checkpoint 1" in cockpit.text
        assert "following  2 lines" in cockpit.text


async def test_sources_are_told_apart() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "space", "space")
        await open_logs(cockpit, pilot, line("one"), line("two", 2.0, "hero_router"))
        assert "hero_db     │ one" in cockpit.text
        assert "hero_router │ two" in cockpit.text


async def test_a_restart_of_the_daemon_loses_no_line_and_doubles_none() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("first", 1.0), line("second", 2.0))
        cockpit.line.log.put_nowait(HeroError("unreachable", "The daemon has gone."))
        await told(cockpit, pilot)
        assert "reconnecting… The daemon has gone." in cockpit.text
        cockpit.line.log.put_nowait((line("second", 2.0), line("at the same time", 2.0), line("third", 3.0)))
        await cockpit.until(pilot, lambda: "third" in cockpit.text)
        assert cockpit.text.count("second") == 1
        assert "at the same time" in cockpit.text
        assert "reconnecting" not in cockpit.text
        assert cockpit.line.called("slot.logs")[-1]["since"] == 2.0


async def test_logs_that_are_not_shown_say_why() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "j", "l")
        cockpit.line.log.put_nowait(
            HeroError("denied", "mik does not show the logs.", hint="users/mik.toml says so.")
        )
        await told(cockpit, pilot)
        assert "mik does not show the logs." in cockpit.text
        assert "users/mik.toml says so." in cockpit.text


async def test_the_filter_hides_and_escape_brings_back() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"), line("pears", 2.0))
        await cockpit.press(pilot, "slash", *"pear", "enter")
        await told(cockpit, pilot)
        assert "apples" not in cockpit.text
        await cockpit.press(pilot, "escape")
        await told(cockpit, pilot)
        assert "apples" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "FleetScreen"


async def test_a_wrong_regex_is_told_and_nothing_breaks() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        await cockpit.press(pilot, "slash", *"~(", "enter")
        assert "not a regular expression" in cockpit.text


async def test_space_pauses_and_new_lines_are_counted() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        await cockpit.press(pilot, "space")
        cockpit.line.log.put_nowait((line("pears", 2.0),))
        await told(cockpit, pilot)
        assert "paused · 1 new" in cockpit.text


async def test_keys_that_act_on_a_service_are_not_offered_in_its_log() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        assert "r restart" not in cockpit.text
        await cockpit.press(pilot, "r", "x", "s")
        assert [name for _, name, _ in cockpit.line.calls] == ["slot.logs"]


async def test_the_visible_lines_are_copied() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"), line("pears", 2.0))
        await cockpit.press(pilot, "c")
        assert cockpit.app.clipboard == "apples\npears"


async def test_leaving_the_screen_ends_the_stream() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        assert cockpit.line.following == 1
        await cockpit.press(pilot, "escape")
        await cockpit.settle(pilot)
        assert cockpit.line.following == 0
