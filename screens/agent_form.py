"""The form of a new agent: what it is to do, where, how hard it thinks, and on whose account it will run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from backends.model.agent_calls import AgentStarted, ClaudeStatus
from backends.model.agents import Agent, Mode
from backends.model.errors import HeroError
from backends.model.method import Empty
from screens.desk import Desk
from screens.widgets.actionbutton import ActionButton
from screens.widgets.agent_choice import AgentChoice, Choice, EffortBar
from screens.widgets.agent_draft import Draft, credential_sentence, flaw_of, neighbours, start_params
from screens.widgets.agent_text import AgentText
from screens.widgets.celltext import clean

_MODES: tuple[tuple[Mode, str, str], ...] = (
    ("default", "asks first", "before it runs or changes anything"),
    ("acceptEdits", "edits", "changes files without asking"),
    ("plan", "plan", "reads and plans, changes nothing"),
)


class AgentForm(ModalScreen[str]):
    """Starts an agent in my slot. Its result is what was typed and not sent, for the next time."""

    CSS_PATH = "../styles/agent_form.tcss"
    AUTO_FOCUS = "#form-prompt"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "Start", id="form.start", show=False),
        Binding("escape", "close", "Close", id="form.cancel", show=False),
    ]

    def __init__(self, desk: Desk, service: str = "", prompt: str = "") -> None:
        super().__init__()
        self.desk = desk
        slot = desk.fleet.slots.get(desk.me)
        self._branches = {name: cell.branch for name, cell in slot.cells.items()} if slot else {}
        self._service = service if service in self._branches else next(iter(self._branches), "")
        self._prompt = prompt
        self._payer: tuple[str, bool] = ("Asking on which credential it would run…", True)
        self._sending = False

    def compose(self) -> ComposeResult:
        """The prompt first: with it alone, Enter starts."""
        services = [Choice(name, name) for name in self._branches]
        place = list(self._branches).index(self._service) if self._service else 0
        with Vertical(classes="dialog", id="form") as panel:
            panel.border_title = f"new agent in the slot of {clean(self.desk.me)}"
            start, close = self.desk.key("form.start"), self.desk.key("form.cancel")
            panel.border_subtitle = f"{start} start · \\ enter: new line · tab next field · {close} close"
            yield AgentText(self._prompt, placeholder="What is it to do?", id="form-prompt")
            yield from self._fields(services, place)
            yield Static("", markup=False, id="form-payer")
            yield Static("", markup=False, id="form-warning")
            with Horizontal(id="form-buttons"):
                yield ActionButton("Close", "form.cancel", id="form-close")
                yield ActionButton("Start", "form.start", id="form-go")

    def _fields(self, services: Sequence[Choice], place: int) -> Iterable[Widget]:
        yield from _field("service", AgentChoice(services, place, id="form-service"))
        yield from _field("branch", _line("form-branch", "a branch, or the path of a worktree", self._branch))
        yield from _field("effort", EffortBar(id="form-effort"))
        yield from _field("mode", AgentChoice([Choice(*mode) for mode in _MODES], id="form-mode"))
        yield from _field("model", _line("form-model", "the slot's own; or opus, sonnet, haiku, a full name"))
        yield from _field("issue", _line("form-issue", "the address of an issue: its repository, a branch for it"))
        with Horizontal(classes="form-row"):
            yield Static("loop", markup=False, classes="form-label")
            yield _line("form-loop", "0", width="-short")
            yield Static("until", markup=False, classes="form-label -near")
            yield _line("form-until", "a command whose success ends it")

    @property
    def _branch(self) -> str:
        return self._branches.get(self._service, "")

    def on_mount(self) -> None:
        """Ask on whose account it would run."""
        self._show()
        self.run_worker(self._ask_payer(), name="payer", group="payer")

    async def _ask_payer(self) -> None:
        try:
            status = await self.desk.call(self.desk.me, "claude.status", Empty(), ClaudeStatus)
        except HeroError as error:
            self._payer = (f"{error.message} {error.hint}".strip(), True)  # the start itself will tell
        else:
            self._payer = credential_sentence(status)
        self._show()

    # -- what stands in it ------------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        """The fields."""
        mode = _MODES[self.query_one("#form-mode", AgentChoice).place][0]
        return Draft(
            prompt=self.query_one(AgentText).text,
            service=self.query_one("#form-service", AgentChoice).value,
            branch=self._typed("branch"),
            effort=self.query_one(EffortBar).place + 1,
            model=self._typed("model"),
            mode=mode,
            issue=self._typed("issue"),
            loop=self._typed("loop"),
            until=self._typed("until"),
        )

    def _typed(self, name: str) -> str:
        return self.query_one(f"#form-{name}", Input).value

    @on(AgentChoice.Changed, "#form-service")
    def _service_chosen(self, event: AgentChoice.Changed) -> None:
        """The branch follows the service, unless another one was typed."""
        field = self.query_one("#form-branch", Input)
        if field.value == self._branch:
            field.value = self._branches.get(event.field.value, "")
            field.cursor_position = len(field.value)
        self._service = event.field.value

    @on(Input.Changed)
    @on(AgentChoice.Changed)
    def _show(self) -> None:
        """On whose account; what is wrong, or worth a thought."""
        sentence, works = self._payer
        payer = self.query_one("#form-payer", Static)
        payer.update(clean(sentence))
        payer.set_class(not works, "-failed")
        self._warn(neighbours(self.draft, self._agents()), failed=False)
        self.query_one("#form-go", Button).disabled = self._sending

    def _agents(self) -> Iterable[Agent]:
        slot = self.desk.fleet.slots.get(self.desk.me)
        return slot.agents.values() if slot else ()

    def _warn(self, sentence: str, *, failed: bool) -> None:
        warning = self.query_one("#form-warning", Static)
        warning.display = bool(sentence)
        warning.set_class(failed, "-failed")
        warning.update(clean(sentence))

    # -- keys -------------------------------------------------------------------------------------

    @on(Button.Pressed, "#form-close")
    @on(AgentText.Left)
    def action_close(self) -> None:
        """Close; the prompt is kept."""
        self.dismiss(self.query_one(AgentText).text)

    @on(Button.Pressed, "#form-go")
    @on(AgentText.Sent)
    @on(Input.Submitted)
    def action_start(self) -> None:
        """Check it, then have the slot start it."""
        if self._sending:
            return
        draft = self.draft
        if flaw := flaw_of(draft):
            self._warn(flaw.sentence, failed=True)
            self.query_one(f"#form-{flaw.field}").focus()
            return
        if not self._payer[1]:
            self._warn("It would run on nothing: mend that first.", failed=True)
            return
        self._sending = True
        self.run_worker(self._start(draft), name="start", group="start")

    async def _start(self, draft: Draft) -> None:
        self._show()
        self._warn("starting…", failed=False)
        try:
            started = await self.desk.call(self.desk.me, "agent.start", start_params(draft), AgentStarted)
        except HeroError as error:
            self._sending = False
            self._show()
            self._warn(f"{error.message} {error.hint}".strip(), failed=True)
            return
        self.dismiss("")
        for warning in started.warnings:
            self.desk.tell(warning)
        self.desk.ways.show_agents(started.agent.name)


def _field(label: str, field: Widget) -> Iterable[Widget]:
    with Horizontal(classes="form-row"):
        yield Static(label, markup=False, classes="form-label")
        yield field


def _line(id: str, placeholder: str, value: str = "", width: str = "") -> Input:
    field = Input(value, placeholder=placeholder, id=id, select_on_focus=False, classes=width)
    field.cursor_blink = False
    return field
