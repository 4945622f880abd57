"""The question before something that cannot be taken back: it stands on Cancel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from screens.widgets.actionbutton import ActionButton
from screens.widgets.celltext import clean


class Confirm(ModalScreen[bool]):
    """Asks; its result is True only if the person chose the action.

    `typed` asks for that name to be typed first (high radius); `danger` colours the action.
    """

    AUTO_FOCUS = "#confirm-cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "cancel", "Cancel", id="confirm.cancel"),
        Binding("y", "agree", "Yes", id="confirm.agree"),
        Binding("left,h,up,k", "app.focus_previous", "Previous", id="confirm.previous", show=False),
        Binding("right,l,down,j", "app.focus_next", "Next", id="confirm.next", show=False),
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[str] = (),
        *,
        action: str = "Yes",
        danger: bool = True,
        typed: str = "",
    ) -> None:
        super().__init__()
        self._title = clean(title)
        self._lines = [clean(line) for line in lines]
        self._action = clean(action)
        self._danger = danger
        self._typed = typed

    def compose(self) -> ComposeResult:
        """A panel with the question, what will happen, and two buttons."""
        with Vertical(classes="dialog", id="confirm") as panel:
            panel.border_title = self._title.replace("[", "\\[")
            yield Static("\n".join(self._lines), markup=False, id="confirm-lines")
            if self._typed:
                ask = f"Type {clean(self._typed)} to go on:"
                yield Static(ask, markup=False, id="confirm-ask")
                field = Input(id="confirm-name", select_on_focus=False)
                field.cursor_blink = False
                yield field
            with Horizontal(id="confirm-buttons"):
                yield ActionButton("Cancel", "confirm.cancel", id="confirm-cancel")
                style = "-danger" if self._danger else ""
                label = self._action.replace("[", "\\[")
                locked = bool(self._typed)
                yield ActionButton(label, "confirm.agree", id="confirm-action", classes=style, disabled=locked)

    def on_mount(self) -> None:
        """With a name to type, the keys go there; Enter does nothing until it is right."""
        if self._typed:
            self.query_one("#confirm-name").focus()

    @property
    def _allowed(self) -> bool:
        return not self._typed or self.query_one("#confirm-name", Input).value.strip() == self._typed

    @on(Input.Changed, "#confirm-name")
    def _unlock(self) -> None:
        self.query_one("#confirm-action").disabled = not self._allowed

    @on(Input.Submitted, "#confirm-name")
    @on(Button.Pressed, "#confirm-action")
    def _choose_action(self) -> None:
        if self._allowed:
            self.dismiss(True)

    @on(Button.Pressed, "#confirm-cancel")
    def action_cancel(self) -> None:
        """Do nothing."""
        self.dismiss(False)

    def action_agree(self) -> None:
        """Do it, unless a name must be typed for that."""
        if not self._typed:
            self.dismiss(True)
