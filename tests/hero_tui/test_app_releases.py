"""The releases screen and the comparison: a page at once, the rest as one scrolls, news as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from backends.model.errors import HeroError
from backends.model.forge import ReleaseInfo
from backends.model.forge_calls import CompareResult
from backends.model.state import Event
from screens.widgets.linelist import LineList
from tests.hero_tui.builds import build, told
from tests.hero_tui.fleets import NOW, Cockpit, cell, changed
from tests.hero_tui.releases import (
    RUNS,
    commits,
    gate,
    gates,
    history,
    page_of,
    published,
    release,
    some_releases,
    waiting_gate,
)


@asynccontextmanager
async def opened(
    releases: Any = None, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The cockpit on the releases of hero_router."""
    cockpit = Cockpit(**options)
    async with cockpit.running(size) as pilot:
        cockpit.line.answers["release.list"] = page_of(some_releases()) if releases is None else releases
        cockpit.line.answers["gate.list"] = gates(waiting_gate())
        await cockpit.press(pilot, "right", "5")
        yield cockpit, pilot


def table(cockpit: Cockpit) -> LineList[Any]:
    """The list of the screen."""
    return cockpit.app.screen.query_one(LineList)


def shown(cockpit: Cockpit) -> list[str]:
    """The tags in the list."""
    return [one.tag for one in table(cockpit).rows]


def under_cursor(cockpit: Cockpit) -> ReleaseInfo:
    """The release that keys act on."""
    found = table(cockpit).row
    assert isinstance(found, ReleaseInfo)
    return found


async def test_enter_on_the_integration_row_shows_what_is_published() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers |= {"release.list": page_of(some_releases()), "gate.list": gates(gate())}
        await cockpit.press(pilot, "right", "g", "enter")
        assert cockpit.screen_name == "ReleasesScreen"
        assert shown(cockpit) == [one.tag for one in some_releases()]
        assert "gate of hero_router · development" in cockpit.text
        assert "builds ✓ pass   archives ✓ pass   healthy ✓ pass" in cockpit.text
        assert cockpit.line.called("release.list") == [{"service": "hero_router", "page": 1, "limit": 50}]


async def test_the_gate_says_what_is_in_the_way() -> None:
    async with opened() as (cockpit, _):
        assert "archives ✗ no linux-musl-aarch64   healthy ◌ wait" in cockpit.text
        assert "development-9f3c21ab has no archive for linux-musl-aarch64." in cockpit.text
        assert "runs in 4 slots" in cockpit.text


async def test_it_opens_before_anything_has_answered() -> None:
    reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    async with opened(reply) as (cockpit, pilot):
        assert "Asking the forge…" in cockpit.text
        assert "has no archive" in cockpit.text
        reply.set_result(page_of(some_releases())("", {"page": 1, "limit": 50}))
        await cockpit.settle(pilot)
        assert "Asking the forge…" not in cockpit.text
        assert shown(cockpit) == [one.tag for one in some_releases()]


async def test_older_ones_come_as_one_scrolls_and_never_all() -> None:
    every = history(5000)
    async with opened(page_of(every), size=(120, 40)) as (cockpit, pilot):
        assert len(shown(cockpit)) == 50
        assert "releases · 50 and more" in cockpit.text
        await cockpit.press(pilot, "G")
        assert shown(cockpit) == [one.tag for one in every[:100]]
        assert [one["page"] for one in cockpit.line.called("release.list")] == [1, 2]


async def test_only_what_is_visible_is_painted() -> None:
    async with opened(page_of(history(5000)), size=(120, 40)) as (cockpit, pilot):
        painted: list[int] = []
        lines = table(cockpit)
        render = lines.render_line
        lines.render_line = lambda y: (painted.append(y), render(y))[1]  # type: ignore[method-assign, func-returns-value]
        cockpit.tell(changed(11, "mik", cell("hero_router", tag=history(3)[2].tag)))
        await cockpit.settle(pilot)
        assert set(painted) == {3}


async def test_a_page_that_tells_nothing_new_ends_it() -> None:
    def always_the_same(_: str, asked: dict[str, Any]) -> object:
        return page_of(history(50))("", asked | {"page": 1}).model_copy(update={"next_page": asked["page"] + 1})

    async with opened(always_the_same) as (cockpit, pilot):
        await cockpit.press(pilot, "G", "g", "G", "g", "G", "g", "G")
        assert len(cockpit.line.called("release.list")) <= 5
        assert "and more" not in cockpit.text


