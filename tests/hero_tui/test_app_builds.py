"""The builds screen: filled once, then alive by events; what its keys ask of the box."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from backends.model.build_calls import BuildListResult, BuildSubmitResult
from backends.model.errors import HeroError
from backends.model.forge import ReleaseInfo
from backends.model.forge_calls import ReleaseListResult
from backends.model.state import Build
from screens.builds import BuildsScreen
from screens.widgets.linelist import LineList
from screens.widgets.statusbar import StatusBar
from tests.hero_tui.builds import answer, build, history, log_lines, phases, queued, running, some_builds, told
from tests.hero_tui.fleets import NOW, Cockpit, cell, changed


@asynccontextmanager
async def opened(
    builds: Any = None, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The cockpit on its builds screen."""
    cockpit = Cockpit(**options)
    async with cockpit.running(size) as pilot:
        cockpit.line.answers["build.list"] = answer(some_builds()) if builds is None else builds
        await cockpit.press(pilot, "4")
        yield cockpit, pilot


def shown(cockpit: Cockpit) -> list[str]:
    """The ids in the list."""
    return [one.id for one in cockpit.app.screen.query_one(LineList).rows]


def under_cursor(cockpit: Cockpit) -> Build:
    """The build that keys act on."""
    found = cockpit.app.screen.query_one(LineList).row
    assert isinstance(found, Build)
    return found


async def test_it_shows_what_runs_and_waits_and_was() -> None:
    async with opened() as (cockpit, _):
        assert "builds · 2 running · 3 queued · at most 2 at once" in cockpit.text
        assert "hero_router builds in this" in cockpit.text
        assert shown(cockpit)[:3] == ["b-1004", "b-1005", "b-1006"]
        assert cockpit.line.called("build.list")[-1] == {"states": [], "limit": 100}


async def test_a_line_moves_up_when_its_build_begins_and_the_cursor_stays_on_its_own() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j", "j", "j")
        assert under_cursor(cockpit).id == "b-1007"
        cockpit.tell(told(11, running("b-1008", slot="integration", service="hero_search")))
        cockpit.tell(told(12, build("b-1004", slot="integration", finished_at=NOW)))
        await cockpit.settle(pilot)
        assert shown(cockpit)[:5] == ["b-1008", "b-1005", "b-1006", "b-1007", "b-1004"]
        assert under_cursor(cockpit).id == "b-1007"


async def test_only_lines_that_differ_are_painted() -> None:
    async with opened() as (cockpit, pilot):
        table = cockpit.app.screen.query_one(LineList)
        painted: list[int] = []
        render = table.render_line
        table.render_line = lambda y: (painted.append(y), render(y))[1]  # type: ignore[method-assign, func-returns-value]
        cockpit.tell(told(11, queued("b-1007", slot="mik", service="hero_books", waits_for="mik's slot is away")))
        await cockpit.settle(pilot)
        assert "mik's slot is away" in cockpit.text
        assert set(painted) == {4}


async def test_a_burst_of_news_is_one_change() -> None:
    async with opened() as (cockpit, pilot):
        screen = cockpit.app.screen
        assert isinstance(screen, BuildsScreen)
        changes: list[int] = []
        screen._feed._changed = lambda: changes.append(1)
        cockpit.tell(*(told(20 + number, queued(f"b-2{number:03}")) for number in range(200)))
        await cockpit.settle(pilot)
        assert len(changes) == 1


async def test_the_status_line_counts_the_queue() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        bar = cockpit.app.screen.query_one(StatusBar)
        assert (bar.view.building, bar.view.queued) == (0, 0)
        cockpit.tell(told(11, running("b-1")), told(12, queued("b-2")), told(13, queued("b-3")))
        await cockpit.settle(pilot)
        assert "⚙ 1 building · 2 queued" in cockpit.text
        cockpit.tell(told(14, build("b-1")), told(15, queued("b-3").model_copy(update={"state": "cancelled"})))
        await cockpit.settle(pilot)
        assert "⚙ 1 queued" in cockpit.text


async def test_older_builds_come_as_one_scrolls() -> None:
    every = history(80)

    def pages(_: str, asked: dict[str, Any]) -> BuildListResult:
        begin = next((place + 1 for place, one in enumerate(every) if one.id == asked.get("before")), 0)
        return answer(every[begin : begin + 40], more=begin + 40 < len(every))

    async with opened(pages, size=(120, 24)) as (cockpit, pilot):
        assert len(shown(cockpit)) == 40
        await cockpit.press(pilot, "G")
        assert shown(cockpit) == [one.id for one in every]
        await cockpit.press(pilot, "G")
        assert [one.get("before") for one in cockpit.line.called("build.list")[-2:]] == [None, every[39].id]


async def test_a_filter_that_leaves_nothing_looks_through_some_older_pages() -> None:
    every = history(900)

    def pages(_: str, asked: dict[str, Any]) -> BuildListResult:
        begin = next((place + 1 for place, one in enumerate(every) if one.id == asked.get("before")), 0)
        return answer(every[begin : begin + 100], more=begin + 100 < len(every))

    async with opened(pages) as (cockpit, pilot):
        await cockpit.press(pilot, "slash", *"zz", "enter")
        await cockpit.settle(pilot)
        assert "None of the newest 500 matches." in cockpit.text
        assert len(cockpit.line.called("build.list")) == 5


