"""What the status line counts of the box's queue: from one answer, then from events alone."""

from __future__ import annotations

import asyncio
from typing import Any

from backends.model.errors import HeroError
from hero_tui.build_queue import BuildQueue
from tests.hero_tui.builds import answer, build, queued, running, some_builds, told


class Box:
    """Answers, and remembers what was told to the person."""

    def __init__(self, reply: Any):
        self.reply = reply
        self.told: list[tuple[str, bool]] = []
        self.changes = 0

    async def ask(self, method: str, params: Any, result: Any) -> Any:
        reply = await self.reply if asyncio.isfuture(self.reply) else self.reply
        if isinstance(reply, HeroError):
            raise reply
        return reply

    def tell(self, sentence: str, *, failed: bool = False) -> None:
        self.told.append((sentence, failed))

    def changed(self) -> None:
        self.changes += 1

    def queue(self) -> BuildQueue:
        return BuildQueue(self.ask, self.tell, self.changed)


async def test_it_counts_what_the_box_tells_and_then_events() -> None:
    queue = Box(answer(some_builds())).queue()
    await queue.fill()
    assert (queue.building, queue.queued) == (2, 3)
    queue.heard(told(1, running("b-1006")))
    queue.heard(told(2, build("b-1004", state="failed")))
    queue.heard(told(3, queued("b-2000")))
    assert (queue.building, queue.queued) == (2, 3)


async def test_what_is_heard_while_it_asks_is_newer() -> None:
    reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    queue = Box(reply).queue()
    filling = asyncio.create_task(queue.fill())
    await asyncio.sleep(0)
    queue.heard(told(1, build("b-1004")))
    reply.set_result(answer(some_builds()))
    await filling
    assert (queue.building, queue.queued) == (1, 3)


async def test_a_box_that_knows_no_queue_is_counted_by_its_events() -> None:
    box = Box(HeroError("not_found", "There is no method build.list."))
    queue = box.queue()
    await queue.fill()
    queue.heard(told(1, running("b-1")))
    assert (queue.building, queue.queued, box.told) == (1, 0, [])


async def test_what_cannot_be_read_counts_nothing() -> None:
    queue = Box(answer(())).queue()
    queue.heard(told(1, running("b-1")).model_copy(update={"data": {"id": 3}}))
    assert queue.building == 0
