"""Many builds at once: sorted by what one looks for, marked, and stopped, built again or copied together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backends.model.build_calls import BuildListResult, BuildSubmitResult
from backends.model.state import Build
from screens.builds import LOOKED_THROUGH
from screens.widgets.linelist import LineList
from tests.hero_tui.builds import answer, build, history, queued, running, some_builds, told
from tests.hero_tui.fleets import NOW, Cockpit
from tests.hero_tui.test_app_builds import opened, shown, under_cursor

HOSTILE = "dev\x1b[2J\x1b]0;x\x07\r\nrm -rf [bold]\u202e"
MINE = [queued("b-1"), running("b-2", service="hero_router"), build("b-3", service="hero_books")]


def rows(cockpit: Cockpit) -> list[Build]:
    return list(cockpit.app.screen.query_one(LineList).rows)


def stopped(cockpit: Cockpit) -> list[str]:
    return [one["build_id"] for one in cockpit.line.called("build.cancel")]


def submitted(cockpit: Cockpit) -> list[tuple[str, str, str]]:
    asked = cockpit.line.called("codescalers.build.submit")
    return [(one["user"], one["service"], one["branch"]) for one in asked]


async def test_builds_are_sorted_by_one_thing_after_the_other() -> None:
    async with opened() as (cockpit, pilot):
        queue = shown(cockpit)
        await cockpit.press(pilot, "O")
        assert "at most 2 at once · by slowest" in cockpit.text
        assert shown(cockpit)[-4:] == ["b-1006", "b-1007", "b-1008", "b-994"]
        assert under_cursor(cockpit).id == queue[0]
        await cockpit.press(pilot, "O")
        services = [one.service for one in rows(cockpit)]
        assert services == sorted(services)
        await cockpit.press(pilot, "O")
        slots = [one.slot for one in rows(cockpit)]
        assert slots == sorted(slots)
        await cockpit.press(pilot, "O")
        assert [one.state for one in rows(cockpit)[:3]] == ["failed", "failed", "running"]
        await cockpit.press(pilot, "O")
        assert shown(cockpit) == queue
        assert " by " not in cockpit.text.splitlines()[1]


async def test_what_is_filtered_is_sorted() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "O", "slash", *"router", "enter")
        took = [(one.finished_at or NOW) - one.started_at for one in rows(cockpit) if one.started_at]
        assert len(took) > 5
        assert took == sorted(took, reverse=True)


async def test_what_runs_goes_up_among_the_slowest_as_it_gets_slower() -> None:
    async with opened(answer([running("b-1"), build("b-2")])) as (cockpit, pilot):
        await cockpit.press(pilot, "O")
        assert shown(cockpit) == ["b-2", "b-1"]
        cockpit.now = NOW + timedelta(minutes=1)
        cockpit.app.here.tick()
        assert shown(cockpit) == ["b-1", "b-2"]


async def test_sorted_older_builds_are_asked_for_from_the_oldest_and_not_without_end() -> None:
    every = history(900)

    def pages(_: str, asked: dict[str, Any]) -> BuildListResult:
        begin = next((place + 1 for place, one in enumerate(every) if one.id == asked.get("before")), 0)
        return answer(every[begin : begin + 100], more=begin + 100 < len(every))

    async with opened(pages) as (cockpit, pilot):
        await cockpit.press(pilot, "O", "G")
        await cockpit.until(pilot, lambda: len(shown(cockpit)) == LOOKED_THROUGH)
        await cockpit.press(pilot, "G")
        asked = [one.get("before") for one in cockpit.line.called("build.list")]
        assert asked == [None, *(every[number].id for number in (99, 199, 299, 399))]
        assert "of the newest 500" in cockpit.text


async def test_all_that_are_marked_are_stopped_after_one_question() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["build.cancel"] = queued("b-1006").model_copy(update={"state": "cancelled"})
        await cockpit.press(pilot, *["space"] * 6)
        assert "6 marked" in cockpit.text
        await cockpit.press(pilot, "X")
        assert "Stop 5 builds?" in cockpit.text  # the sixth has ended
        assert "hero_books · mik · development_mik · queued" in cockpit.text
        assert "Not your slot: integration, mik." in cockpit.text
        await cockpit.press(pilot, "enter")
        assert stopped(cockpit) == []
        assert "6 marked" in cockpit.text
        await cockpit.press(pilot, "X", "y")
        assert sorted(stopped(cockpit)) == ["b-1004", "b-1005", "b-1006", "b-1007", "b-1008"]
        assert "marked" not in cockpit.text


async def test_what_is_marked_is_what_keys_act_on_wherever_the_cursor_is() -> None:
    async with opened(answer(MINE)) as (cockpit, pilot):
        cockpit.line.answers["build.cancel"] = running("b-2")
        await cockpit.press(pilot, "G", "space")
        assert "X cancel" not in cockpit.text  # it has ended
        await cockpit.press(pilot, "g", "X")
        assert stopped(cockpit) == []
        await cockpit.press(pilot, "space", "g", "X")
        assert stopped(cockpit) == ["b-2"]  # one of mine alone, which is stopped at once
        await cockpit.press(pilot, "X")
        assert stopped(cockpit) == ["b-2", "b-2"]  # without marks it is the one under the cursor


async def test_what_is_marked_is_built_again_each_branch_once_and_published_alone() -> None:
    same = build("b-4", service="hero_books")
    async with opened(answer([*MINE, same])) as (cockpit, pilot):
        cockpit.line.answers["codescalers.build.submit"] = BuildSubmitResult(build_id="b-9", state="queued")
        await cockpit.press(pilot, *["space"] * 4, "b")
        assert sorted(submitted(cockpit)) == [
            ("alice", service, "development") for service in ("hero_books", "hero_db", "hero_router")
        ]
        assert "marked" not in cockpit.text
        await cockpit.press(pilot, "g", "space", "space", "G")
        service = under_cursor(cockpit).service
        await cockpit.press(pilot, "p")
        assert f"Build and publish {service} in the slot of alice?" in cockpit.text


async def test_a_question_about_very_many_names_some_and_counts_the_others() -> None:
    many = [queued(f"b-{number}", slot="mik", service=f"svc{number}") for number in range(12)]
    async with opened(answer(many), size=(80, 24)) as (cockpit, pilot):
        await cockpit.press(pilot, *["space"] * 12, "X")
        assert "Stop 12 builds?" in cockpit.text
        assert "and 4 more" in cockpit.text
        assert cockpit.text.count("· mik · development · queued") == 8


async def test_no_name_of_a_build_gets_out_of_its_line_in_the_question_or_on_the_clipboard() -> None:
    bad = [
        queued(f"b-{number}", slot="mik", service=HOSTILE, branch=HOSTILE * 20, tag=HOSTILE, error=HOSTILE)
        for number in range(2)
    ]
    async with opened(answer(bad)) as (cockpit, pilot):
        await cockpit.press(pilot, "space", "space", "X")
        assert "Stop 2 builds?" in cockpit.text
        assert sum(" · mik · dev" in line and " · queued" in line for line in cockpit.text.splitlines()) == 2
        assert "\x1b" not in cockpit.text
        await cockpit.press(pilot, "escape")
        for what, count in (("ids", 2), ("branches", 2), ("tags", 2), ("errors", 2)):
            await cockpit.press(pilot, "c", *what, "enter")
            assert len(cockpit.app.clipboard.splitlines()) == count
            assert cockpit.app.clipboard.replace("\n", "").isprintable()


async def test_the_ids_of_all_that_are_marked_are_copied_and_the_marks_stay() -> None:
    async with opened(answer(MINE)) as (cockpit, pilot):
        await cockpit.press(pilot, "space", "space", "c", *"ids", "enter")
        assert sorted(cockpit.app.clipboard.splitlines()) == ["b-1", "b-2"]
        assert "2 marked" in cockpit.text


async def test_escape_takes_back_the_filter_then_the_marks_then_the_place() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "space", "exclamation_mark")
        assert "1 marked" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert len(shown(cockpit)) == len(some_builds())
        assert "1 marked" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert "marked" not in cockpit.text
        assert cockpit.screen_name == "BuildsScreen"
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "FleetScreen"


async def test_a_mark_goes_with_its_build() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "space", "space")
        cockpit.tell(told(11, build("b-1004", slot="integration", finished_at=NOW)))
        await cockpit.settle(pilot)
        assert "2 marked" in cockpit.text
        cockpit.line.answers["build.list"] = answer([running("b-1005"), build("b-7")])
        await cockpit.press(pilot, "ctrl+r")
        assert shown(cockpit) == ["b-1005", "b-7"]
        assert "1 marked" in cockpit.text


async def test_sort_and_marks_are_there_again_after_a_visit_elsewhere() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "O", "g", "space", "space", "1")
        assert cockpit.screen_name == "FleetScreen"
        await cockpit.press(pilot, "left_square_bracket")
        await cockpit.until(pilot, lambda: "by slowest · 2 marked" in cockpit.text)
        assert shown(cockpit)[:2] == ["b-973", "b-984"]
        await cockpit.press(pilot, "escape")
        assert "marked" not in cockpit.text


async def test_a_read_only_cockpit_marks_to_copy_and_changes_nothing() -> None:
    async with opened(read_only=True) as (cockpit, pilot):
        await cockpit.press(pilot, "space", "space", "X", "b")
        assert "2 marked" in cockpit.text
        assert (stopped(cockpit), submitted(cockpit)) == ([], [])


async def test_enter_on_what_waits_says_why_there_is_no_log() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j", "j", "enter")
        assert "It has not begun yet." in cockpit.text
