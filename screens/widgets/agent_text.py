"""A field for words to an agent: Enter sends, what is pasted keeps its lines, a backslash at the end adds one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea


class AgentText(TextArea):
    """Several lines of plain text. It posts `Sent` on Enter and `Left` on Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", id="text.send", show=False),
        Binding("shift+enter,alt+enter", "new_line", "New line", id="text.new_line", show=False),
        Binding("escape", "leave", "Back", id="text.leave", show=False),
    ]

    @dataclass
    class Sent(Message):
        """Enter: `text` is what stands there."""

        field: AgentText
        text: str

        @property
        def control(self) -> AgentText:
            """The field that sent it."""
            return self.field

    @dataclass
    class Left(Message):
        """Esc: what stands there is kept."""

        field: AgentText

        @property
        def control(self) -> AgentText:
            """The field that sent it."""
            return self.field

    def __init__(self, text: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(
            text,
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder=placeholder,
        )
        self.cursor_blink = False

    def memory(self) -> str:
        """What stands there and was not sent."""
        return self.text

    def recall(self, memory: object) -> None:
        """The words again, unless others have been written meanwhile."""
        if isinstance(memory, str) and memory and not self.text:
            self.insert(memory)

    async def _on_key(self, event: events.Key) -> None:
        """Leave Enter to its binding, which sends."""
        if event.key != "enter":
            await super()._on_key(event)

    def action_send(self) -> None:
        """Send it; after a backslash a new line instead, as in `claude` itself."""
        row, column = self.cursor_location
        if column and self.document.get_line(row)[:column].endswith("\\"):
            self.action_delete_left()
            self.action_new_line()
            return
        self.post_message(self.Sent(self, self.text))

    def action_new_line(self) -> None:
        """Begin another line."""
        self.insert("\n")

    def action_leave(self) -> None:
        """Give the keys back."""
        self.post_message(self.Left(self))
