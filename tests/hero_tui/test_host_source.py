"""The machine followed through losses, and its warnings kept by events, whatever a box answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.model.host import HostSample, HostStatus
from backends.model.paths import BoxPaths
from backends.model.state import Event
from hero_tui import host_source
from hero_tui.host_book import HostBook
from hero_tui.host_source import BoxHost
from screens.host_view import HostNews
from tests.hero_tui.fleets import NOW
from tests.hero_tui.hosts import sample, trend, warning

WHERE = Where(BoxPaths(Path("/srv/box")), "alice")


async def first(source: BoxHost, count: int) -> list[HostNews]:
    found = []
    async with aclosing(source.follow()) as news:
        async for one in news:
            found.append(one)
            if len(found) == count:
                break
    return found


async def test_a_watch_that_breaks_is_told_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_source, "AGAIN_SECONDS", (0.0,))
    begun = 0

    async def watch(_: Where) -> AsyncGenerator[HostStatus | HostSample, None]:
        nonlocal begun
        begun += 1
        if begun == 2:
            raise HeroError("unreachable", "No daemon answers.")
        yield HostStatus(box="demo", sample=sample(), minutes=trend(3))
        yield sample()

    news = await first(BoxHost(WHERE, watch), 5)
    assert [(one.sample is not None, one.minutes is not None) for one in news[:2]] == [(True, True), (True, False)]
    assert "tells no more" in news[2].lost
    assert news[3].lost == "No daemon answers."
    assert news[4].minutes == trend(3)


async def test_an_older_daemon_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    async def watch(_: Where) -> AsyncGenerator[HostStatus | HostSample, None]:
        raise HeroError("failed", "There is no method called 'host.watch'.")
        yield

    news = await first(BoxHost(WHERE, watch), 1)
    assert "older version" in news[0].lost


def event(level: str, **fields: object) -> Event:
    data = warning(level, **fields).model_dump(mode="json")
    return Event(
        seq=1, time=NOW, box="demo", slot="", kind="host.warning", subject=str(data["subject"]), data=data
    )


async def test_warnings_are_kept_by_events_the_worst_first() -> None:
    told = []

    async def refuse(method: str, params: object, result: object) -> object:
        raise HeroError("not_found", "no answer")

    book = HostBook(refuse, lambda: told.append(1))  # type: ignore[arg-type]
    await book.fill()
    assert (book.says, told) == ("", [])
    book.heard(event("warn"))
    assert (book.says, book.is_bad) == ("disk /home 88 %", False)
    book.heard(event("bad", subject="load", value=6.25, since=NOW - timedelta(days=1)))
    assert (book.says, book.is_bad) == ("load 6.2 a core +1", True)
    book.heard(event("ok", subject="load"))
    book.heard(event("ok"))
    assert book.says == ""


async def test_at_each_connection_the_box_says_what_holds() -> None:
    async def answer(method: str, params: object, result: object) -> HostStatus:
        return HostStatus(box="demo", sample=sample(shares=(), warnings=(warning(),)))

    book = HostBook(answer, lambda: None)  # type: ignore[arg-type]
    book.heard(event("bad", subject="memory"))
    await book.fill()
    assert book.says == "disk /home 88 %"
