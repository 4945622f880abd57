"""One line for what exceeds its limit on the machine, or grew much; not there while all is well."""

from __future__ import annotations

from collections.abc import Sequence

from textual.widgets import Static

from backends.model.host import Growth, HostWarning
from screens.widgets.celltext import clean
from screens.widgets.glyphs import UNICODE, Glyphs


class HostWarningLine(Static):
    """Shows the worst of some warnings; where there are none, what grew most."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__("", markup=False, classes="banner", id=id)
        self._glyphs = glyphs
        self._text = ""

    def show(self, warnings: Sequence[HostWarning], growth: Sequence[Growth] = ()) -> None:
        """Show these; nothing is laid out anew where the words are the same."""
        worst = sorted(warnings, key=lambda one: one.level != "bad")
        text = ""
        if worst:
            sign = self._glyphs.health["crashed" if worst[0].level == "bad" else "unhealthy"]
            more = f"  (and {len(worst) - 1} more)" if len(worst) > 1 else ""
            text = f"{sign} {clean(worst[0].sentence)}{more}"
        elif growth:
            more = f"  (and {len(growth) - 1} more)" if len(growth) > 1 else ""
            text = f"{self._glyphs.source['build']} {clean(growth[0].sentence)}{more}"
        self.set_class(bool(worst) and worst[0].level == "bad", "-bad")
        self.display = bool(text)
        if text != self._text:
            self._text = text
            self.update(text)
