"""Work in a thread apart: its news come, its errors too; given up, it ends; hung, it is left behind."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing

import pytest

from hero_tui.apart import Apart, Tell


async def test_news_come_in_their_order_and_end() -> None:
    async def work(tell: Tell[int]) -> None:
        for number in range(3):
            tell(number)
            await asyncio.sleep(0)

    assert [one async for one in Apart(work, "test").news(10)] == [0, 1, 2]


async def test_it_is_not_this_threads_loop() -> None:
    async def work(tell: Tell[str]) -> None:
        tell(threading.current_thread().name)

    assert [one async for one in Apart(work, "apart").news(10)] == ["apart"]


async def test_what_it_raises_is_raised_where_it_is_read() -> None:
    async def work(tell: Tell[int]) -> None:
        tell(1)
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        async for one in Apart(work, "test").news(10):
            seen.append(one)
    assert seen == [1]


async def test_whoever_leaves_ends_it() -> None:
    ended = threading.Event()

    async def work(tell: Tell[int]) -> None:
        try:
            tell(1)
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with aclosing(Apart(work, "test").news(10)) as news:
        assert await anext(news) == 1
    assert await asyncio.to_thread(ended.wait, 10)


async def test_one_that_blocks_is_given_up_and_nothing_here_waits() -> None:
    let_go = threading.Event()

    async def work(tell: Tell[int]) -> None:
        tell(1)
        let_go.wait(30)  # blocks its own loop, as a check on a dead mount would

    seen = []
    with pytest.raises(TimeoutError):
        async for one in Apart(work, "test").news(0.05):
            seen.append(one)
    assert seen == [1]
    let_go.set()
