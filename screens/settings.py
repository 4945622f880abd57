"""The form of the settings: each with its value and what it does, each action with its keys, changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from backends.model.errors import HeroError
from screens.settings_model import Book, Item, SettingsTable, Value
from screens.widgets.celltext import clean
from screens.widgets.filterbar import FilterBar
from screens.widgets.linelist import LineList
from screens.widgets.listpanel import ListPanel
from screens.widgets.titles import set_titles

_NAMES = {" ": "space", ",": "comma"}
_TYPED = {"true": True, "false": False}
_HINTS = (
    ("change", "change"),
    ("add", "another key"),
    ("reset", "default"),
    ("search", "search"),
    ("leave", "back"),
)
"""What the keys of the form do, by the action's name."""


class SettingsScreen(ModalScreen[None]):
    """Each change is written at once, and what else the file holds is left as it is."""

    CSS_PATH = "../styles/settings.tcss"
    AUTO_FOCUS = "LineList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="settings.leave", show=False),
        Binding("enter,space,l,right", "change(1)", "Change", id="settings.change", show=False),
        Binding("h,left", "change(-1)", "The choice before", id="settings.before", show=False),
        Binding("plus,a", "add", "Another key", id="settings.add", show=False),
        Binding("d,delete,backspace", "reset", "Default", id="settings.reset", show=False),
        Binding("slash", "search", "Search", id="settings.search", show=False),
    ]

    def __init__(self, book: Book, search: str = "") -> None:
        super().__init__()
        self._book = book
        self._search = search
        self._problem = ""

    def compose(self) -> ComposeResult:
        """List, what the selected one means, and the search."""
        with Vertical(classes="dialog", id="settings"):
            yield ListPanel[Item](SettingsTable(), id="settings-list")
            yield Static("", markup=False, id="settings-help")
            yield FilterBar(id="settings-search")

    def on_mount(self) -> None:
        """Show all, and whatever the file says from now on: it may be edited elsewhere meanwhile."""
        self.show()
        self._book.when_changed(self._changed)

    def on_unmount(self) -> None:
        """Nobody is there to be told."""
        self._book.when_changed(None)

    def _changed(self) -> None:
        if self.is_attached:
            self._problem = ""
            self.show()

    @property
    def _list(self) -> ListPanel[Item]:
        return self.query_one("#settings-list", ListPanel)

    @property
    def item(self) -> Item | None:
        """The one under the cursor."""
        row = self._list.list.row
        return row if isinstance(row, Item) else None

    def show(self) -> None:
        """The settings as they are now."""
        items = [item for item in self._book.items() if item.matches(self._search)]
        key = self._book.key
        empty = f"Nothing is called {self._search}.\n\n{key('settings.leave')} shows all again."
        found = f" · /{self._search}" if self._search else ""
        self._list.show(items, SettingsTable(), ("", ""), empty)
        panel = self.query_one("#settings")
        hints = " · ".join(f"{key(f'settings.{name}')} {told}" for name, told in _HINTS)
        set_titles(panel, f"settings · {self._book.file}{found}", hints)
        self._explain()

    def _explain(self) -> None:
        told = self.query_one("#settings-help", Static)
        problem = self._problem or _first_of(self._book.problems())
        told.set_class(bool(problem), "-failed")
        told.update("\n".join(clean(line) for line in problem.splitlines()) or self._said())

    def _said(self) -> str:
        item = self.item
        if item is None:
            return ""
        choices = f"One of {', '.join(item.choices)}." if item.choices else "Press enter, then the key."
        default = "" if item.value == item.default else f" Its default is {clean(item.default)}."
        return f"{clean(item.name)}: {clean(item.help)}\n{choices}{default}"

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._problem = ""
        self._explain()

    @on(LineList.Selected)
    def _chosen(self) -> None:
        self.action_change(1)

    # -- changing ---------------------------------------------------------------------------------

    def action_change(self, step: int) -> None:
        """The next choice, or another key."""
        item = self.item
        if item is None:
            return
        if item.is_key:
            self._catch(item, "")
            return
        place = item.choices.index(item.value) + step if item.value in item.choices else 0
        chosen = item.choices[place % len(item.choices)]
        self._write(item, _TYPED.get(chosen, chosen))

    def action_add(self) -> None:
        """One more key for the action."""
        if (item := self.item) is not None and item.is_key:
            self._catch(item, f"{item.raw},")

    def _catch(self, item: Item, before: str) -> None:
        def caught(key: str | None) -> None:
            if key is not None:
                self._write(item, before + key)

        self.app.push_screen(CatchKey(item), caught)

    def action_reset(self) -> None:
        """Back to the default."""
        if (item := self.item) is not None and item.own:
            self._write(item, None)

    def _write(self, item: Item, value: Value | None) -> None:
        try:
            self._book.change(item.name, value)
            self._problem = ""
        except HeroError as error:
            self._problem = str(error)
        self.show()

    # -- searching --------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Type a part of what is looked for."""
        self.query_one(FilterBar).open(self._search)

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):
            self._find(event.value)

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        self._find(event.text)
        self._list.list.focus()

    def _find(self, text: str) -> None:
        self._search = text.strip()
        self.show()

    def action_leave(self) -> None:
        """Take the search back, or leave."""
        if self._search:
            self._find("")
        else:
            self.dismiss(None)


def _first_of(problems: Sequence[str]) -> str:
    """The first one, and how many there are besides."""
    if len(problems) < 2:
        return "".join(problems)
    return f"{problems[0]}\nAnd {len(problems) - 1} more."


class CatchKey(ModalScreen[str | None]):
    """Waits for one key; its result is how settings.toml writes it, None after Esc."""

    CSS_PATH = "../styles/settings.tcss"

    def __init__(self, item: Item) -> None:
        super().__init__()
        self._item = item
        self._caught = False

    def compose(self) -> ComposeResult:
        """Which action it is for."""
        with Vertical(classes="dialog", id="catch") as panel:
            panel.border_title = "press the key"
            panel.border_subtitle = "esc leaves it as it is"
            yield Static(f"{clean(self._item.title)}\n{clean(self._item.help)}", markup=False)

    def on_key(self, event: events.Key) -> None:
        """This is the key."""
        event.stop()
        if self._caught:  # of keys that come in one piece the first is meant
            return
        self._caught = True
        if event.key == "escape":
            self.dismiss(None)
            return
        character = event.character or ""
        named = character if character.isprintable() and len(character) == 1 else event.key
        self.dismiss(_NAMES.get(named, named))

    def on_click(self) -> None:
        """The mouse is no key."""
        self.dismiss(None)
