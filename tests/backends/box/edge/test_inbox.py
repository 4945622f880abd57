"""The inbox: each delivery once, merged by branch, tried again until it is done, and never lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from backends.box.edge import inboxrows
from backends.box.edge.delivery import Delivery, parse_delivery
from backends.box.edge.inbox import Backoff, Inbox, Look
from backends.database import Database
from backends.model.errors import HeroError
from tests.backends.box.edge.conftest import SECONDS, idle
from tests.backends.box.edge.deliveries import REPO, push, release

OTHER = "lhumina_code/hero_router"


class Handler:
    """Notes what it is asked to look at; holds while `gate` is closed, fails for the repositories in `away`."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self.tries: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.began = asyncio.Event()
        self.away: dict[str, Exception] = {}
        self.failed = asyncio.Event()

    async def __call__(self, look: Look) -> None:
        self.tries.append(look.repo)
        self.began.set()
        await self.gate.wait()
        if look.repo in self.away:
            self.failed.set()
            raise self.away[look.repo]
        self.looks.append(look)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


OpenInbox = Callable[[Handler], Inbox]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(tmp_path / "db.sqlite")
    yield found
    await found.close()


@pytest.fixture
async def make(database: Database, clock: Clock) -> AsyncIterator[OpenInbox]:
    made: list[Inbox] = []

    def one(handler: Handler) -> Inbox:
        made.append(Inbox(database, handler, backoff=Backoff(0.001, 0.01), now=clock))
        return made[-1]

    yield one
    for inbox in made:
        await inbox.close()


def delivery(branch: str = "development", *, repo: str = REPO, after: str = "a" * 40) -> Delivery:
    return parse_delivery(push(branch, repo=repo, after=after))


async def reached(event: asyncio.Event) -> None:
    async with asyncio.timeout(SECONDS):
        await event.wait()


async def rows(database: Database) -> int:
    found: int = await database.run(lambda db: db.execute("SELECT count(*) FROM inbox").fetchone()[0])
    return found


async def test_a_delivery_is_handled_and_its_row_goes(make: OpenInbox, database: Database) -> None:
    handler = Handler()
    inbox = make(handler)
    await inbox.open()
    assert await inbox.accept(delivery("topic")) == "taken"
    await idle(inbox)
    assert handler.looks == [Look(REPO, "topic", frozenset({"push"}), 1)]
    assert await rows(database) == 0


async def test_a_delivery_that_comes_again_is_a_duplicate_for_seven_days(
    make: OpenInbox, database: Database, clock: Clock
) -> None:
    inbox = make(Handler())
    await inbox.open()
    assert await inbox.accept(delivery()) == "taken"
    clock.now += inboxrows.SEEN_SECONDS - 1
    assert await inbox.accept(delivery()) == "duplicate"
    clock.now += 2
    assert await inbox.accept(delivery("other")) == "taken"
    assert await inbox.accept(delivery()) == "taken"


async def test_of_two_that_come_at_once_one_is_taken(make: OpenInbox) -> None:
    handler = Handler()
    inbox = make(handler)
    await inbox.open()
    taken = await asyncio.gather(*(inbox.accept(delivery()) for _ in range(10)))
    assert sorted(taken) == ["duplicate"] * 9 + ["taken"]
    await idle(inbox)
    assert len(handler.looks) == 1


async def test_deliveries_of_one_branch_are_merged_while_another_is_handled(make: OpenInbox) -> None:
    handler = Handler()
    handler.gate.clear()
    inbox = make(handler)
    await inbox.open()
    await inbox.accept(delivery("first"))
    await reached(handler.began)
    for number in range(5):
        await inbox.accept(delivery("topic", after=f"{number}" * 40))
    await inbox.accept(parse_delivery(release("topic-aaaaaaaa")))
    assert inbox.depth == 7
    handler.gate.set()
    await idle(inbox)
    assert handler.looks[1:] == [Look(REPO, "topic", frozenset({"push", "release"}), 6)]


async def test_what_comes_while_its_branch_is_handled_is_handled_once_more(make: OpenInbox) -> None:
    handler = Handler()
    handler.gate.clear()
    inbox = make(handler)
    await inbox.open()
    await inbox.accept(delivery(after="1" * 40))
    await reached(handler.began)
    await inbox.accept(delivery(after="2" * 40))
    handler.gate.set()
    await idle(inbox)
    assert len(handler.looks) == 2