async def test_a_new_release_stands_on_top_and_the_cursor_stays_on_its_own() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j", "j")
        fresh = release("beef0001" * 5, published_at=NOW)
        cockpit.tell(published(11, fresh))
        await cockpit.settle(pilot)
        assert shown(cockpit)[0] == fresh.tag
        assert under_cursor(cockpit).commit == RUNS
        assert len(cockpit.line.called("release.list")) == 1
        assert len(cockpit.line.called("gate.list")) == 2


async def test_once_scrolled_news_do_not_move_the_line_of_the_cursor() -> None:
    async with opened(page_of(history(60)), size=(120, 40)) as (cockpit, pilot):
        await cockpit.press(pilot, "G")
        lines = table(cockpit)
        before = (under_cursor(cockpit).tag, lines._cursor - lines.scroll_offset.y)
        cockpit.tell(
            *(published(11 + number, release(f"beef{number:04x}" * 5, published_at=NOW)) for number in range(3))
        )
        await cockpit.settle(pilot)
        assert (under_cursor(cockpit).tag, lines._cursor - lines.scroll_offset.y) == before


async def test_news_of_another_service_are_not_mine() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.tell(published(11, release("beef0001" * 5, published_at=NOW), "hero_db"))
        await cockpit.settle(pilot)
        assert shown(cockpit) == [one.tag for one in some_releases()]


@pytest.mark.parametrize("data", [{}, {"services": None}, {"services": ["hero_router"], "release": {"tag": 3}}])
async def test_news_that_cannot_be_read_do_no_harm(data: dict[str, Any]) -> None:
    async with opened() as (cockpit, pilot):
        cockpit.tell(
            Event(seq=11, time=NOW, box="demo", slot="", kind="release.published", subject="x", data=data)
        )
        await cockpit.settle(pilot)
        assert shown(cockpit) == [one.tag for one in some_releases()]


async def test_a_slot_that_has_published_lets_the_box_be_asked() -> None:
    async with opened() as (cockpit, pilot):
        data = {"tag": "development-beef0001", "commit": "beef0001" * 5}
        fresh = release("beef0001" * 5, published_at=NOW)
        cockpit.line.answers["release.list"] = page_of([fresh, *some_releases()])
        cockpit.tell(
            Event(
                seq=11,
                time=NOW,
                box="demo",
                slot="mik",
                kind="release.published",
                subject="hero_router",
                data=data,
            )
        )
        await cockpit.settle(pilot)
        assert shown(cockpit)[0] == fresh.tag


async def test_the_gate_is_asked_again_when_the_integration_slot_changes() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["gate.list"] = gates(gate())
        one = build("b-1", slot="integration", service="hero_router")
        cockpit.tell(*(told(20 + number, one) for number in range(50)))
        await cockpit.settle(pilot)
        assert "Fit for everybody" in cockpit.text
        assert len(cockpit.line.called("gate.list")) <= 3
        cockpit.line.answers["gate.list"] = gates(waiting_gate())
        cockpit.tell(changed(90, "integration", cell("hero_router", health="crashed", tag="")))
        await cockpit.settle(pilot)
        assert "Fit for everybody" not in cockpit.text


async def test_a_gate_that_is_not_told_says_why() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["release.list"] = page_of(some_releases())
        cockpit.line.answers["gate.list"] = HeroError(
            "failed", "The box is older than this cockpit.", hint="Update it."
        )
        await cockpit.press(pilot, "right", "5")
        assert "The box is older than this cockpit. Update it." in cockpit.text
        assert shown(cockpit)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (page_of([]), "`hero_dev rebuild hero_router --publish` makes the first."),
        (
            HeroError("unreachable", "The forge does not answer.", hint="Look at its machine."),
            "ctrl-r tries again.",
        ),
    ],
    ids=["empty", "refused"],
)
async def test_a_list_without_lines_says_why(reply: Any, says: str) -> None:
    async with opened(reply) as (cockpit, pilot):
        assert says in cockpit.text
        cockpit.line.answers["release.list"] = page_of(some_releases())
        await cockpit.press(pilot, "ctrl+r")
        assert shown(cockpit) == [one.tag for one in some_releases()]
        assert any(one["fresh"] for one in cockpit.line.called("gate.list"))


