"""Lists that change while they are sorted, filtered and marked: keys act on what a person has marked, no more."""

from __future__ import annotations

from dataclasses import replace

from backends.model.health_report import HealthFinding
from backends.model.state import Event
from screens.examination import Looked
from screens.inbox import InboxScreen
from screens.widgets.linelist import LineList
from tests.hero_tui.agents import agent, agent_changed, question_changed
from tests.hero_tui.builds import answer, build, queued, running, told
from tests.hero_tui.fleets import NOW, Cockpit
from tests.hero_tui.teams import LOCK, FakeDoctor, FakeTeam, job_of, some_look
from tests.hero_tui.test_app_builds import opened as builds
from tests.screens.test_agents import DONE, settled
from tests.screens.test_agents import opened as agents
from tests.screens.test_doctor import go_to as go_to_finding
from tests.screens.test_doctor import looked
from tests.screens.test_doctor import opened as examined
from tests.screens.test_inbox import opened as inbox_of
from tests.screens.test_team import go_to as go_to_person
from tests.screens.test_team import opened as team_of


def title(cockpit: Cockpit) -> str:
    return cockpit.text.splitlines()[1]


# -- builds -------------------------------------------------------------------------------------------


async def test_builds_that_ended_while_it_was_asked_are_not_stopped() -> None:
    first = answer([queued("b-1", slot="mik"), queued("b-2", slot="mik"), build("b-3")])
    async with builds(first) as (cockpit, pilot):
        cockpit.line.answers["build.cancel"] = queued("b-2").model_copy(update={"state": "cancelled"})
        await cockpit.press(pilot, "space", "space", "X")
        assert "Stop 2 builds?" in cockpit.text
        cockpit.tell(told(11, build("b-1", slot="mik", finished_at=NOW)))
        await cockpit.settle(pilot)
        await cockpit.press(pilot, "y")
        assert [one["build_id"] for one in cockpit.line.called("build.cancel")] == ["b-2"]


async def test_cursor_and_marks_stay_on_their_builds_while_sorted_and_filtered_ones_change() -> None:
    first = answer([running("b-1"), queued("b-2"), build("b-3", service="hero_router")])
    async with builds(first) as (cockpit, pilot):
        await cockpit.press(pilot, "O", "O", "slash", *"db", "enter", "g", "space")
        table: LineList[object] = cockpit.app.screen.query_one(LineList)
        marked, here = sorted(cockpit.app.screen._marks), table.row  # type: ignore[attr-defined]
        cockpit.tell(told(11, queued("b-0")), told(12, build(marked[0], state="failed", finished_at=NOW)))
        await cockpit.settle(pilot)
        assert table.row == here
        assert sorted(cockpit.app.screen._marks) == marked  # type: ignore[attr-defined]
        assert "1 marked" in title(cockpit)


# -- agents -------------------------------------------------------------------------------------------


async def test_agents_that_ended_while_it_was_asked_are_left_alone() -> None:
    async with agents([agent("1", state="idle"), agent("2", state="idle")]) as (cockpit, pilot):
        cockpit.line.answers["agent.command"] = DONE
        await cockpit.press(pilot, "space", "space", "c")
        assert "Compact 2 agents?" in cockpit.text
        cockpit.tell(agent_changed(11, agent("1", state="gone", since=NOW)))
        await settled(cockpit, pilot)
        await cockpit.press(pilot, "y")
        assert [one["agent"] for one in cockpit.line.called("agent.command")] == ["2"]


async def test_an_agent_that_went_on_while_it_was_asked_says_that_it_is_being_stopped() -> None:
    async with agents([agent("1")]) as (cockpit, pilot):
        cockpit.line.answers["agent.stop"] = agent("1")
        await cockpit.press(pilot, "x")
        cockpit.tell(agent_changed(11, agent("1", state="idle", since=NOW)))
        await settled(cockpit, pilot)
        await cockpit.press(pilot, "y")
        assert "↻ stopping" in cockpit.text