async def test_a_repository_that_cannot_be_handled_does_not_hold_up_another(
    make: OpenInbox, database: Database
) -> None:
    handler = Handler()
    handler.away[REPO] = HeroError("unreachable", "The forge is away.")
    inbox = make(handler)
    await inbox.open()
    await inbox.accept(delivery("one"))
    await inbox.accept(delivery("two"))
    await reached(handler.failed)
    await inbox.accept(delivery(repo=OTHER))
    async with asyncio.timeout(SECONDS):
        while OTHER not in [look.repo for look in handler.looks] or not inbox.problems:
            await asyncio.sleep(0.001)
    assert inbox.problems == (f"Webhooks of {REPO} wait: The forge is away.",)
    assert await rows(database) == 2
    handler.away.clear()
    await idle(inbox)
    assert {look.branch for look in handler.looks if look.repo == REPO} == {"one", "two"}
    assert not inbox.problems
    assert await rows(database) == 0


async def test_a_handler_that_breaks_is_tried_again(make: OpenInbox) -> None:
    handler = Handler()
    handler.away[REPO] = RuntimeError("a bug")
    inbox = make(handler)
    await inbox.open()
    await inbox.accept(delivery())
    await reached(handler.failed)
    handler.away.clear()
    await idle(inbox)
    assert len(handler.looks) == 1


async def test_what_was_taken_outlives_the_process(make: OpenInbox, database: Database) -> None:
    handler = Handler()
    handler.gate.clear()
    first = make(handler)
    await first.open()
    for number in range(3):
        await first.accept(delivery(f"topic{number}"))
    await first.accept(parse_delivery(release("v1", action="deleted")))
    await first.close()
    assert handler.looks == []
    after = Handler()
    second = make(after)
    await second.open()
    await idle(second)
    assert {look.branch for look in after.looks} == {"topic0", "topic1", "topic2", None}
    assert await second.accept(delivery("topic0")) == "duplicate"


async def test_a_closed_inbox_takes_nothing(make: OpenInbox, database: Database) -> None:
    inbox = make(Handler())
    await inbox.open()
    await inbox.close()
    with pytest.raises(HeroError):
        await inbox.accept(delivery())
    assert await rows(database) == 0


async def test_a_disk_that_refuses_takes_nothing_and_a_later_delivery_is_taken(
    make: OpenInbox, database: Database
) -> None:
    inbox = make(Handler())
    await inbox.open()
    await database.run(lambda db: db.execute("PRAGMA query_only=ON"))
    with pytest.raises(HeroError):
        await inbox.accept(delivery())
    await database.run(lambda db: db.execute("PRAGMA query_only=OFF"))
    assert await inbox.accept(delivery()) == "taken"


async def test_a_delivery_that_waits_longer_than_it_is_known_is_still_one(
    make: OpenInbox, database: Database, clock: Clock
) -> None:
    handler = Handler()
    handler.away[REPO] = HeroError("unreachable", "The forge is away.")
    inbox = make(handler)
    await inbox.open()
    await inbox.accept(delivery())
    clock.now += inboxrows.SEEN_SECONDS + 1
    await inbox.accept(delivery("other"))
    assert await inbox.accept(delivery()) == "duplicate"
    handler.away.clear()
    await idle(inbox)
    assert await rows(database) == 0


async def test_when_a_repository_spoke_last_is_known(make: OpenInbox, clock: Clock) -> None:
    inbox = make(Handler())
    await inbox.open()
    await inbox.accept(delivery("one"))
    clock.now += 5
    await inbox.accept(delivery("two"))
    await inbox.accept(delivery(repo=OTHER))
    assert await inbox.last_seen() == {REPO: clock.now, OTHER: clock.now}


async def test_all_that_wait_share_a_write(make: OpenInbox, database: Database) -> None:
    handler = Handler()
    handler.gate.clear()
    inbox = make(handler)
    await inbox.open()
    statements: list[str] = []
    reader, writer = os.pipe()
    await database.run(lambda db: db.set_trace_callback(statements.append))
    busy = asyncio.ensure_future(database.run(lambda _: os.read(reader, 1)))
    accepts = [asyncio.ensure_future(inbox.accept(delivery(f"topic{number}"))) for number in range(50)]
    os.write(writer, b".")
    await busy
    assert await asyncio.gather(*accepts) == ["taken"] * 50
    assert len([each for each in statements if each.startswith("COMMIT")]) <= 2
    assert [each for each in statements if "synchronous" in each] == ["PRAGMA synchronous=FULL"] * len(
        [each for each in statements if each.startswith("COMMIT")]
    )
    os.close(reader)
    os.close(writer)


def test_pauses_grow_to_a_minute_and_differ() -> None:
    backoff = Backoff()
    for failures in range(1, 100):
        steady = min(60.0, 2.0 ** (failures - 1))
        assert 0.75 * steady <= backoff.pause(failures) <= 1.25 * steady
    assert len({backoff.pause(3) for _ in range(10)}) > 1
