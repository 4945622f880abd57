"""The team's screen: people, files with a flaw, the reconciler's last run; its plan and the diff on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from backends.model.errors import HeroError
from backends.model.state import Event
from backends.model.team_calls import TeamRun
from screens.widgets.linelist import LineList
from screens.widgets.team_model import TeamRow
from screens.widgets.textpane import TextPane
from tests.hero_tui.fleets import NOW, Cockpit
from tests.hero_tui.teams import COMMIT, LAST, FakeTeam, rootless_look, some_look


@asynccontextmanager
async def opened(team: FakeTeam, **options: Any) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The cockpit on its team, once that is known."""
    cockpit = Cockpit(**options)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "9")
        await cockpit.until(pilot, lambda: bool(rows(cockpit)))
        yield cockpit, pilot


def rows(cockpit: Cockpit) -> dict[str, TeamRow]:
    return {row.name: row for row in cockpit.app.screen.query_one(LineList).rows}


def detail(cockpit: Cockpit) -> str:
    return "\n".join("".join(text for text, _ in line) for line in cockpit.app.screen.query_one(TextPane).lines)


async def go_to(cockpit: Cockpit, pilot: Pilot[int], name: str) -> None:
    table: LineList[TeamRow] = cockpit.app.screen.query_one(LineList)
    assert table.put_cursor(rows(cockpit)[name].key)
    await cockpit.settle(pilot)


async def test_everybody_is_told_with_what_became_of_their_file(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, _):
        states = {name: row.state for name, row in rows(cockpit).items()}
        assert states == {
            "reconciler": "failed",
            "services.toml": "problem",
            "bob": "leaving",
            "mik": "failed",
            "thabet": "problem",
            "zoe": "new",
            "alice": "here",
            "integration": "here",
        }
        assert list(states)[:2] == ["reconciler", "services.toml"]
        assert "team · 6 people · 6 to look at" in cockpit.text