async def test_a_box_that_says_more_and_has_none_is_asked_once() -> None:
    async with opened(answer(history(3), more=True)) as (cockpit, pilot):
        await cockpit.press(pilot, "G", "g", "G")
        assert len([one for one in cockpit.line.called("build.list") if "before" in one]) == 1


async def test_it_asks_again_once_the_box_is_back() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.on_state("reconnecting", "The box's daemon has gone.")
        await cockpit.settle(pilot)
        assert "not up to date: the box is not connected" in cockpit.text
        assert "hero_slides" in cockpit.text
        cockpit.line.answers["build.list"] = answer([build("b-7")])
        cockpit.line.on_state("online", "")
        await cockpit.settle(pilot)
        assert shown(cockpit) == ["b-7"]
        assert "not up to date" not in cockpit.text


async def test_refresh_asks_again() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["build.list"] = answer([build("b-7")])
        await cockpit.press(pilot, "ctrl+r")
        assert shown(cockpit) == ["b-7"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (answer(()), "Nothing was built yet."),
        (
            HeroError("failed", "The queue's file is damaged.", hint="See boxd.out."),
            "The queue's file is damaged.",
        ),
    ],
    ids=["empty", "refused"],
)
async def test_a_list_without_lines_says_why(reply: Any, says: str) -> None:
    async with opened(reply) as (cockpit, _):
        assert says in cockpit.text


async def test_it_says_that_it_asks() -> None:
    reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    async with opened(reply) as (cockpit, pilot):
        assert "Asking the box…" in cockpit.text
        reply.set_result(answer(some_builds()))
        await cockpit.settle(pilot)
        assert "Asking the box…" not in cockpit.text


async def test_filters_narrow_and_escape_widens() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "exclamation_mark")
        assert {one.state for one in cockpit.app.screen.query_one(LineList).rows} == {"failed"}
        assert "failed only" in cockpit.text
        await cockpit.press(pilot, "escape", "full_stop", "slash", *"slides", "enter")
        assert shown(cockpit) == ["b-1006"]
        await cockpit.press(pilot, "slash", *"zzz", "enter")
        assert "Nothing matches." in cockpit.text
        await cockpit.press(pilot, "escape", "escape")
        assert len(shown(cockpit)) == len(some_builds())


async def test_the_builds_of_one_service_are_asked_for() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["build.list"] = lambda _, asked: answer(
            [one for one in some_builds() if asked.get("service") in (None, one.service)]
        )
        await cockpit.press(pilot, "right", "B")
        assert cockpit.line.called("build.list")[-1]["service"] == "hero_router"
        assert "builds of hero_router · 1 running" in cockpit.text
        cockpit.tell(told(11, queued("b-3000")), told(12, queued("b-3001", service="hero_router")))
        await cockpit.settle(pilot)
        assert "b-3001" in shown(cockpit)
        assert "b-3000" not in shown(cockpit)
        await cockpit.press(pilot, "4")
        assert "builds · 2 running" in cockpit.text


async def test_the_command_line_opens_it_too() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.app.prompts.command("builds hero_dx")
        await cockpit.settle(pilot)
        assert "hero_db" in cockpit.text
        cockpit.app.prompts.command("builds hero_db")
        await cockpit.settle(pilot)
        assert "Nothing of hero_db was built yet." in cockpit.text


async def test_the_log_of_the_build_under_the_cursor_is_live() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.until(pilot, lambda: cockpit.line.following == 1)
        assert cockpit.line.called("peek.logs")[-1]["build"] == "b-1004"
        cockpit.line.log.put_nowait(log_lines(4))
        await cockpit.until(pilot, lambda: "Compiling rustls" in cockpit.text)
        await cockpit.press(pilot, "j")
        await cockpit.until(pilot, lambda: len(cockpit.line.called("slot.logs")) == 1)
        assert cockpit.line.called("slot.logs")[-1]["build"] == "b-1005"
        await cockpit.until(pilot, lambda: cockpit.line.following == 1)
        await cockpit.until(pilot, lambda: "Compiling rustls" not in cockpit.text)
        await cockpit.press(pilot, "j")
        await cockpit.until(pilot, lambda: cockpit.line.following == 0)
        assert "It has not begun: hero_router builds in this slot." in cockpit.text


async def test_a_log_opens_once_its_build_begins() -> None:
    async with opened(answer([queued("b-1")])) as (cockpit, pilot):
        assert "It has not begun" in cockpit.text
        cockpit.tell(told(11, running("b-1")))
        await cockpit.until(pilot, lambda: cockpit.line.following == 1)


async def test_a_log_that_is_refused_says_so() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.log.put_nowait(HeroError("not_found", "That log was swept away.", hint="Build again."))
        await cockpit.until(pilot, lambda: "That log was swept away." in cockpit.text)


