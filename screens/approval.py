"""What an agent wants done, in full, and the choice to let it: it stands on Deny, and no key allows much."""

from __future__ import annotations

from typing import ClassVar, Literal

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from backends.model.inbox import InboxItem
from screens.widgets.actionbutton import ActionButton
from screens.widgets.agent_dialog import question_text
from screens.widgets.celltext import clean
from screens.widgets.glyphs import UNICODE
from screens.widgets.rich_colours import rich_colour

Decision = Literal["allow", "deny", "words"]

_UNNAMED = "which no rule of policy.toml names"
_MEANS = {
    "medium": "medium radius",
    "high": "high radius: it takes the name of what it is done to",
}


class ApprovalDialog(ModalScreen[Decision | None]):
    """Its result is what was decided; `words`: to deny it and say why; None: it waits on."""

    CSS_PATH = "../styles/approval.tcss"
    AUTO_FOCUS = "#approval-deny"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "later", "Later", id="approval.later"),
        Binding("y", "allow", "Allow", id="approval.allow"),
        Binding("n", "deny", "Deny", id="approval.deny"),
        Binding("i", "words", "Deny, and why", id="approval.words"),
        Binding("pagedown,ctrl+d", "read(1)", "Read on", id="approval.read_on", show=False),
        Binding("pageup,ctrl+u", "read(-1)", "Read back", id="approval.read_back", show=False),
        Binding("left,h,up,k", "app.focus_previous", "Previous", id="confirm.previous", show=False),
        Binding("right,l,down,j", "app.focus_next", "Next", id="confirm.next", show=False),
    ]

    def __init__(self, item: InboxItem, left: str = "") -> None:
        super().__init__()
        self._item = item
        self._left = left
        held = item.approval
        self._typed = held.subject if held and held.radius == "high" else ""

    def compose(self) -> ComposeResult:
        """Who wants what, the plan, the name to be typed where it reaches far, and the buttons."""
        with Vertical(classes="dialog", id="approval") as panel:
            panel.border_title = f"{clean(self._item.sender)} wants to change {clean(self._subject)}"
            panel.border_subtitle = self._left
            yield Static("", markup=False, id="approval-radius")
            with VerticalScroll(id="approval-scroll", can_focus=False):
                yield Static("", markup=False, id="approval-plan")
            if self._typed:
                yield Static(f"Type {clean(self._typed)} to allow it:", markup=False, id="approval-ask")
                field = Input(id="approval-name", select_on_focus=False)
                field.cursor_blink = False
                yield field
            with Horizontal(id="approval-buttons"):
                yield ActionButton("Deny", "approval.deny", id="approval-deny")
                yield ActionButton("Deny, and why", "approval.words", id="approval-words")
                yield ActionButton("Allow", "approval.allow", id="approval-allow", disabled=bool(self._typed))

    def on_mount(self) -> None:
        """Paint what it says in the theme's colours."""
        self.query_one("#approval-radius", Static).update(self._radius())
        self.query_one("#approval-plan", Static).update(question_text(self._item.text, self._colour))

    @property
    def _subject(self) -> str:
        return self._item.approval.subject if self._item.approval else self._item.to

    @property
    def _allowed(self) -> bool:
        return not self._typed or self.query_one("#approval-name", Input).value.strip() == self._typed

    def _colour(self, name: str) -> str:
        return rich_colour(self.app, name)

    def _radius(self) -> Text:
        held = self._item.approval
        if held is None:
            return Text("")
        colour = self._colour("error" if held.radius == "high" else "warning")
        named = f'by the rule for "{clean(held.rule)}" of policy.toml' if held.rule else _UNNAMED
        rule = f"\n{clean(held.action)}, {named}"
        after = f"; done in {self._left} unless denied" if held.hold and self._left else ""
        sign = UNICODE.health["crashed" if held.radius == "high" else "unhealthy"]
        return Text.assemble(
            (f"{sign} {_MEANS[held.radius]}", f"bold {colour}"), (f"{rule}{after}", self._colour("quiet"))
        )

    @on(Input.Changed, "#approval-name")
    def _unlock(self) -> None:
        self.query_one("#approval-allow").disabled = not self._allowed

    @on(Input.Submitted, "#approval-name")
    @on(Button.Pressed, "#approval-allow")
    def action_allow(self) -> None:
        """Let it, once the name is right; before that the key leads to where it is typed."""
        if self._allowed:
            self.dismiss("allow")
        else:
            self.query_one("#approval-name").focus()

    @on(Button.Pressed, "#approval-deny")
    def action_deny(self) -> None:
        """Do not let it."""
        self.dismiss("deny")

    @on(Button.Pressed, "#approval-words")
    def action_words(self) -> None:
        """Do not let it, and write why."""
        self.dismiss("words")

    def action_read(self, pages: int) -> None:
        """More of the plan, where it is longer than the room for it."""
        plan = self.query_one("#approval-scroll")
        plan.scroll_relative(y=pages * max(plan.size.height - 1, 1), animate=False)

    def action_later(self) -> None:
        """Decide nothing."""
        self.dismiss(None)
