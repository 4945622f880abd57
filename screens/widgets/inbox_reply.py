"""The line under the inbox in which an answer is written: hidden until it is wanted, its words kept until sent."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from backends.model.inbox import InboxItem
from screens.widgets.agent_text import AgentText
from screens.widgets.inbox_model import decides
from screens.widgets.titles import set_titles


class InboxReply(Container):
    """Opened for an item; what is written for one is not sent to another."""

    DEFAULT_CSS = """
    InboxReply { display: none; height: auto; }
    InboxReply.-open { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self.item: InboxItem | None = None

    def compose(self) -> ComposeResult:
        """The field."""
        yield AgentText(id="inbox-answer")

    @property
    def field(self) -> AgentText:
        """Where it is written."""
        return self.query_one(AgentText)

    def open(self, item: InboxItem) -> None:
        """Show it, with what was written for this item before."""
        if self.item is None or self.item.id != item.id:
            self.field.clear()
        self.item = item
        verb = "reply to" if item.kind == "message" else "no, and why, to" if decides(item) else "answer to"
        set_titles(self, f"{verb} {item.sender}", "enter sends · esc back")
        self.add_class("-open")
        self.field.focus()

    def close(self) -> None:
        """Hide it; the words stay."""
        self.remove_class("-open")

    def done(self) -> None:
        """They have been sent."""
        self.item = None
        self.field.clear()
        self.close()

    def memory(self) -> InboxItem | None:
        """For whom words are there that have not been sent; the field keeps these."""
        return self.item

    def recall(self, memory: object) -> None:
        """The words are for this one."""
        if isinstance(memory, InboxItem):
            self.item = memory

    def refuse(self, problem: str) -> None:
        """They have not, and why."""
        set_titles(self, f"not sent to {self.item.sender}" if self.item else "", problem)
