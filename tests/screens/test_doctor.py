"""The doctor's screen: findings as they come, mended by key after a question, never more than that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from textual.pilot import Pilot

from backends.model.errors import HeroError
from screens.doctor import DoctorScreen
from screens.examination import Looked
from screens.widgets.finding_model import FindingRow
from screens.widgets.linelist import LineList
from screens.widgets.textpane import TextPane
from tests.hero_tui.fleets import Cockpit
from tests.hero_tui.teams import LOCK, TREE, FakeDoctor, finding, job_of

Opened = tuple[Cockpit, Pilot[int], FakeDoctor]


@asynccontextmanager
async def opened(doctor: FakeDoctor, **options: Any) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The cockpit on its doctor, all checks that are not held made."""
    cockpit = Cockpit(**options)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "0")
        await looked(cockpit, pilot, doctor)
        yield cockpit, pilot


async def looked(cockpit: Cockpit, pilot: Pilot[int], doctor: FakeDoctor) -> None:
    done = len(doctor.looked) - len(doctor.held)
    await cockpit.until(
        pilot, lambda: sum(row.finding is not None and not row.again for row in rows(cockpit)) >= done
    )


def rows(cockpit: Cockpit) -> list[FindingRow]:
    return list(cockpit.app.screen._rows)  # type: ignore[attr-defined]


def shown(cockpit: Cockpit) -> list[str]:
    return [f"{row.job.id} {row.job.slot}".strip() for row in cockpit.app.screen.query_one(LineList).rows]


def detail(cockpit: Cockpit) -> str:
    return "\n".join("".join(text for text, _ in line) for line in cockpit.app.screen.query_one(TextPane).lines)


async def go_to(cockpit: Cockpit, pilot: Pilot[int], id: str) -> None:
    table: LineList[FindingRow] = cockpit.app.screen.query_one(LineList)
    assert table.put_cursor(
        next(row.key for row in rows(cockpit) if row.job.id == id and row.state in ("bad", "warn"))
    )
    await cockpit.settle(pilot)


async def test_everything_is_listed_by_area_with_what_was_found(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, _):
        assert "doctor · 2 bad · 2 to look at · 4 well · 1 skipped" in cockpit.text
        assert shown(cockpit)[:3] == ["box.file", "box.reconciler", "disk.space"]
        assert "looked" in cockpit.text


