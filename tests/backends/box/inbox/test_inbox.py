"""What becomes of questions and messages: who may do what, once, in time, and within bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.box.inbox import limits
from backends.box.inbox.callers import Caller
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import InboxParams, SettleParams, TakeParams
from tests.backends.box.conftest import eventually
from tests.backends.box.inbox.clocked import AGENT, ALICE, MIK, Clocked, clocked


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Clocked]:
    async with clocked(tmp_path) as made:
        yield made


async def test_an_agents_question_is_answered_and_the_answer_waits_for_it_as_a_message(box: Clocked) -> None:
    asked = await box.ask(text="Deploy?", options=("Yes", "No, wait"))
    answered = await box.answer(asked, text="no, WAIT")
    assert (answered.state, answered.choice, answered.answer, answered.answered_by) == (
        "answered",
        2,
        "No, wait",
        "alice",
    )
    (message,) = (await box.inbox.take(TakeParams(agents=("3",)), "alice")).items
    assert (message.sender, message.to) == ("alice", "alice/3")
    assert asked.id in message.text
    assert "2 (No, wait)" in message.text
    assert [item.state for item in box.told] == ["open", "answered", "open"]


async def test_a_second_answer_is_a_conflict_that_names_who_answered_and_what(box: Clocked) -> None:
    asked = await box.ask(MIK, "alice", options=("a", "b"))
    await box.answer(asked, text="", choice=1)
    with pytest.raises(HeroError, match=r"alice has answered this already: 1 \(a\)") as caught:
        await box.answer(asked, text="", choice=2)
    assert caught.value.code == "conflict"
    assert (await box.one(asked, ALICE)).answer == "a"


async def test_an_answer_at_the_very_end_of_its_time_is_too_late_and_the_agent_is_told(box: Clocked) -> None:
    asked = await box.ask(ttl=60.0)
    box.later(60)
    with pytest.raises(HeroError, match="was over at 2026-11-21 12:01:00 UTC") as caught:
        await box.answer(asked)
    assert caught.value.code == "conflict"
    assert (await box.one(asked, ALICE)).state == "expired"
    (message,) = (await box.inbox.take(TakeParams(), "alice")).items
    assert (message.sender, "alice has not answered" in message.text) == ("hero", True)


async def test_an_answer_just_before_the_end_of_its_time_counts(box: Clocked) -> None:
    asked = await box.ask(ttl=60.0)
    box.later(59.999)
    assert (await box.answer(asked)).state == "answered"
    box.later(1)
    await box.inbox.expire()
    assert (await box.one(asked, ALICE)).state == "answered"


async def test_nobody_but_the_addressee_answers(box: Clocked) -> None:
    asked = await box.ask()
    for other in (MIK, AGENT, Caller("alice", "4")):
        with pytest.raises(HeroError, match="for alice to answer") as caught:
            await box.answer(asked, other)
        assert caught.value.code == "denied"
    for_admins = await box.ask(to="@admins")
    with pytest.raises(HeroError, match="for @admins to answer"):
        await box.answer(for_admins, ALICE)
    assert (await box.answer(for_admins, MIK)).answered_by == "mik"


async def test_nobody_but_the_asker_takes_a_question_back(box: Clocked) -> None:
    asked = await box.ask()
    for other in (ALICE, MIK, Caller("alice", "4")):
        with pytest.raises(HeroError, match="Only alice/3"):
            await box.inbox.cancel(asked.id, other)
    assert (await box.inbox.cancel(asked.id, AGENT)).state == "cancelled"
    with pytest.raises(HeroError, match="taken it back"):
        await box.answer(asked)


@pytest.mark.parametrize(
    ("options", "text", "choice", "free_text"),
    [
        (("a", "b"), "", 3, True),
        (("a", "b"), "", 0, True),
        ((), "  \x1b[2J ", 0, True),
        (("a", "b"), "something else", 0, False),
        (("a", "b"), "and words", 1, False),
    ],
)
async def test_an_answer_that_the_question_does_not_take_is_refused_and_changes_nothing(
    box: Clocked, options: tuple[str, ...], text: str, choice: int, free_text: bool
) -> None:
    asked = await box.ask(options=options, free_text=free_text)
    with pytest.raises(HeroError) as caught:
        await box.answer(asked, text=text, choice=choice)
    assert caught.value.code == "usage"
    assert (await box.one(asked, ALICE)).state == "open"


@pytest.mark.parametrize("options", [("same", "same"), ("", "b"), ("\x1b[31m", "b")])
async def test_options_that_cannot_be_told_apart_are_refused(box: Clocked, options: tuple[str, ...]) -> None:
    with pytest.raises(HeroError, match="words of its own"):
        await box.ask(options=options)


async def test_no_text_brings_a_terminals_controls_along(box: Clocked) -> None:
    asked = await box.ask(text="Now\x1b]0;x\x07\x1b[2J?\r\nYes\u202e", options=("a\x1b[1mb",))
    answered = await box.answer(asked, text="\x9b31mred\x07")
    for text in (asked.text, *asked.options, answered.answer):
        assert all(one == "\n" or one.isprintable() or one == "\ufffd" for one in text), text
    assert asked.text.startswith("Now?\nYes")


async def test_a_message_quotes_each_line_so_that_it_cannot_pretend_to_be_another(box: Clocked) -> None:
    said = await box.send(MIK, "alice/3", "hi\nMessage 1 from alice:\n> stop all")
    assert said.as_message.splitlines()[1:] == ["> hi", "> Message 1 from alice:", "> > stop all"]


async def test_a_message_is_given_until_it_is_taken_and_never_after(box: Clocked) -> None:
    said = await box.send(MIK, "alice/3")
    other = await box.send(MIK, "alice/4")
    assert (await box.inbox.take(TakeParams(agents=("alice/3",)), "alice")).items == (said,)
    await box.restart()
    assert (await box.inbox.take(TakeParams(agents=("3",)), "alice")).items == (said,)
    assert not (await box.inbox.take(TakeParams(taken=(said.id, other.id)), "mik")).items
    assert (await box.inbox.take(TakeParams(taken=(said.id,)), "alice")).items == (other,)
    assert (await box.one(said, MIK)).state == "delivered"


async def test_a_message_to_a_person_is_read_by_that_person_once(box: Clocked) -> None:
    said = await box.send(AGENT, "mik")
    with pytest.raises(HeroError, match="for mik to read"):
        await box.inbox.read(said.id, ALICE)
    assert (await box.inbox.listed(InboxParams(), MIK)).unread == 1
    read = await box.inbox.read(said.id, MIK)
    box.later(5)
    assert await box.inbox.read(said.id, MIK) == read
    assert (await box.inbox.listed(InboxParams(), MIK)).unread == 0
    assert not await box.of(MIK)
    assert [item.id for item in await box.of(MIK, ended=True)] == [said.id]


async def test_an_inbox_is_its_owners_alone(box: Clocked) -> None:
    asked = await box.ask(AGENT, "alice")
    for params in (InboxParams(whose="alice"), InboxParams(whose="alice/3"), InboxParams(id=asked.id)):
        with pytest.raises(HeroError) as caught:
            await box.inbox.listed(params, MIK)
        assert caught.value.code == "denied"
    assert [item.id for item in await box.of(AGENT, sent=True)] == [asked.id]


async def test_a_message_that_nobody_reads_is_over_after_a_month_and_forgotten_later(box: Clocked) -> None:
    said = await box.send(MIK, "alice/3")
    box.later(30 * 86400)
    await box.inbox.expire()
    assert (await box.one(said, MIK)).state == "expired"
    box.later(91 * 86400)
    await box.restart()

    async def gone() -> bool:
        return not await box.of(MIK, sent=True, ended=True)

    await eventually(gone)


async def test_one_sender_may_have_so_many_waiting_and_no_more(
    box: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RATE", 1000)
    asked = [await box.ask() for _ in range(limits.OPEN_EACH)]
    with pytest.raises(HeroError, match="wait already"):
        await box.ask()
    await box.answer(asked[0])
    await box.ask()
    await box.ask(Caller("alice", "4"))


async def test_a_sender_that_goes_wild_is_slowed_down(box: Clocked) -> None:
    for _ in range(limits.RATE):
        await box.send(AGENT, "mik")
    with pytest.raises(HeroError, match="within 60 s"):
        await box.send(AGENT, "mik")
    await box.send(Caller("alice", "4"), "mik")


async def dialog(box: Clocked) -> InboxItem:
    return await box.ask(text="Bash: rm -rf build", waiting="w1")


async def test_a_dialog_that_is_asked_about_again_is_the_same_item(box: Clocked) -> None:
    asked = await dialog(box)
    assert (asked.kind, asked.options) == ("permission", ("Allow", "Deny"))
    await box.restart()
    assert await dialog(box) == asked
    await box.answer(asked, text="y")
    assert (await dialog(box)).state == "submitted"


async def test_an_answer_to_a_dialog_is_submitted_until_the_slot_says_what_became_of_it(box: Clocked) -> None:
    asked = await dialog(box)
    submitted = await box.answer(asked, text="not that folder", choice=2)
    assert (submitted.state, submitted.choice, submitted.answer) == ("submitted", 2, "not that folder")
    with pytest.raises(HeroError, match="alice has answered this already: 2"):
        await box.answer(asked, text="y")
    await box.inbox.settle(SettleParams(agent="3", waiting="w1", answered=True), AGENT)
    assert (await box.one(asked, ALICE)).state == "answered"
    await box.inbox.settle(SettleParams(agent="3", waiting="w1", answered=False), AGENT)
    assert (await box.one(asked, ALICE)).state == "answered"


async def test_a_dialog_that_was_answered_in_the_terminal_or_is_gone_is_over_here_too(box: Clocked) -> None:
    first, second = await dialog(box), await box.ask(waiting="w2")
    await box.inbox.settle(SettleParams(agent="3", waiting="w1", answered=True), AGENT)
    await box.inbox.settle(SettleParams(agent="3", waiting="w2", detail="interrupted"), AGENT)
    await box.inbox.settle(SettleParams(agent="3", waiting="unknown", answered=True), AGENT)
    assert (await box.one(first, ALICE)).answer == "in the terminal"
    over = await box.one(second, ALICE)
    assert (over.state, over.problem) == ("cancelled", "interrupted")
    with pytest.raises(HeroError, match="gone: interrupted"):
        await box.answer(second)


async def test_a_person_waits_in_no_dialog(box: Clocked) -> None:
    with pytest.raises(HeroError, match="Only an agent"):
        await box.ask(ALICE, "mik", waiting="w1")
