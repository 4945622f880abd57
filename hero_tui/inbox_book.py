"""This person's inbox as the cockpit knows it: asked for anew after each news of it, each question told once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from backends.model.errors import HeroError
from screens.desk import InboxView
from screens.widgets.celltext import clean, first_of
from screens.widgets.inbox_model import is_open

if TYPE_CHECKING:
    from pydantic import BaseModel

    from backends.model.frozen import Frozen
    from backends.model.inbox import InboxItem
    from backends.model.state import Event

R = TypeVar("R", bound="BaseModel")

_AT_MOST = 1000
_ENDED = 100
"""Items that are over and still shown."""
_TOLD_EACH = 5
"""New questions at once that are told one by one; more are told together."""
_SHOWN = 120
"""Characters of a question in a notification."""


class Asker(Protocol):
    """How the box is asked."""

    async def __call__(self, method: str, params: Frozen, result: type[R]) -> R: ...


class InboxBook:
    """The inbox of `me`; `changed` is called when it differs, `announce` gets a sentence for each new question."""

    def __init__(self, me: str, ask: Asker, announce: Callable[[str], None], changed: Callable[[], None]):
        self._me = me
        self._ask = ask
        self._announce = announce
        self._changed = changed
        self._announced: set[str] = set()
        self._asking = self._again = False
        self.view = InboxView()

    @property
    def waiting(self) -> int:
        """How many questions are open."""
        return sum(is_open(item) for item in self.view.items)

    def concerns(self, event: Event) -> bool:
        """Whether the event is news of this inbox, or of what its owner or an agent of theirs has sent."""
        if event.kind != "question.changed" or not self._me:
            return False
        to, sender = str(event.data.get("to", "")), str(event.data.get("sender", ""))
        return to == self._me or to.startswith("@") or sender == self._me or sender.startswith(f"{self._me}/")

    async def fill(self) -> None:
        """Ask the box; news that comes meanwhile has it asked once more."""
        self._again = self._asking
        if self._asking or not self._me:
            return
        self._asking = True
        try:
            await self._fill()
            while self._again:
                self._again = False
                await self._fill()
        finally:
            self._asking = False

    async def _fill(self) -> None:
        from backends.model.inbox_calls import InboxParams, InboxResult

        try:
            current = await self._ask("question.list", InboxParams(limit=_AT_MOST, user=self._me), InboxResult)
            params = InboxParams(ended=True, limit=_ENDED, user=self._me)
            ended = await self._ask("question.list", params, InboxResult)
        except HeroError as error:
            self.view = InboxView(self.view.items, self.view.known, f"{error.message} {error.hint}".strip())
            self._changed()
            return
        items = {item.id: item for item in (*ended.items, *current.items)}
        first = not self.view.known
        self.view = InboxView(tuple(items.values()), known=True)
        self._tell_new(first)
        self._changed()

    def _tell_new(self, first: bool) -> None:
        """Each open question once, whatever becomes of the connection; those found at the start together."""
        new = [item for item in self.view.items if is_open(item) and item.id not in self._announced]
        self._announced.update(item.id for item in new)
        if (first and len(new) > 1) or len(new) > _TOLD_EACH:
            senders = first_of(sorted({clean(one.sender) for one in new}), _TOLD_EACH)
            self._announce(f"{len(new)} questions wait for you: {', '.join(senders)}")
            return
        for item in new:
            self._announce(announcement(item))


def announcement(item: InboxItem) -> str:
    """Who asks, why, and what, in a line."""
    why = {"permission": "asks for permission", "approval": "waits for your approval"}.get(item.kind, "asks")
    return f"{clean(item.sender)} {why}: {clean(item.text, _SHOWN)}"