async def test_a_person_in_full_has_role_keys_groups_limits_and_account(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        await go_to(cockpit, pilot, "alice")
        told = detail(cockpit)
        assert "SHA256:" in told
        assert "ssh-ed25519 alice@laptop" in told
        for text in (
            "developer",
            "docker, video",
            "memory 8 GiB",
            "uid 20001, here",
            "lhumina_code/alice_secrets",
        ):
            assert text in told
        assert "✓ put alice in video" in told
        assert "AAAA" not in told  # the key itself says nothing to anybody


async def test_a_file_with_a_flaw_says_where_what_and_why_nothing_changes(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        await go_to(cockpit, pilot, "thabet")
        told = detail(cockpit)
        assert 'users/thabet.toml:3:1 role: found "developper"' in told
        assert "did you mean `developer`?" in told
        assert '▌   3  role = "developper"' in told
        assert "nothing changes for this user until it can" in told
        await go_to(cockpit, pilot, "services.toml")
        assert "colour" in detail(cockpit)


async def test_what_the_last_reconcile_could_not_do_is_told_where_it_stands(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        told = detail(cockpit)
        assert "last reconcile 2m ago: 2 actions, 1 failed, 1 problem, 0.4 s" in told
        assert "✗ limit mik to CPUQuota=400%: user-20002.slice is not there" in told
        await go_to(cockpit, pilot, "mik")
        assert "✗ limit mik to CPUQuota=400%" in detail(cockpit)
        assert "put alice in video" not in detail(cockpit)


async def test_a_reconcile_that_stopped_says_so(team: FakeTeam) -> None:
    stopped = TeamRun(stopped="The head 77aa88bb does not come after 5e1f0a9c.", started_at=LAST.started_at)
    team.answers["look"] = some_look(last=stopped, candidate="77aa88bb" * 5)
    async with opened(team) as (cockpit, _):
        assert "nothing was applied: The head 77aa88bb does not come after 5e1f0a9c." in detail(cockpit)
        assert "77aa88bb77aa, which is not in force" in detail(cockpit)


async def test_a_plan_is_worked_out_on_demand_and_says_how_long_it_takes(team: FakeTeam) -> None:
    held: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    team.answers["plan"] = held
    async with opened(team) as (cockpit, pilot):
        await cockpit.press(pilot, "p")
        cockpit.now = NOW + timedelta(seconds=7)
        cockpit.app.here.tick()
        await cockpit.settle(pilot)
        assert "works out what it would do… 7s" in detail(cockpit)
        from tests.hero_tui.teams import PLAN

        held.set_result(PLAN)
        await cockpit.until(pilot, lambda: "would follow 77aa88bb" in detail(cockpit))
        assert "(in force: 5e1f0a9c): 3 actions" in detail(cockpit)
        assert "make the account zoe (Zoë Brandt) with uid 20006" in detail(cockpit)
        await go_to(cockpit, pilot, "mik")
        assert "limit mik to" in detail(cockpit)
        assert "Something for: zoe." in detail(cockpit)
        await cockpit.press(pilot, "escape")
        assert "uid 20002, here" in detail(cockpit)


async def test_esc_takes_a_question_back_that_is_not_answered(team: FakeTeam) -> None:
    held: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    team.answers["plan"] = held
    async with opened(team) as (cockpit, pilot):
        await cockpit.press(pilot, "p", "escape")
        await cockpit.until(pilot, held.cancelled)
        assert "last reconcile" in detail(cockpit)


async def test_a_diff_shows_what_there_is_beside_what_is_wanted(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        await cockpit.press(pilot, "D")
        await cockpit.until(pilot, lambda: "+++ the team repo" in detail(cockpit))
        told = detail(cockpit).splitlines()
        assert told[:3] == ["--- this box", "+++ the team repo at 5e1f0a9c", "@@ mik @@"]
        assert "- group: docker" in told
        assert "+ limit: CPUQuota=400%" in told
        assert "  role: developer" in told
        assert "! there is an account zoe already (uid 1004) that the team repo did not make." in told
        await go_to(cockpit, pilot, "alice")
        assert "alice is as the team repo has it." in detail(cockpit)
        styles = {style for line in cockpit.app.screen.query_one(TextPane).lines for _, style in line}
        assert "good" in styles


async def test_a_reconciler_that_does_not_answer_leaves_the_files_readable(team: FakeTeam) -> None:
    from dataclasses import replace

    team.answers["look"] = replace(some_look(), status=None, trouble="The reconciler does not answer.")
    team.answers["plan"] = HeroError("unreachable", "The reconciler does not answer.", hint="Is it up?")
    async with opened(team) as (cockpit, pilot):
        assert rows(cockpit)["reconciler"].state == "away"
        assert "systemctl status hero_team_sync" in detail(cockpit)
        assert "alice" in rows(cockpit)
        await cockpit.press(pilot, "p")
        await cockpit.until(pilot, lambda: "Is it up?" in detail(cockpit))


async def test_a_rootless_box_says_that_it_has_no_reconciler_and_shows_what_there_is(team: FakeTeam) -> None:
    team.answers["look"] = rootless_look()
    async with opened(team) as (cockpit, pilot):
        assert "This box is rootless: nothing makes accounts from its team repo" in detail(cockpit)
        states = {name: row.state for name, row in rows(cockpit).items() if row.kind == "person"}
        assert states == {"guest": "unlisted", "mik": "new", "alice": "here", "integration": "here"}
        await go_to(cockpit, pilot, "mik")
        assert "a rootless box makes no slot from it by itself" in detail(cockpit)


async def test_a_team_that_cannot_be_read_says_why(team: FakeTeam) -> None:
    team.answers["look"] = HeroError("denied", "The copy cannot be read.", hint="Everybody of the team may.")
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "9")
        await cockpit.until(pilot, lambda: "The copy cannot be read." in cockpit.text)
        assert "ctrl-r tries again" in cockpit.text
        team.answers.clear()
        await cockpit.press(pilot, "ctrl+r")
        await cockpit.until(pilot, lambda: bool(rows(cockpit)))


async def test_what_was_read_stays_while_nothing_can_be_read_and_says_how_old_it_is(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        team.answers["look"] = HeroError("failed", "Input/output error.")
        cockpit.now = NOW + timedelta(seconds=12)
        await cockpit.press(pilot, "ctrl+r")
        await cockpit.until(pilot, lambda: "not up to date: 12s old; Input/output error." in cockpit.text)
        assert "alice" in rows(cockpit)


async def test_news_of_the_team_are_looked_at_at_once(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        team.answers["look"] = some_look(users=())
        cockpit.tell(Event(seq=11, time=NOW, box="demo", slot="", kind="team.changed", subject="x", data={}))
        await cockpit.until(pilot, lambda: rows(cockpit)["alice"].state == "new")


async def test_filters_leave_what_was_typed_and_what_needs_somebody(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        await cockpit.press(pilot, "exclamation_mark")
        assert "alice" not in rows(cockpit)
        await cockpit.press(pilot, "escape", "slash", *"video", "enter")
        assert list(rows(cockpit)) == ["alice"]
        await cockpit.press(pilot, "slash", *"nobody", "enter")
        assert "Nothing matches." in cockpit.text
        await cockpit.press(pilot, "escape")
        assert "alice" in rows(cockpit)


def people(cockpit: Cockpit) -> list[str]:
    return [name for name, row in rows(cockpit).items() if row.kind == "person"]


async def test_people_are_sorted_below_what_is_about_everybody(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        assert people(cockpit) == ["bob", "mik", "thabet", "zoe", "alice", "integration"]
        await cockpit.press(pilot, "O")
        assert "6 to look at · by name" in cockpit.text
        assert people(cockpit) == ["alice", "bob", "integration", "mik", "thabet", "zoe"]
        assert list(rows(cockpit))[:2] == ["reconciler", "services.toml"]
        await cockpit.press(pilot, "O")
        assert people(cockpit)[-1] == "integration"
        await cockpit.press(pilot, "O")
        assert people(cockpit)[:3] == ["integration", "alice", "mik"]
        await cockpit.press(pilot, "O")
        assert "by" not in cockpit.text.splitlines()[1]


async def test_plan_and_diff_are_of_those_that_are_marked(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        await cockpit.press(pilot, "space")  # the reconciler is nobody
        assert "marked" not in cockpit.text
        for name in ("mik", "alice"):
            await go_to(cockpit, pilot, name)
            await cockpit.press(pilot, "space")
        assert "2 marked" in cockpit.text
        await cockpit.press(pilot, "p")
        await cockpit.until(pilot, lambda: "would follow 77aa88bb" in detail(cockpit))
        assert "plan · 2 marked" in cockpit.text
        assert "limit mik to" in detail(cockpit)
        assert "make the account zoe" not in detail(cockpit)
        assert "Something for: zoe." in detail(cockpit)
        await cockpit.press(pilot, "D")
        await cockpit.until(pilot, lambda: "+++ the team repo" in detail(cockpit))
        assert "@@ mik @@" in detail(cockpit)
        assert "@@ zoe @@" not in detail(cockpit)
        await cockpit.press(pilot, "escape", "escape")
        assert "marked" not in cockpit.text


async def test_fingerprints_of_all_that_are_marked_are_copied_with_whose_they_are(
    team: FakeTeam, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    async with opened(team) as (cockpit, pilot):
        monkeypatch.setattr(cockpit.app, "copy_to_clipboard", copied.append)
        for name in ("alice", "mik"):
            await go_to(cockpit, pilot, name)
            await cockpit.press(pilot, "space")
        await cockpit.press(pilot, "c", *"finger", "enter")
        (text,) = copied
        assert [line.split(" SHA256:")[0] for line in text.splitlines()] == ["alice", "mik"]


async def test_a_person_is_read_alone_and_scrolled(team: FakeTeam) -> None:
    async with opened(team) as (cockpit, pilot):
        await go_to(cockpit, pilot, "alice")
        await cockpit.press(pilot, "enter")
        assert isinstance(cockpit.app.focused, TextPane)
        await cockpit.press(pilot, "enter")
        assert isinstance(cockpit.app.focused, LineList)


async def test_the_team_is_a_command_away_with_the_cursor_on_somebody(team: FakeTeam) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.app.prompts.command("team mik")
        await cockpit.until(pilot, lambda: cockpit.screen_name == "TeamScreen" and "uid 20002" in cockpit.text)
        assert COMMIT[:8] in cockpit.text