async def test_enter_shows_the_whole_log_and_escape_comes_back() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j", "enter")
        assert cockpit.screen_name == "LogsScreen"
        assert cockpit.line.called("slot.logs")[-1]["build"] == "b-1005"
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "BuildsScreen"
        assert under_cursor(cockpit).id == "b-1005"


async def test_my_build_is_cancelled_at_once() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["build.cancel"] = queued("b-1006").model_copy(update={"state": "cancelled"})
        await cockpit.press(pilot, "j", "j", "X")
        assert cockpit.line.called("build.cancel") == [{"build_id": "b-1006"}]


async def test_somebody_elses_build_is_cancelled_after_a_question_that_stands_on_cancel() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "X")
        assert cockpit.screen_name == "Confirm"
        assert "Stop the build of hero_db in the slot of integration?" in cockpit.text
        await cockpit.press(pilot, "enter")
        assert cockpit.line.called("build.cancel") == []
        cockpit.line.answers["build.cancel"] = running("b-1004")
        await cockpit.press(pilot, "X", "y")
        assert cockpit.line.called("build.cancel") == [{"build_id": "b-1004"}]


async def test_what_ended_cannot_be_cancelled() -> None:
    async with opened(answer(history(3))) as (cockpit, pilot):
        assert "X cancel" not in cockpit.text
        await cockpit.press(pilot, "X")
        assert cockpit.screen_name == "BuildsScreen"


async def test_a_build_is_asked_for_again_and_published() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["codescalers.build.submit"] = BuildSubmitResult(build_id="b-2000", state="queued")
        await cockpit.press(pilot, "j", "b", "p", *"hero_router", "enter")
        asked = cockpit.line.called("codescalers.build.submit")
        assert [(one["user"], one["service"], one["branch"], one["publish"]) for one in asked] == [
            ("alice", "hero_router", "development_alice", False),
            ("alice", "hero_router", "development_alice", True),
        ]
        assert "b-2000 of hero_router for alice is queued" in cockpit.text


async def test_a_refusal_of_the_box_is_told() -> None:
    async with opened() as (cockpit, pilot):
        refused = HeroError("denied", "That is mik's slot.", hint="Ask mik.")
        cockpit.line.answers["codescalers.build.submit"] = refused
        await cockpit.press(pilot, "j", "b")
        assert "That is mik's slot. Ask mik." in cockpit.text


async def test_a_read_only_cockpit_changes_nothing() -> None:
    async with opened(read_only=True) as (cockpit, pilot):
        await cockpit.press(pilot, "j", "b", "p", "X")
        assert "rebuild  p" not in cockpit.text
        cockpit.app.desk.begin_build("alice", "hero_db", "development", False)
        cockpit.app.desk.cancel_build("b-1005")
        await cockpit.settle(pilot)
        assert "This cockpit is read-only." in cockpit.text
        assert cockpit.line.called("codescalers.build.submit") == cockpit.line.called("build.cancel") == []


async def test_the_link_of_a_release_is_copied() -> None:
    ended = build("b-1", tag="development-9f3c21ab")
    async with opened(answer([ended])) as (cockpit, pilot):
        release = ReleaseInfo(tag=ended.tag, branch="development", commit=ended.commit, url="https://forge/r/1")
        cockpit.line.answers["release.list"] = ReleaseListResult(releases=(release,))
        await cockpit.press(pilot, "o")
        assert cockpit.app.clipboard == "https://forge/r/1"
        cockpit.line.answers["release.list"] = ReleaseListResult(releases=())
        await cockpit.press(pilot, "o")
        assert "The forge tells no link of development-9f3c21ab." in cockpit.text


async def test_a_part_of_a_build_is_copied() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "c", *"commit", "enter")
        assert cockpit.app.clipboard == "9f3c21ab" * 5


async def test_seconds_are_counted_while_a_build_runs() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.now = NOW + timedelta(seconds=12)
        cockpit.app.here.tick()
        await cockpit.settle(pilot)
        assert "for 42s" in cockpit.text


async def test_the_slot_tells_the_phases_of_what_runs() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j")
        known = under_cursor(cockpit)
        told_by_slot = known.model_copy(update={"phases": phases(8.1)[:3]})
        cockpit.tell(changed(11, "alice", cell("hero_router", build=told_by_slot)))
        await cockpit.settle(pilot)
        assert "queue 0.1  worktree 0.3  compile 8.1  pack 0.6" in cockpit.text
        assert "◴ pack" in cockpit.text


async def test_details_give_way_to_the_list() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "d")
        assert "usually" not in cockpit.text
        await cockpit.until(pilot, lambda: cockpit.line.following == 0)
        await cockpit.press(pilot, "d")
        assert "usually" in cockpit.text


async def test_nothing_listens_after_it_was_left() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "FleetScreen"
        assert cockpit.app.desk._listeners == []
        await cockpit.until(pilot, lambda: cockpit.line.following == 0)


async def test_help_tells_the_keys_of_builds() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "question_mark")
        assert "Build it again, and publish it" in cockpit.text
        assert "the builds" in cockpit.text
