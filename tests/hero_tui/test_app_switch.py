"""The switch dialog and the plan: opens before anything answers, runs nothing that was not agreed to."""

from __future__ import annotations

import asyncio

from textual.widgets import Button

from backends.model.errors import HeroError
from backends.model.slot_calls import CandidatesResult, OperationRef
from screens.switch import SwitchDialog
from screens.switch_choices import NEWEST, REFUSED
from screens.widgets.picker import FuzzyPicker
from tests.hero_tui.fleets import CANDIDATES, NOW, PLAN, Cockpit, cell, failure, operation, progress, snapshot
from tests.hero_tui.releases import page_of, release, some_releases


async def test_it_opens_before_anything_has_answered_and_fills() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        waiting = asyncio.get_running_loop().create_future()
        cockpit.line.answers["slot.candidates"] = waiting
        await cockpit.press(pilot, "right", "s")
        assert "switch hero_router" in cockpit.text
        assert "loading…" in cockpit.text
        waiting.set_result(CandidatesResult(items=tuple(CANDIDATES["releases"])))
        await cockpit.settle(pilot)
        assert "Weighted routes, with a canary" in cockpit.text
        assert "loading…" not in cockpit.text


async def test_it_can_be_left_before_anything_has_answered() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        waiting = asyncio.get_running_loop().create_future()
        cockpit.line.answers |= {"slot.candidates": waiting, "release.list": waiting}
        await cockpit.press(pilot, "right", "s", "escape")
        assert cockpit.screen_name == "FleetScreen"


async def test_the_newest_release_is_highlighted_whatever_came_first() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        later = asyncio.get_running_loop().create_future()

        def answer(_: str, asked: dict[str, str]) -> object:
            return (
                later if asked["kind"] == "releases" else CandidatesResult(items=tuple(CANDIDATES[asked["kind"]]))
            )

        cockpit.line.answers["slot.candidates"] = answer
        await cockpit.press(pilot, "s")
        later.set_result(CandidatesResult(items=tuple(CANDIDATES["releases"])))
        await cockpit.settle(pilot)
        item = pilot.app.screen.query_one(FuzzyPicker).highlighted
        assert item is not None
        assert item.key.startswith("release development ")


async def test_every_page_is_asked_for() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:

        def answer(_: str, asked: dict[str, object]) -> object:
            items = tuple(CANDIDATES[str(asked["kind"])]) if asked["page"] == 1 else ()
            return CandidatesResult(items=items, next_page=2 if asked["page"] == 1 else None)

        cockpit.line.answers["slot.candidates"] = answer
        await cockpit.press(pilot, "s")
        pages = sorted((one["kind"], one["page"]) for one in cockpit.line.called("slot.candidates"))
        assert pages == [(kind, page) for kind in ("branches", "pinned", "releases") for page in (1, 2)]


async def test_what_cannot_be_listed_is_said_and_the_rest_is_there() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:

        def answer(_: str, asked: dict[str, str]) -> object:
            if asked["kind"] == "branches":
                return HeroError("unreachable", "The forge does not answer.")
            return CandidatesResult(items=tuple(CANDIDATES[asked["kind"]]))

        cockpit.line.answers["slot.candidates"] = answer
        await cockpit.press(pilot, "s")
        assert "branches: The forge does not answer." in cockpit.text
        assert "Weighted routes" in cockpit.text


async def test_a_search_an_enter_and_an_enter_switch_to_a_release() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "right", "s", *"mik", "enter")
        assert "hero_router-linux-any.tar.gz" in cockpit.text
        assert "downloads 16.2 kB · restarts hero_router" in cockpit.text
        assert cockpit.line.called("slot.switch") == []
        await cockpit.press(pilot, "enter")
        wanted = {"service": "hero_router", "branch": "development_mik", "from": "release", "back": False}
        assert cockpit.line.called("slot.switch") == [wanted]
        assert cockpit.screen_name == "FleetScreen"


async def test_an_older_release_is_pinned_and_a_branch_is_built() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "s")
        dialog = pilot.app.screen
        assert isinstance(dialog, SwitchDialog)
        asked = {key: choice.params for key, choice in dialog._choices.items()}
        older = asked["release development " + "0000000c" * 5]
        assert (older.source, older.hash) == ("hash", "0000000c")
        branch = asked["branch development_mik " + "00000002" * 5]
        assert (branch.source, branch.hash) == ("build", None)


async def test_a_plan_that_compiles_stands_on_cancel() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["slot.plan"] = PLAN.model_copy(update={"compiles": True})
        await cockpit.press(pilot, "right", "s", "enter")
        assert pilot.app.focused is pilot.app.screen.query_one("#plan-cancel", Button)
        await cockpit.press(pilot, "enter")
        assert cockpit.line.called("slot.switch") == []
        assert cockpit.screen_name == "SwitchDialog"


async def test_a_plan_that_warns_stands_on_cancel() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["slot.plan"] = PLAN.model_copy(update={"warnings": ("hero_web depends on it.",)})
        await cockpit.press(pilot, "right", "s", "enter")
        assert "▲ hero_web depends on it." in cockpit.text
        assert pilot.app.focused is pilot.app.screen.query_one("#plan-cancel", Button)
        await cockpit.press(pilot, "y")
        assert len(cockpit.line.called("slot.switch")) == 1