async def test_what_is_shown_stays_when_the_box_goes_and_is_asked_again_when_it_comes() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.on_state("reconnecting", "The box's daemon has gone.")
        await cockpit.settle(pilot)
        assert "not up to date: the box is not connected" in cockpit.text
        assert shown(cockpit)
        cockpit.line.answers["release.list"] = HeroError("unreachable", "The forge does not answer.")
        cockpit.line.on_state("online", "")
        await cockpit.settle(pilot)
        assert "not up to date: The forge does not answer." in cockpit.text
        assert shown(cockpit)


async def test_branches_take_turns() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "f")
        assert {one.branch for one in table(cockpit).rows} == {"development"}
        assert "releases of development" in cockpit.text
        assert cockpit.line.called("release.list")[-1]["branch"] == "development"
        await cockpit.press(pilot, "f")
        assert len(shown(cockpit)) == len(some_releases())


async def test_a_branch_that_is_typed_is_asked_for_and_words_are_looked_for_here() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "slash", *"=feature/router-metrics", "enter")
        assert shown(cockpit) == ["feature/router-metrics-c40e8812"]
        await cockpit.press(pilot, "escape", "slash", *"canary", "enter")
        assert {one.subject for one in table(cockpit).rows} == {"Weighted routes, with a canary"}
        await cockpit.press(pilot, "slash", *"zzz", "enter")
        assert "Nothing matches." in cockpit.text
        await cockpit.press(pilot, "escape")
        assert len(shown(cockpit)) == len(some_releases())


async def test_a_filter_that_leaves_nothing_looks_through_some_older_pages() -> None:
    async with opened(page_of(history(5000))) as (cockpit, pilot):
        await cockpit.press(pilot, "slash", *"zzzz", "enter")
        await cockpit.settle(pilot)
        assert "None of the newest 500 matches." in cockpit.text
        assert len(cockpit.line.called("release.list")) == 10


async def test_enter_installs_the_very_release_after_its_plan() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "enter")
        assert cockpit.screen_name == "PlanDialog"
        asked = cockpit.line.called("slot.plan")[-1]
        assert (asked["action"], asked["from"], asked["hash"]) == ("switch", "hash", "9f3c21ab" * 5)
        assert cockpit.line.called("slot.install") == []
        await cockpit.press(pilot, "enter")
        wanted = {"service": "hero_router", "branch": "development", "tag": "development-9f3c21ab", "reset": False}
        assert cockpit.line.called("slot.install") == [wanted]
        assert cockpit.screen_name == "ReleasesScreen"


async def test_what_cannot_run_here_is_not_installed_and_says_why() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j", "enter")
        assert "nothing installs it" in cockpit.text
        await cockpit.press(pilot, "j", "j", "i")
        assert "no archive for this machine" in cockpit.text
        assert cockpit.line.called("slot.plan") == []


async def test_s_follows_the_branch() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "G", "s", "enter")
        wanted = {"service": "hero_router", "branch": "development_mik", "from": "release", "back": False}
        assert cockpit.line.called("slot.switch") == [wanted]


async def test_a_cockpit_that_may_only_look_offers_no_change() -> None:
    async with opened(read_only=True) as (cockpit, pilot):
        assert "enter install" not in cockpit.text
        await cockpit.press(pilot, "enter", "s")
        assert cockpit.screen_name == "ReleasesScreen"
        assert cockpit.line.called("slot.plan") == []


async def test_links_tags_and_builds_are_a_key_away() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "o")
        assert cockpit.app.clipboard.endswith("/tag/development-9f3c21ab")
        await cockpit.press(pilot, "c", *"install", "enter")
        assert cockpit.app.clipboard == "hero_dev install hero_router --tag development-9f3c21ab"
        await cockpit.press(pilot, "d")
        assert "by thabet" not in cockpit.text
        await cockpit.press(pilot, "b")
        assert cockpit.screen_name == "BuildsScreen"
        assert cockpit.line.called("build.list")[-1]["service"] == "hero_router"


# -- comparing ------------------------------------------------------------------------------------


async def test_the_marked_one_is_compared_older_to_newer() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["release.compare"] = commits(12)
        await cockpit.press(pilot, "space", "G", "equals_sign")
        assert cockpit.screen_name == "CompareScreen"
        assert "development_mik-00000006 → development-9f3c21ab · 12 commits" in cockpit.text
        asked = cockpit.line.called("release.compare")[-1]
        assert (asked["base"], asked["head"]) == ("00000006" * 5, "9f3c21ab" * 5)
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "ReleasesScreen"


