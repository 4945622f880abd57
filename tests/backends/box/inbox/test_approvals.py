"""Actions that wait for a person: who decides, by how much of a word, until when, and what the agent hears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backends.box.inbox.approvals import approver
from backends.box.inbox.callers import Caller
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import SettleParams, StandingParams, TakeParams
from backends.model.policy import DEFAULT_RULE, Rule
from tests.backends.box.inbox.clocked import AGENT, ALICE, MIK, Clocked, clocked

HOUR = 3600.0


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Clocked]:
    async with clocked(tmp_path) as made:
        yield made


async def heard(box: Clocked) -> list[str]:
    return [item.text for item in (await box.inbox.take(TakeParams(), "alice")).items]


async def settled(box: Clocked, item: InboxItem, **more: Any) -> InboxItem:
    await box.inbox.settle(SettleParams(agent="3", waiting=item.waiting, **more), AGENT)
    return await box.one(item, ALICE)


async def test_high_radius_takes_the_name_and_medium_a_yes(box: Clocked) -> None:
    high = await box.propose()
    for confirm in ("", "hero_db", "HERO_WEB"):
        with pytest.raises(HeroError, match="nothing was allowed") as caught:
            await box.answer(high, text="allow", confirm=confirm)
        assert caught.value.code == "usage"
    assert (await box.answer(high, text="allow", confirm=" hero_web ")).state == "submitted"
    medium = await box.propose("medium", HOUR, "act-2")
    assert (await box.answer(medium, text="y")).state == "submitted"
    assert await heard(box) == []


async def test_words_alone_decide_nothing(box: Clocked) -> None:
    item = await box.propose("medium", HOUR)
    with pytest.raises(HeroError, match="allowed or denied"):
        await box.answer(item, text="well, if you must")
    assert (await box.one(item, ALICE)).state == "open"


async def test_only_the_addressee_decides_and_once(box: Clocked) -> None:
    item = await box.propose()
    for other in (MIK, AGENT, Caller("alice", "4")):
        with pytest.raises(HeroError) as caught:
            await box.answer(item, other, text="allow", confirm="hero_web")
        assert caught.value.code == "denied"
    await box.answer(item, text="deny")
    with pytest.raises(HeroError, match=r"alice has answered this already: 2 \(Deny\)"):
        await box.answer(item, text="allow", confirm="hero_web")


async def test_a_denial_is_told_at_once_and_by_whom(box: Clocked) -> None:
    item = await box.propose()
    await box.answer(item, choice=2, text="not now")
    (message,) = (await box.inbox.take(TakeParams(), "alice")).items
    assert message.sender == "alice"
    assert message.text == f"alice has denied {item.id} (“switch hero_web x”); it is not done: not now"


async def test_what_came_of_it_is_told_when_it_is_done(box: Clocked) -> None:
    item = await box.propose()
    await box.answer(item, text="allow", confirm="hero_web")
    over = await settled(box, item, answered=True, outcome="Done: switch.\nhash\x1b[2J")
    assert (over.state, over.outcome, over.problem) == ("answered", "Done: switch.\nhash", "")
    (message,) = (await box.inbox.take(TakeParams(), "alice")).items
    assert (message.sender, message.text.endswith("Done: switch.\nhash")) == ("hero", True)


async def test_what_nobody_decides_in_time_is_not_done(box: Clocked) -> None:
    item = await box.propose()
    box.later(24 * HOUR)
    with pytest.raises(HeroError, match="was over at"):
        await box.answer(item, text="allow", confirm="hero_web")
    assert (await box.one(item, ALICE)).state == "expired"
    assert "so it is not done" in (await heard(box))[0]


async def test_medium_is_done_where_nobody_objects_and_not_before_its_time(box: Clocked) -> None:
    item = await box.propose("medium", 60.0)
    box.later(59.9)
    await box.inbox.expire()
    assert (await box.one(item, ALICE)).state == "open"
    box.later(0.1)
    await box.inbox.expire()
    over = await box.one(item, ALICE)
    assert (over.state, over.answered_by) == ("submitted", "hero")
    with pytest.raises(HeroError, match="nobody has objected"):
        await box.answer(item, text="deny")
    await settled(box, item, answered=True, outcome="Done.")
    assert (await heard(box))[0].startswith("Nobody has objected to")


async def test_a_time_that_ran_out_while_the_box_was_away_begins_anew(box: Clocked) -> None:
    item, high = await box.propose("medium", 60.0), await box.propose(waiting="act-2")
    await box.stop()
    box.later(24 * HOUR)
    await box.start()
    assert (await box.one(item, ALICE)).state == "open", "nobody could have objected"
    assert (await box.one(high, ALICE)).state == "expired"
    await box.answer(item, text="deny")


async def test_what_is_taken_back_is_over_without_a_message_and_given_up_with_one(box: Clocked) -> None:
    item, other = await box.propose(), await box.propose(waiting="act-2")
    await box.inbox.cancel(item.id, AGENT)
    assert await heard(box) == []
    assert (await settled(box, other, answered=False, detail="The agent has ended.")).state == "cancelled"
    assert "was not done: The agent has ended." in (await heard(box))[0]


async def test_a_slot_that_says_that_it_was_done_before_anybody_allowed_it_gets_it_cancelled(box: Clocked) -> None:
    item = await box.propose()
    assert (await settled(box, item, answered=True, outcome="Done.")).state == "cancelled"


async def test_the_same_proposal_is_one_while_it_waits_and_another_after_that(box: Clocked) -> None:
    item = await box.propose()
    assert (await box.propose()).id == item.id
    await box.answer(item, text="deny")
    assert (await box.propose()).id != item.id


async def test_what_does_not_stand_in_its_slot_any_more_is_over_with_a_reason(box: Clocked) -> None:
    dialogs = [await box.ask(waiting=waiting) for waiting in ("w1", "w2", "w3")]
    action, question = await box.propose(), await box.ask()
    await box.answer(dialogs[1], choice=1)
    await box.inbox.standing(StandingParams(waiting=("w3",)), "alice")
    found = [await box.one(item, ALICE) for item in (*dialogs, action, question)]
    assert [item.state for item in found] == ["cancelled", "answered", "open", "cancelled", "open"]
    assert ["away" in found[0].problem, "did not confirm" in found[1].problem, "does not know" in found[3].problem]
    assert "was not done" in (await heard(box))[0]
    await box.inbox.standing(StandingParams(), "mik")
    assert (await box.one(dialogs[2], ALICE)).state == "open", "another slot says nothing of it"


@pytest.mark.parametrize(
    ("approvers", "to"),
    [((), "alice"), (("mik",), "mik"), (("mik", "alice"), "alice"), (("mik", "@admins"), "@admins")],
)
def test_the_owner_decides_unless_the_teams_rule_names_others(approvers: tuple[str, ...], to: str) -> None:
    assert approver(Rule(action="*", radius="high", approvers=approvers), "alice") == to
    assert approver(DEFAULT_RULE, "alice") == "alice"
