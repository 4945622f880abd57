"""Work in an event loop of a thread of its own, its news handed over: whatever it does, the screen goes on."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

Tell = Callable[[T], None]


class _End:
    """The work is over; `error` is why, where it did not come to its own end."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Apart(Generic[T]):
    """One run of `work` in a thread that no exit waits for. `work` gets what hears its news."""

    def __init__(self, work: Callable[[Tell[T]], Awaitable[None]], name: str) -> None:
        self._work = work
        self._name = name
        self._here = asyncio.get_running_loop()
        self._news: asyncio.Queue[T | _End] = asyncio.Queue()
        self._there: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._given_up = False

    async def news(self, silence: float) -> AsyncGenerator[T, None]:
        """What the work tells, to its end; left early, the work is cancelled.

        Raises TimeoutError when for `silence` seconds nothing is told, and whatever the work raises.
        """
        threading.Thread(target=self._run, daemon=True, name=self._name).start()
        try:
            while True:
                async with asyncio.timeout(silence):
                    told = await self._news.get()
                if isinstance(told, _End):
                    if told.error is not None:
                        raise told.error
                    return
                yield told
        finally:
            self._give_up()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            self._tell(_End())
        except BaseException as error:  # it is raised where the news are read
            self._tell(_End(error))
        else:
            self._tell(_End())

    async def _main(self) -> None:
        self._there, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if not self._given_up:
            await self._work(self._tell)

    def _tell(self, told: T | _End) -> None:
        with contextlib.suppress(RuntimeError):  # the cockpit has been left meanwhile
            self._here.call_soon_threadsafe(self._news.put_nowait, told)

    def _give_up(self) -> None:
        self._given_up = True
        if self._there is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # it has come to its end
                self._there.call_soon_threadsafe(self._task.cancel)
