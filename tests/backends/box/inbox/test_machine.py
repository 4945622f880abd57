"""The inbox under any sequence of acts and restarts: one end an item, in time, and one message an answer."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.box.inbox.rules import ENDED
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import SettleParams, TakeParams
from tests.backends.box.inbox.clocked import AGENT, ALICE, MIK, Clocked, clocked

PEOPLE = {"alice": ALICE, "mik": MIK, "agent": AGENT}
WHO = st.sampled_from(tuple(PEOPLE))
NUMBER = st.integers(0, 3)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), WHO, st.sampled_from((0, 10, 60))),
        st.tuples(st.just("dialog"), st.just("agent"), NUMBER),
        st.tuples(st.just("send"), WHO, NUMBER),
        st.tuples(st.sampled_from(("answer", "cancel", "read")), WHO, NUMBER),
        st.tuples(st.sampled_from(("settle", "take", "later", "restart")), st.just("agent"), NUMBER),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(ACTIONS)
def test_every_item_comes_to_one_end_and_stays_there(actions: list[tuple[str, str, int]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    try:
        asyncio.run(_play(folder, actions))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _play(folder: Path, actions: list[tuple[str, str, int]]) -> None:
    taken: list[str] = []
    async with clocked(folder) as box:
        for action, who, number in actions:
            with contextlib.suppress(HeroError):
                await _act(box, action, who, number, taken)
            await box.inbox.expire()
            _check(box.told, taken)
        await _check_kept(box)


async def _act(box: Clocked, action: str, who: str, number: int, taken: list[str]) -> None:
    by = PEOPLE[who]
    items = list({item.id: item for item in box.told if item.sender != "hero"}.values())
    item = items[-1 - number % len(items)] if items else None
    match action:
        case "ask":
            await box.ask(by, "mik" if who != "mik" else "alice", ttl=float(number), options=("a", "b"))
        case "dialog":
            await box.ask(by, "alice", waiting=f"w{number}")
        case "send":
            await box.send(by, "alice/3" if who != "agent" else "mik")
        case "later":
            box.later(7 * number)
        case "restart":
            await box.restart()
        case "settle":
            await box.inbox.settle(SettleParams(agent="3", waiting=f"w{number}", answered=number % 2 == 0), by)
        case "take":
            found = (await box.inbox.take(TakeParams(), "alice")).items
            assert not {one.id for one in found} & set(taken)
            await box.inbox.take(TakeParams(taken=tuple(one.id for one in found)), "alice")
            taken += [one.id for one in found]
        case "answer" if item:
            await box.answer(item, by, "", 1)
        case "cancel" if item:
            await box.inbox.cancel(item.id, by)
        case "read" if item:
            await box.inbox.read(item.id, by)


def _check(told: list[InboxItem], taken: list[str]) -> None:
    ends: dict[str, InboxItem] = {}
    for item in told:
        assert item.id not in ends or ends[item.id] == item
        if item.state in ENDED:
            ends[item.id] = item
        if item.state in ("answered", "submitted") and item.answer != "in the terminal":
            assert item.answered_by == item.to
            assert item.answered_at
            assert item.expires_at is None or item.answered_at < item.expires_at
    for item in ends.values():
        if item.kind == "question" and item.state in ("answered", "expired") and item.sender == AGENT.name:
            words = [one for one in told if one.to == AGENT.name and item.id in one.text and one.state == "open"]
            assert len({one.id for one in words}) == 1
    assert len(taken) == len(set(taken))


async def _check_kept(box: Clocked) -> None:
    """What was told last of an item is what is on the disk."""
    last = {item.id: item for item in box.told}
    await box.restart()
    for person in PEOPLE.values():
        for item in await box.of(person, ended=True):
            assert last[item.id] == item