async def test_the_keys_that_are_offered_follow_what_becomes_of_the_agent_under_the_cursor() -> None:
    async with agents([agent("1")]) as (cockpit, pilot):
        assert "r resume" not in cockpit.text
        cockpit.tell(agent_changed(11, agent("1", state="gone", since=NOW)))
        await settled(cockpit, pilot)
        assert "r resume" in cockpit.text


# -- the doctor ---------------------------------------------------------------------------------------


async def test_marked_findings_stay_marked_over_a_visit_elsewhere(doctor: FakeDoctor) -> None:
    async with examined(doctor) as (cockpit, pilot):
        await go_to_finding(cockpit, pilot, "git.worktrees")
        await cockpit.press(pilot, "space", "1", "left_square_bracket")
        assert "1 marked" in title(cockpit)
        await cockpit.press(pilot, "F")
        assert "Mend 2 things?" not in cockpit.text


async def test_one_that_is_mended_by_itself_leaves_the_marks_of_the_others(doctor: FakeDoctor) -> None:
    async with examined(doctor) as (cockpit, pilot):
        await go_to_finding(cockpit, pilot, "git.worktrees")
        await cockpit.press(pilot, "space")
        await go_to_finding(cockpit, pilot, "git.locks")
        await cockpit.press(pilot, "f", "y")
        await cockpit.until(pilot, lambda: doctor.runs == 2)
        await looked(cockpit, pilot, doctor)
        assert doctor.mended == ["git.locks alice"]
        assert "1 marked" in title(cockpit)


async def test_a_mark_does_not_slip_to_another_finding_of_the_same_check(doctor: FakeDoctor) -> None:
    def found(*each: HealthFinding) -> list[Looked]:
        return [Looked(job_of(LOCK), each)]

    other = LOCK.model_copy(update={"what": "A lock of a git that has ended is in hero_db.git."})
    doctor.looked = found(LOCK, other)
    async with examined(doctor) as (cockpit, pilot):
        await cockpit.press(pilot, "g", "space")
        assert "1 marked" in title(cockpit)
        doctor.looked = found(other)
        await cockpit.press(pilot, "r")
        await cockpit.until(pilot, lambda: len(cockpit.app.screen.query_one(LineList).rows) == 1)
        assert "marked" not in title(cockpit)


# -- the team -----------------------------------------------------------------------------------------


async def test_the_mark_of_a_person_who_left_goes_with_them(team: FakeTeam) -> None:
    async with team_of(team) as (cockpit, pilot):
        for name in ("bob", "mik"):
            await go_to_person(cockpit, pilot, name)
            await cockpit.press(pilot, "space")
        look = some_look()
        assert look.status
        users = tuple(one for one in look.status.users if one.user != "bob")
        team.answers["look"] = replace(look, status=look.status.model_copy(update={"users": users}))
        cockpit.tell(Event(seq=11, time=NOW, box="demo", slot="", kind="team.changed", subject="x", data={}))
        await cockpit.until(pilot, lambda: "bob" not in cockpit.text)
        assert "1 marked" in title(cockpit)


# -- the inbox ----------------------------------------------------------------------------------------


async def test_a_number_is_never_sent_to_a_question_that_has_come_under_the_cursor() -> None:
    async with inbox_of() as (cockpit, pilot, _):
        screen = cockpit.app.screen
        assert isinstance(screen, InboxScreen)
        await cockpit.press(pilot, "2")
        shown = cockpit.app.desk.inbox
        cockpit.app.desk._inbox.view = replace(shown, items=shown.items[1:])
        screen.show_rows()
        screen.action_answer()
        await cockpit.settle(pilot)
        assert cockpit.line.called("question.answer") == []


async def test_whoever_goes_to_an_item_by_key_is_not_asked_whether_it_is_meant() -> None:
    async with inbox_of() as (cockpit, pilot, box):
        gone = box.items.pop(0)
        cockpit.line.on_event(question_changed(gone.model_copy(update={"state": "answered"})))
        for _ in range(2):
            await cockpit.settle(pilot)
        answered = cockpit.app.desk.inbox.items[0]
        cockpit.line.answers["question.answer"] = answered.model_copy(update={"state": "submitted"})
        await cockpit.press(pilot, "j", "k", "y")
        assert "come under the cursor" not in cockpit.text
