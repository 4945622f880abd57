"""Fields of a form that are chosen and not typed: one of a few values, an effort as a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from backends.model.agents import EFFORTS
from screens.widgets.celltext import clean
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part, paint_parts

_LEVELS = (0, 2, 4, 5, 7)


@dataclass(frozen=True, slots=True)
class Choice:
    """A value, how it reads, and what is said beside it while it is chosen."""

    value: str
    text: str
    note: str = ""


class AgentChoice(Widget, can_focus=True):
    """One of `choices` on a line; arrows change it, a digit takes one by its place."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--value", "choice--arrow", "choice--note", "choice--off"}
    DEFAULT_CSS = "AgentChoice { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "step(1)", "Next", id="choice.next", show=False),
        Binding("left,h", "step(-1)", "Previous", id="choice.previous", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Another one has been chosen."""

        field: AgentChoice

        @property
        def control(self) -> AgentChoice:
            """The field that sent it."""
            return self.field

    def __init__(
        self, choices: Sequence[Choice], place: int = 0, *, glyphs: Glyphs = UNICODE, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._choices = tuple(choices)
        self._place = place
        self._glyphs = glyphs

    @property
    def value(self) -> str:
        """What is chosen; "" where there is nothing to choose."""
        return self._choices[self._place].value if self._choices else ""

    @property
    def place(self) -> int:
        """Its place, from 0."""
        return self._place

    def choose(self, place: int) -> None:
        """Choose by place."""
        if 0 <= place < len(self._choices) and place != self._place:
            self._place = place
            self.refresh()
            self.post_message(self.Changed(self))

    def action_step(self, step: int) -> None:
        """The next one, or the one before; after the last comes the first."""
        if self._choices:
            self.choose((self._place + step) % len(self._choices))

    def on_key(self, event: events.Key) -> None:
        """A digit takes one by its place."""
        if event.character and event.character.isdecimal():
            event.stop()
            self.choose(int(event.character) - 1)

    def on_click(self) -> None:
        """The next one."""
        self.action_step(1)

    def on_focus(self) -> None:
        """The arrows are where keys go."""
        self.refresh()

    def on_blur(self) -> None:
        """No arrows."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """`‹ value ›  note`."""
        if not self._choices:
            return paint_parts(self, [("nothing to choose", "choice--off")])
        left, right = ("‹ ", " ›") if self.has_focus and len(self._choices) > 1 else ("  ", "")
        return paint_parts(
            self, [(left, "choice--arrow"), *self._shown(), (right, "choice--arrow"), *self._note()]
        )

    def _shown(self) -> Sequence[Part]:
        return ((clean(self._choices[self._place].text), "choice--value"),)

    def _note(self) -> Sequence[Part]:
        note = self._choices[self._place].note
        return ((f"   {clean(note)}", "choice--note"),) if note else ()


class EffortBar(AgentChoice):
    """The five efforts, as heights."""

    def __init__(self, place: int = 1, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(
            [Choice(name, f"{number} {name}") for number, name in enumerate(EFFORTS, 1)], place, id=id
        )
        self._glyphs = glyphs

    def _shown(self) -> Sequence[Part]:
        signs = [self._glyphs.levels[level] for level in _LEVELS]
        return (
            (" ".join(signs[: self.place + 1]), "choice--value"),
            (" " * (self.place < len(signs) - 1) + " ".join(signs[self.place + 1 :]), "choice--off"),
            ("  ", ""),
            *super()._shown(),
        )
