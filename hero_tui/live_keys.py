"""Which actions of the table do something now: by the place that is shown, what may be done, what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import actions

from hero_tui.key import Key
from hero_tui.keys import TABLE, works_in
from screens.frame import HeroScreen
from screens.textual_gate import live_bindings
from screens.widgets.keyfooter import KeyHint

if TYPE_CHECKING:
    from hero_tui.app import HeroApp


class LiveKeys:
    """The actions of one app as they are offered at the moment."""

    def __init__(self, app: HeroApp) -> None:
        self._app = app
        self._ids: dict[str, frozenset[str]] = {}

    def offers(self, id_: str) -> bool:
        """Whether an action belongs to the place that is shown, may be done here, and can do something."""
        app = self._app
        if id_ not in self._of_place():
            return False
        entry = app.preferences.by_id[id_]
        if app.desk.read_only and not entry.read_only:
            return False
        owner, name, parameters = actions.parse(entry.action)
        return bool((app.screen if owner == "screen" else app).check_action(name, parameters))

    def _of_place(self) -> frozenset[str]:
        """The ids of the place that is shown; asked for every binding at every key, so it is worked out once."""
        screen = self._app.screen
        place = screen.PLACE if isinstance(screen, HeroScreen) else self._app.here.PLACE
        known = self._ids.get(place)
        if known is None:
            known = self._ids[place] = frozenset(entry.id for entry in TABLE if works_in(entry, place))
        return known

    def all(self) -> list[Key]:
        """Every action whose key does something on the current screen, in the table's order."""
        return self._live(self._app.table)

    def _live(self, entries: Sequence[Key]) -> list[Key]:
        bindings = live_bindings(self._app.screen, ids={entry.id for entry in entries})
        live = {one.binding.id for one in bindings.values() if one.enabled}
        only = self._app.desk.read_only
        return [entry for entry in entries if entry.id in live and (entry.read_only or not only)]

    def hints(self) -> list[KeyHint]:
        """The footer of the current screen."""
        shown = self._live([entry for entry in self._app.table if entry.hint])
        shown.sort(key=lambda entry: entry.hint if entry.hint > 0 else 1000 - entry.hint)
        return [
            KeyHint(entry.shown, entry.label, always=entry.hint < 0, help=self._app.help_of(entry.id))
            for entry in shown
        ]

    def press(self, shown: str) -> None:
        """Press the key of the hint that is spelled so."""
        hinted = {entry.id for entry in self._app.table if entry.hint and entry.shown == shown}
        for name, live in self._app.screen.active_bindings.items():
            if live.binding.id in hinted:
                self._app.simulate_key(name)
                return