async def test_a_plan_that_does_nothing_offers_nothing_to_run() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["slot.plan"] = PLAN.model_copy(update={"nothing_to_do": True, "steps": ()})
        await cockpit.press(pilot, "right", "s", "enter", "y")
        assert "Nothing to do" in cockpit.text
        assert cockpit.line.called("slot.switch") == []


async def test_a_plan_that_fails_says_why() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["slot.plan"] = HeroError("not_found", "There is no release.", hint="Compile it here.")
        await cockpit.press(pilot, "right", "s", "enter", "y")
        assert "There is no release." in cockpit.text
        assert "Compile it here." in cockpit.text
        assert cockpit.line.called("slot.switch") == []


async def test_capital_b_goes_back_to_what_ran_before() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "right", "s")
        assert "↶ back" in cockpit.text
        await cockpit.press(pilot, "B", "enter")
        assert cockpit.line.called("slot.switch") == [{"service": "hero_router", "back": True}]


async def test_a_capital_b_in_a_search_is_a_letter() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "right", "s", "a", "B")
        assert cockpit.screen_name == "SwitchDialog"
        assert "aB" in cockpit.text


async def test_a_failure_stays_with_message_hint_and_last_lines() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        failed = operation(
            "op-1",
            state="failed",
            error=failure("build_failed", "The build failed: exit 1.\n  more", "Its log is b.log."),
            result={"last_lines": ["compiling", "error: no such thing"]},
        )
        cockpit.line.answers["operation.wait"] = failed
        cockpit.line.answers["slot.switch"] = OperationRef(operation="op-1")
        await cockpit.press(pilot, "right", "s", "enter", "enter")
        for told in ("The build failed: exit 1.", "error: no such thing", "Its log is b.log."):
            assert told in cockpit.text
        await cockpit.press(pilot, "escape")
        assert "The build failed" not in cockpit.text


async def test_progress_of_what_i_began_is_told_below() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        waiting = asyncio.get_running_loop().create_future()
        cockpit.line.answers["operation.wait"] = waiting
        await cockpit.press(pilot, "right", "r")
        running = operation("op-1", kind="restart", service="", title="restart hero_router")
        cockpit.tell(progress("alice", running.model_copy(update={"phase": "start"})))
        await cockpit.settle(pilot)
        assert "↻ restart hero_router" in cockpit.text
        assert "X cancel" in cockpit.text
        waiting.set_result(running.model_copy(update={"state": "cancelled"}))
        await cockpit.settle(pilot)
        assert "cancelled" in cockpit.text


async def test_build_pull_and_stop_show_their_plan_first() -> None:
    for key, method in (("b", "slot.rebuild"), ("P", "slot.pull"), ("x", "slot.stop")):
        cockpit = Cockpit()
        async with cockpit.running() as pilot:
            await cockpit.press(pilot, key)
            assert cockpit.screen_name == "PlanDialog"
            assert cockpit.line.called(method) == []
            await cockpit.press(pilot, "y")
            assert len(cockpit.line.called(method)) == 1


async def test_releases_are_those_of_the_box_and_what_cannot_run_here_says_why() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["release.list"] = page_of(some_releases())
        await cockpit.press(pilot, "right", "s")
        assert {one["kind"] for one in cockpit.line.called("slot.candidates")} == {"branches", "pinned"}
        assert "runs now" in cockpit.text
        dialog = pilot.app.screen
        assert isinstance(dialog, SwitchDialog)
        sections = {choice.item.key.split()[-1][:8]: choice.item.section for choice in dialog._choices.values()}
        assert sections["9f3c21ab"] == NEWEST
        assert sections["5b07d9e2"] == sections["c40e8812"] == REFUSED
        await cockpit.press(pilot, *"c40e8812")
        assert "not for this machine" in cockpit.text
        await cockpit.press(pilot, "enter")
        assert "only: darwin-arm64." in cockpit.text
        assert cockpit.screen_name == "SwitchDialog"


async def test_a_release_of_the_box_that_is_installed_says_so() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        here = release("0000000c" * 5, published_at=NOW)
        cockpit.line.answers["release.list"] = page_of([here, *some_releases()])
        await cockpit.press(pilot, "right", "s")
        assert "installed · 12 dl · 0s" in cockpit.text


async def test_a_binding_on_another_repository_asks_its_slot_for_releases() -> None:
    cockpit = Cockpit(first=snapshot(alice=[cell("hero_db", repo="mik/hero_db")]))
    async with cockpit.running() as pilot:
        cockpit.line.answers["release.list"] = page_of(some_releases())
        await cockpit.press(pilot, "s")
        assert cockpit.line.called("release.list") == []
        assert "releases" in {one["kind"] for one in cockpit.line.called("slot.candidates")}


async def test_a_box_that_cannot_list_releases_leaves_it_to_the_slot() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["release.list"] = HeroError("unreachable", "The forge does not answer.")
        await cockpit.press(pilot, "s")
        assert "The forge does not answer." not in cockpit.text
        assert "Keep websockets open over a change" in cockpit.text
