"""What a change would do, before it is done: steps, warnings, and the choice to run it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from backends.model.errors import HeroError
from backends.model.plan import Plan, PlanStep
from backends.model.slot_calls import PlanParams
from screens.desk import Desk
from screens.doings import Asked
from screens.widgets.actionbutton import ActionButton
from screens.widgets.celltext import byte_count, clean, fit
from screens.widgets.rich_colours import rich_colour

_WORDS = {
    "resolve": "find",
    "download": "download",
    "build": "compile",
    "install": "install",
    "swap": "swap in",
    "restart": "restart",
    "stop": "stop",
    "bind": "bind",
    "unbind": "unbind",
    "publish": "publish",
}


class PlanDialog(ModalScreen[None]):
    """Stands on Run where the change is light; on Cancel where it compiles, warns, or takes a `yes`."""

    CSS_PATH = "../styles/plan.tcss"
    AUTO_FOCUS = "#plan-cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "cancel", "Cancel", id="confirm.cancel"),
        Binding("y", "agree", "Run", id="confirm.agree"),
        Binding("left,h,up,k", "app.focus_previous", "Previous", id="confirm.previous", show=False),
        Binding("right,l,down,j", "app.focus_next", "Next", id="confirm.next", show=False),
    ]

    def __init__(self, desk: Desk, asked: Asked, params: PlanParams, *, yes: bool = False) -> None:
        super().__init__()
        self.desk = desk
        self._asked = asked
        self._params = params
        self._yes = yes
        self._ready = False

    def compose(self) -> ComposeResult:
        """The plan and two buttons."""
        with Vertical(classes="dialog", id="plan") as panel:
            panel.border_title = clean(self._asked.title)
            with VerticalScroll(id="plan-scroll", can_focus=False):
                yield Static("Working out what this would do…", markup=False, id="plan-steps")
            with Horizontal(id="plan-buttons"):
                yield ActionButton("Cancel", "confirm.cancel", id="plan-cancel")
                yield ActionButton("Run", "confirm.agree", id="plan-run", disabled=True)

    def on_mount(self) -> None:
        """Ask the slot."""
        self.run_worker(self._load(), name="plan", group="plan")

    async def _load(self) -> None:
        try:
            plan = await self.desk.call(self._asked.user, "slot.plan", self._params, Plan)
        except HeroError as error:
            self._steps(Text.assemble((clean(error.message), self._colour("error")), f"\n\n{clean(error.hint)}"))
            return
        self._steps(Text("\n").join(self._lines(plan)))
        if plan.nothing_to_do and not plan.warnings:
            return
        self._ready = True
        run = self.query_one("#plan-run", Button)
        run.disabled = False
        if not (plan.compiles or plan.warnings or self._yes):
            run.focus()

    def _steps(self, text: Text) -> None:
        self.query_one("#plan-steps", Static).update(text)

    def _colour(self, name: str) -> str:
        """A colour of the theme, as rich takes it."""
        return rich_colour(self.app, name)

    def _lines(self, plan: Plan) -> Iterator[Text]:
        quiet, accent, warning = self._colour("quiet"), self._colour("primary"), self._colour("warning")
        if plan.branch:
            source = f" · {plan.source}" if plan.source else ""
            version = f" · {clean(plan.tag or plan.commit[:8])}" if plan.tag or plan.commit else ""
            yield Text(f"{clean(plan.branch)}{source}{version}", style="bold")
            yield Text(_cost(plan), style=quiet)
            yield Text("")
        if plan.nothing_to_do:
            yield Text("Nothing to do: this is how it is already.", style=quiet)
        for number, step in enumerate(plan.steps, 1):
            yield Text.assemble(
                (f"{number:2} ", quiet),
                (fit(_WORDS.get(step.action, step.action), 9), accent),
                f" {clean(step.subject)}",
                (f"  {_step_detail(step)}", quiet),
            )
        for text in plan.warnings:
            yield Text("")
            yield Text(f"▲ {clean(text)}", style=warning)

    @on(Button.Pressed, "#plan-run")
    def action_agree(self) -> None:
        """Run it."""
        if self._ready:
            self.dismiss()
            self.desk.ways.close_dialogs()
            self.desk.doings.begin(self._asked)

    @on(Button.Pressed, "#plan-cancel")
    def action_cancel(self) -> None:
        """Do nothing."""
        self.dismiss()


def _cost(plan: Plan) -> str:
    """What it takes, in a line."""
    if plan.compiles:
        cost = "compiles here"
    elif plan.installed:
        cost = "is installed: nothing to download"
    elif plan.cached:
        cost = "in the box's cache: nothing to download"
    elif plan.size:
        cost = f"downloads {byte_count(plan.size)}"
    else:
        cost = "no download"
    restarts = f" · restarts {', '.join(map(clean, plan.restarts))}" if plan.restarts else " · restarts nothing"
    return cost + restarts


def _step_detail(step: PlanStep) -> str:
    if step.action == "build":
        return "in its worktree"
    if step.action == "download" and step.detail.endswith(" bytes"):
        count = step.detail.removesuffix(" bytes")
        return byte_count(int(count)) if count.isdigit() else clean(step.detail)
    return clean(step.detail)