async def test_without_a_mark_it_is_compared_with_what_i_run() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["release.compare"] = commits(1)
        await cockpit.press(pilot, "v")
        assert f"development-{RUNS[:8]} → development-9f3c21ab · 1 commit " in cockpit.text
        await cockpit.press(pilot, "escape", "j", "j", "v")
        assert "You run this very commit." in cockpit.text
        assert cockpit.screen_name == "ReleasesScreen"


async def test_the_wrong_direction_lists_nothing_and_offers_to_swap() -> None:
    def answer(_: str, asked: dict[str, Any]) -> CompareResult:
        return commits(3 if asked["head"] == "00000006" * 5 else 0)

    async with opened() as (cockpit, pilot):
        cockpit.line.answers["release.compare"] = answer
        await cockpit.press(pilot, "space", "G", "v")
        assert "development-9f3c21ab has no commit that development_mik-00000006 lacks" in cockpit.text
        assert "x looks the other way round." in cockpit.text
        await cockpit.press(pilot, "x")
        assert "development-9f3c21ab → development_mik-00000006 · 3 commits" in cockpit.text


async def test_more_commits_come_as_one_scrolls() -> None:
    def answer(_: str, asked: dict[str, Any]) -> CompareResult:
        begin = (asked["page"] - 1) * asked["limit"]
        following = asked["page"] + 1 if asked["page"] < 3 else None
        return commits(asked["limit"], begin=begin).model_copy(update={"next_page": following})

    async with opened() as (cockpit, pilot):
        cockpit.line.answers["release.compare"] = answer
        await cockpit.press(pilot, "v")
        assert "100 and more commits" in cockpit.text
        await cockpit.press(pilot, "G", "G", "G")
        assert "300 commits" in cockpit.text
        assert [one["page"] for one in cockpit.line.called("release.compare")] == [1, 2, 3]


async def test_a_comparison_that_fails_says_why_and_is_asked_again() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["release.compare"] = HeroError(
            "not_found", "There is no such commit.", hint="Fetch it."
        )
        await cockpit.press(pilot, "v")
        assert "There is no such commit." in cockpit.text
        cockpit.line.answers["release.compare"] = commits(2)
        await cockpit.press(pilot, "ctrl+r")
        assert "2 commits" in cockpit.text
        await cockpit.press(pilot, "c", *"subject", "enter")
        assert cockpit.app.clipboard == "Refuse paths with two dots"


async def test_help_knows_the_keys_of_both() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "question_mark")
        assert "Commits between it and mark, or mine" in cockpit.text
        cockpit.line.answers["release.compare"] = commits(2)
        await cockpit.press(pilot, "escape", "v", "question_mark")
        assert "Look the other way round" in cockpit.text


async def test_the_order_is_another_by_key_and_stays_so_over_a_visit_elsewhere() -> None:
    async with opened() as (cockpit, pilot):
        usual = [one.tag for one in some_releases()]
        await cockpit.press(pilot, "j")
        here = under_cursor(cockpit).tag
        await cockpit.press(pilot, "O")
        assert "by branch" in cockpit.text
        branches = [one.branch for one in table(cockpit).rows]
        assert branches == sorted(branches)
        assert under_cursor(cockpit).tag == here
        await cockpit.press(pilot, "O", "O", "1", "left_square_bracket")
        assert "by size" in cockpit.text
        assert sorted(shown(cockpit)) == sorted(usual)
        await cockpit.press(pilot, "O")
        assert (shown(cockpit), "· by" in cockpit.text) == (usual, False)


async def test_only_what_a_filter_leaves_is_sorted() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "slash", *"mik", "enter", "O", "O")
        authors = [one.author for one in table(cockpit).rows]
        assert 0 < len(authors) < len(some_releases())
        assert authors == sorted(authors)


async def test_the_last_line_of_another_order_asks_for_one_page_of_older_ones_and_not_for_all() -> None:
    every = history(5000)
    async with opened(page_of(every)) as (cockpit, pilot):
        await cockpit.press(pilot, "O", "O", "O", "G")  # by size: all older ones are larger
        assert [one["page"] for one in cockpit.line.called("release.list")] == [1, 2]
        assert shown(cockpit) == [one.tag for one in reversed(every[:100])]
        await cockpit.press(pilot, "k")
        assert [one["page"] for one in cockpit.line.called("release.list")] == [1, 2, 3]
