"""The switch dialog: opens at once, fills as branches, releases and installed versions arrive, then the plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from backends.model.errors import HeroError
from backends.model.forge import ReleaseInfo
from backends.model.forge_calls import ReleaseListParams, ReleaseListResult
from backends.model.plan import Plan
from backends.model.slot_calls import CandidatesParams, CandidatesResult, PlanParams, SwitchParams
from backends.model.state import ServiceStatus
from screens.desk import Desk
from screens.doings import Asked
from screens.switch_choices import SECTIONS, Choice, Choices, back_choice
from screens.widgets.celltext import clean
from screens.widgets.early_keys import type_early
from screens.widgets.glyphs import UNICODE
from screens.widgets.picker import FuzzyPicker

Kind = Literal["branches", "releases", "pinned"]
KINDS: tuple[Kind, ...] = ("releases", "branches", "pinned")
PAGE = 50
MOST_PAGES = 20


class SwitchDialog(ModalScreen[None]):
    """Chooses what a service runs."""

    CSS_PATH = "../styles/switch.tcss"
    AUTO_FOCUS = "#picker-query"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("B", "back_to_previous", "Back to previous", id="switch.back", show=False, priority=True),
    ]

    def __init__(self, desk: Desk, user: str, service: str, query: str = "") -> None:
        super().__init__()
        self.desk = desk
        self.user = user
        self.service = service
        self._query = query
        status = desk.fleet.cell(user, service)
        self._made = Choices(service, status.hash if status else "")
        self._choices: dict[str, Choice] = {}
        self._releases: list[ReleaseInfo] = []
        self._waiting = set(KINDS)
        self._problems: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """What runs now, the list, and what went wrong while it was filled."""
        with Vertical(classes="dialog", id="switch") as panel:
            panel.border_title = f"switch {clean(self.service)}"
            back, close = self.desk.key("switch.back"), self.desk.key("picker.cancel")
            panel.border_subtitle = f"enter plan · {back} back to previous · {close} close"
            yield Static(self._now_text(), markup=False, id="switch-now")
            yield FuzzyPicker(
                placeholder="branch, hash, author, subject…",
                sections=SECTIONS,
                loading=True,
                # The default, whatever the key is: Textual lays own keys over bindings after it has dropped some.
                spared="B",
                id="switch-picker",
            )
            yield Static("", markup=False, id="switch-problem")

    def on_mount(self) -> None:
        """Ask for everything at once; each answer is shown when it comes."""
        for kind in KINDS:
            self.run_worker(self._load(kind), name=f"candidates {kind}", group=f"candidates-{kind}")
        if (status := self._status) and status.can_go_back:
            self.run_worker(self._load_previous(), name="previous", group="previous")
        if self._query:
            self.query_one("#picker-query", Input).value = self._query

    @property
    def _status(self) -> ServiceStatus | None:
        return self.desk.fleet.cell(self.user, self.service)

    @property
    def picker(self) -> FuzzyPicker:
        """The list."""
        return self.query_one(FuzzyPicker)

    def _now_text(self) -> str:
        status = self._status
        if status is None:
            return f"{self.user} does not run it yet; a switch binds and runs it"
        version = status.tag or status.hash[:8] or "nothing installed"
        sign = UNICODE.health.get(status.health, "?")
        return clean(f"now  {sign} {status.branch} · {status.running_from or status.source} · {version}")

    # -- filling ----------------------------------------------------------------------------------

    async def _load(self, kind: Kind) -> None:
        try:
            if kind != "releases" or not await self._load_releases():
                await self._load_candidates(kind)
        except HeroError as error:
            self._problems[kind] = f"{error.message} {error.hint}".strip()
            self._show_problems()
        self._waiting.discard(kind)
        if not self._waiting:
            self.picker.set_waiting(False)

    def _show_problems(self) -> None:
        """Each once, with what it keeps from being listed."""
        told: dict[str, list[str]] = {}
        for kind, problem in self._problems.items():
            told.setdefault(problem, []).append(kind)
        lines = [clean(f"{', '.join(kinds)}: {problem}") for problem, kinds in told.items()]
        self.query_one("#switch-problem", Static).update("\n".join(lines))

    async def _load_candidates(self, kind: Kind) -> None:
        page: int | None = 1
        while page is not None and page <= MOST_PAGES:
            params = CandidatesParams(service=self.service, kind=kind, page=page, limit=PAGE)
            found = await self.desk.call(self.user, "slot.candidates", params, CandidatesResult)
            self._add(self._made.of_candidate(one, self.desk.now()) for one in found.items)
            if kind == "pinned":
                self._made.installed.update(one.commit[:8] for one in found.items)
                self._add_releases(self._releases)
            page = found.next_page

    async def _load_releases(self) -> bool:
        """What the forge has, told by the box; False where only the slot can tell."""
        if not self._is_of_catalogue():
            return False
        page: int | None = 1
        while page is not None and page <= MOST_PAGES:
            params = ReleaseListParams(service=self.service, page=page, limit=PAGE)
            try:
                found = await self.desk.ask_box("release.list", params, ReleaseListResult)
            except HeroError:
                if page == 1:
                    return False
                raise
            ours = [one for one in found.releases if one.branch]
            self._releases += ours
            self._add_releases(ours)
            page = found.next_page
        return True

    def _is_of_catalogue(self) -> bool:
        """Whether the slot takes the service from the repository that the box knows."""
        repos = {entry.name: entry.repo for entry in self.desk.fleet.catalogue}
        status = self._status
        return self.service in repos and (status is None or status.repo == repos[self.service])

    def _add_releases(self, releases: Iterable[ReleaseInfo]) -> None:
        now = self.desk.now()
        self._add(self._made.of_release(one, now) for one in releases)

    async def _load_previous(self) -> None:
        params = PlanParams(action="switch", service=self.service, back=True)
        try:
            plan = await self.desk.call(self.user, "slot.plan", params, Plan)
            text = f"{plan.branch} {plan.commit[:8]}"
        except HeroError as error:
            text = f"what ran before ({error.message})"
        self._add([back_choice(self.service, text)])

    def _add(self, choices: Iterable[Choice]) -> None:
        fresh = {choice.item.key: choice for choice in choices}
        self._choices |= fresh
        self.picker.add_items(choice.item for choice in fresh.values())

    def on_key(self, event: events.Key) -> None:
        """Take what was typed before the search field had the focus."""
        type_early(self.query_one("#picker-query", Input), event)

    # -- choosing ---------------------------------------------------------------------------------

    @on(FuzzyPicker.Selected)
    def _chosen(self, event: FuzzyPicker.Selected) -> None:
        choice = self._choices[event.item.key]
        if choice.refused:
            self.desk.tell(choice.refused, failed=True)
            return
        self._ask(choice.params)

    def action_back_to_previous(self) -> None:
        """Run again what ran before."""
        self._ask(SwitchParams(service=self.service, back=True))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A `B` that is typed into a search is a letter."""
        if action != "back_to_previous":
            return True
        status = self._status
        typed = self.query("#picker-query").first(Input).value if self.is_mounted else ""
        return bool(status and status.can_go_back and not typed)

    def _ask(self, params: SwitchParams) -> None:
        what = "--back" if params.back else f"{params.branch} {params.hash or ''}".strip()
        asked = Asked(
            self.user, "slot.switch", params, f"switch {self.service} {what}", (self.service,), "switching"
        )
        plan = PlanParams.model_validate(
            {"action": "switch", **params.model_dump(mode="json", by_alias=True, exclude_none=True)}
        )
        self.desk.ask(asked, plan, "cell.switch")

    @on(FuzzyPicker.Cancelled)
    def _leave(self) -> None:
        self.dismiss()