async def test_a_finding_says_why_it_matters_and_who_can_mend_it(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await go_to(cockpit, pilot, "git.locks")
        assert "Every fetch of the repository fails until it is gone." in detail(cockpit)
        assert "f does it, as `hero_dev doctor --fix` would" in detail(cockpit)
        await go_to(cockpit, pilot, "disk.space")
        assert "by hand: nothing here may do it" in detail(cockpit)


async def test_findings_come_as_they_are_made_and_the_rest_is_awaited(doctor: FakeDoctor) -> None:
    doctor.held = {"disk.space", "git.worktrees"}
    async with opened(doctor) as (cockpit, pilot):
        assert "2 to come" in cockpit.text
        assert "◌ looking…" in cockpit.text
        await cockpit.press(pilot, "j", "j", "j")
        here = cockpit.app.screen.query_one(LineList).row
        doctor.let("disk.space")
        await cockpit.until(pilot, lambda: "1 to come" in cockpit.text)
        assert cockpit.app.screen.query_one(LineList).row == here
        doctor.let("git.worktrees")
        await cockpit.until(pilot, lambda: "to come" not in cockpit.text)


async def test_one_is_mended_after_a_question_that_stands_on_cancel(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await go_to(cockpit, pilot, "git.locks")
        await cockpit.press(pilot, "f")
        assert "Mend locks?" in cockpit.text
        assert "rm ~/hero/src/.repos" in cockpit.text
        await cockpit.press(pilot, "enter")
        assert doctor.mended == []
        await cockpit.press(pilot, "f", "y")
        await cockpit.until(pilot, lambda: doctor.runs == 2)
        await looked(cockpit, pilot, doctor)
        assert doctor.mended == ["git.locks alice"]
        assert "✓ mended: Removed config.lock." in detail(cockpit)
        assert "1 of 1 mended" in cockpit.text
        assert "1 to look at" in cockpit.text


async def test_what_nobody_here_can_mend_is_not_offered(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await go_to(cockpit, pilot, "disk.space")
        assert "f mend" not in cockpit.text
        await cockpit.press(pilot, "f")
        assert cockpit.screen_name == "DoctorScreen"


async def test_all_that_can_be_mended_is_mended_together(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await cockpit.press(pilot, "F")
        assert "Mend 2 things?" in cockpit.text
        await cockpit.press(pilot, "y")
        await cockpit.until(pilot, lambda: doctor.runs == 2)
        assert doctor.mended == ["git.locks alice", "git.worktrees mik"]


async def test_with_marks_only_what_is_marked_is_mended(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await go_to(cockpit, pilot, "git.worktrees")
        await cockpit.press(pilot, "space", "F", "y")
        await cockpit.until(pilot, lambda: doctor.runs == 2)
        assert doctor.mended == ["git.worktrees mik"]


async def test_what_could_not_be_mended_says_why(doctor: FakeDoctor) -> None:
    doctor.failing = {"git.locks"}
    async with opened(doctor) as (cockpit, pilot):
        await go_to(cockpit, pilot, "git.locks")
        await cockpit.press(pilot, "f", "y")
        await cockpit.until(pilot, lambda: doctor.runs == 2)
        await looked(cockpit, pilot, doctor)
        assert "✗ not mended: Somebody has taken the lock." in detail(cockpit)
        assert "0 of 1 mended" in cockpit.text


async def test_a_read_only_cockpit_mends_nothing(doctor: FakeDoctor) -> None:
    async with opened(doctor, read_only=True) as (cockpit, pilot):
        await go_to(cockpit, pilot, "git.locks")
        await cockpit.press(pilot, "f", "F")
        assert (cockpit.screen_name, doctor.mended) == ("DoctorScreen", [])
        assert "this cockpit is read-only" in detail(cockpit)


async def test_another_users_slot_is_mended_as_a_whole_and_that_is_said(doctor: FakeDoctor) -> None:
    from dataclasses import replace

    whole = replace(job_of(TREE), whole=True)
    doctor.looked = [Looked(whole, (TREE,))]
    async with opened(doctor) as (cockpit, pilot):
        await cockpit.press(pilot, "f")
        assert "Mend the slot of mik?" in cockpit.text
        assert "slot mik: all that its owner's process can mend" in cockpit.text


async def test_filters_leave_what_is_wrong_what_is_mine_what_can_be_mended(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await cockpit.press(pilot, "exclamation_mark")
        assert shown(cockpit) == ["disk.space", "git.locks alice", "terminal.colours alice", "git.worktrees mik"]
        await cockpit.press(pilot, "full_stop")
        assert "git.worktrees mik" not in shown(cockpit)
        await cockpit.press(pilot, "m")
        assert shown(cockpit) == ["git.locks alice"]
        await cockpit.press(pilot, "escape", "escape", "escape", "slash", *"worktree", "enter")
        assert shown(cockpit) == ["git.worktrees mik"]
        await cockpit.press(pilot, "escape", "slash", *"!slot", "enter")
        assert "slot.manifest alice" not in shown(cockpit)


async def test_findings_are_sorted_by_area_and_by_slot_and_stay_so_over_a_visit_elsewhere(
    doctor: FakeDoctor,
) -> None:
    async with opened(doctor) as (cockpit, pilot):
        usual = shown(cockpit)
        await go_to(cockpit, pilot, "terminal.colours")
        here = cockpit.app.screen.query_one(LineList).row
        await cockpit.press(pilot, "O")
        assert "1 skipped · by area" in cockpit.text
        areas = [row.job.area for row in cockpit.app.screen.query_one(LineList).rows]
        assert areas == sorted(areas)
        assert cockpit.app.screen.query_one(LineList).row == here
        await cockpit.press(pilot, "O", "1", "left_square_bracket")
        assert "1 skipped · by slot" in cockpit.text
        slots = [row.job.slot for row in cockpit.app.screen.query_one(LineList).rows]
        assert slots == sorted(slots)
        await cockpit.press(pilot, "O")
        assert (shown(cockpit), "by " in cockpit.text.splitlines()[1]) == (usual, False)


async def test_the_title_says_how_many_are_marked(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await go_to(cockpit, pilot, "git.locks")
        await cockpit.press(pilot, "space")
        assert "1 skipped · 1 marked" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert "marked" not in cockpit.text


async def test_nothing_wrong_is_said_as_that(doctor: FakeDoctor) -> None:
    doctor.looked = [Looked(job_of(one), (one,)) for one in (finding("box.file", "ok", "It holds."),)]
    async with opened(doctor) as (cockpit, pilot):
        await cockpit.press(pilot, "exclamation_mark")
        assert "Nothing is wrong." in cockpit.text


async def test_a_doctor_that_cannot_look_says_why_and_tries_again(doctor: FakeDoctor) -> None:
    doctor.problem = HeroError("denied", "alice may not look into this box.", hint="Ask an admin.")
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "0")
        await cockpit.until(pilot, lambda: "The doctor cannot look." in cockpit.text)
        assert "alice may not look into this box." in cockpit.text
        doctor.problem = None
        await cockpit.press(pilot, "r")
        await looked(cockpit, pilot, doctor)
        assert "2 bad" in cockpit.text


async def test_what_was_found_stays_while_it_is_looked_at_again_and_gets_old(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        cockpit.now += timedelta(minutes=20)
        cockpit.app.here.tick()
        await cockpit.settle(pilot)
        assert "not up to date: looked 20m ago; r looks again" in cockpit.text
        doctor.held = {"git.locks"}
        await cockpit.press(pilot, "r")
        await cockpit.until(pilot, lambda: "1 to come" in cockpit.text)
        assert "A lock of a git" in cockpit.text
        doctor.let("git.locks")
        await looked(cockpit, pilot, doctor)


async def test_whoever_comes_back_soon_sees_what_was_found(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await cockpit.press(pilot, "1", "left_square_bracket")
        assert "2 bad" in cockpit.text
        assert doctor.runs == 1


async def test_a_finding_is_read_alone_and_left_by_esc(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, pilot):
        await cockpit.press(pilot, "enter")
        assert isinstance(cockpit.app.focused, TextPane)
        assert not cockpit.app.screen.query_one("#doctor-list").display
        await cockpit.press(pilot, "escape")
        assert isinstance(cockpit.app.focused, LineList)


async def test_escapes_in_what_was_found_reach_no_terminal(doctor: FakeDoctor) -> None:
    evil = LOCK.model_copy(update={"what": "\x1b]52;c;x\x07evil\u202e", "mend": "rm \x1b[31mx"})
    doctor.looked = [Looked(job_of(LOCK), (evil,))]
    async with opened(doctor) as (cockpit, _):
        assert "\x1b" not in cockpit.text
        assert "\u202e" not in cockpit.text
        assert "evil" in cockpit.text


async def test_what_is_found_while_its_widgets_are_taken_away_goes_nowhere(doctor: FakeDoctor) -> None:
    async with opened(doctor) as (cockpit, _):
        screen = cockpit.app.screen
        assert isinstance(screen, DoctorScreen)
        leaving = cockpit.app.pop_screen()
        async with asyncio.timeout(30):
            while screen.query(LineList):
                await asyncio.sleep(0)
        screen.show_rows()
        await leaving
