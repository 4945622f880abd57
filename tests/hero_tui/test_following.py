"""A followed log loses no line and doubles none, wherever its stream breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.model.slot_calls import LogsParams
from backends.model.state import LogLine
from hero_tui import following
from hero_tui.following import follow


def line(time: float, text: str = "x") -> LogLine:
    return LogLine(source="hero_db", time=time, text=text)


class Daemon:
    """Tells a log from `since` on, and breaks after as many lines as `breaks` says, one number a stream."""

    def __init__(self, log: list[LogLine], breaks: list[int]):
        self.log, self.breaks = log, breaks

    async def open(self, params: LogsParams) -> AsyncGenerator[tuple[LogLine, ...], None]:
        there = [one for one in self.log if params.since is None or (one.time or 0) >= params.since]
        yield ()
        if not self.breaks:
            yield tuple(there)
            raise HeroError("denied", "That is all.")
        upto = self.breaks.pop(0)
        yield tuple(there[: upto // 2])
        yield tuple(there[upto // 2 : upto])
        raise HeroError("unreachable", "The daemon has gone.")


async def told_by(daemon: Daemon) -> list[LogLine]:
    told: list[LogLine] = []
    with pytest.raises(HeroError, match="That is all"):
        async with aclosing(follow(daemon.open, LogsParams())) as batches:
            async for batch in batches:
                told += batch.lines
    return told


TIMES = st.lists(st.sampled_from([1.0, 1.0, 1.0, 2.0, 3.0]), max_size=8).map(sorted)


@settings(deadline=None, max_examples=60)
@given(TIMES, st.lists(st.integers(0, 8), max_size=4), st.data())
def test_no_line_is_lost_or_doubled(times: list[float], breaks: list[int], data: st.DataObject) -> None:
    log = [line(time, data.draw(st.sampled_from("ab"))) for time in times]
    before, following.AGAIN_SECONDS = following.AGAIN_SECONDS, (0.0, 0.0, 0.0, 0.0)
    try:
        assert asyncio.run(told_by(Daemon(log, breaks))) == log
    finally:
        following.AGAIN_SECONDS = before


async def test_a_program_may_repeat_itself() -> None:
    log = [line(1.0), line(1.0), line(1.0)]
    assert await told_by(Daemon(log, [])) == log


async def test_a_loss_is_told() -> None:
    daemon = Daemon([line(1.0)], [1])
    async with aclosing(follow(daemon.open, LogsParams())) as batches:
        told = [await anext(batches) for _ in range(4)]
    assert [batch.lost for batch in told] == ["", "", "", "The daemon has gone."]
