"""The log of one agent, live; a sentence where there is none yet, or why it cannot be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import WorkType

from backends.model.errors import HeroError
from screens.widgets.agent_log import AgentLog
from screens.widgets.celltext import clean

if TYPE_CHECKING:
    from screens.log_source import AgentBatch

REST_SECONDS = 0.15
"""How long the cursor rests on an agent before its log is opened: who runs through the list opens none."""
_PATIENCE_SECONDS = 0.3

Follow = Callable[[str, str], "AsyncIterator[AgentBatch]"]
"""From slot and id of an agent to its log."""


class AgentPane(Container):
    """Follows one agent at a time; which one, `show` says. `brief` as in `AgentLog`."""

    DEFAULT_CSS = """
    AgentPane > .empty { display: none; }
    """

    def __init__(self, follow: Follow, *, brief: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._follow = follow
        self._brief = brief
        self._agent: tuple[str, str] | None = None
        self._timer: Timer | None = None
        self._said: str | None = None

    def compose(self) -> ComposeResult:
        """The log, or the sentence."""
        yield AgentLog(brief=self._brief)
        yield Static("", markup=False, classes="empty")

    @property
    def log_view(self) -> AgentLog:
        """The entries."""
        return self.query_one(AgentLog)

    def show(self, slot: str, id: str, *, at_once: bool = False) -> None:
        """Have the log of this agent once the cursor rests; the same log goes on. No slot: none."""
        agent = (slot, id) if slot else None
        if agent == self._agent:
            return
        self._agent = agent
        if self._timer:
            self._timer.stop()
        self.workers.cancel_group(self, "agent-log")
        self.log_view.reset()
        self._say("")
        if agent and at_once:
            self._open()
        elif agent:
            self._timer = self.set_timer(REST_SECONDS, self._open)

    def _open(self) -> None:
        if self._agent and self.is_mounted:
            # Not yet a coroutine: one that is cancelled before it began would complain that nobody awaited it.
            read: WorkType[None] = partial(self._read, *self._agent)
            self.run_worker(read, name="agent-log", group="agent-log", exclusive=True)

    async def _read(self, slot: str, id: str) -> None:
        waiting = self.set_timer(_PATIENCE_SECONDS, self._say_none_yet)
        try:
            async with aclosing(self._follow(slot, id)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    self.log_view.append(batch.lines)
                    if batch.lines:
                        self._say("")
                    elif batch.lost and self.log_view.empty:
                        self._say(f"{clean(batch.lost)}\n\nTrying again.")
        except HeroError as error:
            self._say(f"{clean(error.message)}\n\n{clean(error.hint)}".strip())
        finally:
            waiting.stop()

    def _say_none_yet(self) -> None:
        if self.log_view.empty and not self._said:
            self._say("It has said nothing yet.\n\nWhat it does is shown as it does it.")

    def _say(self, sentence: str) -> None:
        if sentence == self._said:
            return
        self._said = sentence
        empty = self.query_one(".empty", Static)
        empty.display, self.log_view.display = bool(sentence), not sentence
        empty.update(sentence)
