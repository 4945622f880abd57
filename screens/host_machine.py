"""What the Host screen knows of the machine: as it goes on while somebody looks, and how it was before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

from screens.desk import Desk
from screens.host_view import HostNews, HostSource, HostView
from screens.host_words import STALE_SECONDS, age_of
from screens.widgets.celltext import clean
from screens.widgets.host_meters import MetersView
from screens.widgets.host_model import point_of

_LIVE = 60
"""Looks of this visit that are put at the end of the trend."""


class HostMachine:
    """`view` is the last look; `changed` is called when another one has come, or why there is none."""

    def __init__(self, desk: Desk, source: HostSource, changed: Callable[[], None]):
        self._desk = desk
        self._source = source
        self._changed = changed
        self.view = HostView()

    async def follow(self) -> None:
        """Look on until this is cancelled."""
        async with aclosing(self._source.follow()) as news:
            async for one in news:
                self.view = self._seen(one)
                self._changed()

    def _seen(self, news: HostNews) -> HostView:
        before = self.view
        if news.sample is None:
            return replace(before, problem=clean(news.lost))
        minutes, days = before.minutes, before.days
        if news.minutes is not None:
            minutes, days = news.minutes, news.days
        point = point_of(news.sample.machine, news.sample.time.timestamp())
        return HostView(news.sample, minutes, days, (*before.live, point)[-_LIVE:], self._desk.now())

    def meters(self, *, days: bool) -> MetersView:
        """The last look with the trend that led to it, of two `days` or of the last hour."""
        view = self.view
        fresh = not view.problem and age_of(view, self._desk.now()) < STALE_SECONDS
        return MetersView(view.sample, (*(view.days if days else view.minutes), *view.live), fresh)
