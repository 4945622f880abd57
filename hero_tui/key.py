"""One action that a key can do: what it is called, how it is explained, on what it acts, how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SHOWN = {
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "delete": "del",
    "backspace": "bksp",
    "comma": ",",
}
"""Keys that a person reads otherwise than the table writes them."""

Radius = Literal["low", "medium", "high", "policy"]
"""How far a slip reaches, and by that how the action is asked for, wherever it is done.

low: not at all, as a key takes it back, or because the person writes or chooses first; medium, what one person
cannot have back: a yes, on a dialog that stands on Cancel; high, what is gone for good or what others use: its
name, typed. In somebody else's slot it is one step more. policy: what an agent wants, as policy.toml says of it.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One entry. `keys` are alternatives, the first one is shown; `action` is empty where a widget owns the key.

    `hint` places it in the footer: 0 not at all, small numbers first, negative ones at the right edge. `title` is
    what lists call it (default: the label), `target` what it acts on (default: what its context is about), `verb`
    the line of `hero_dev` that does the same. One that is not `read_only` is not offered in a read-only cockpit.
    """

    id: str
    keys: str
    label: str
    context: str
    help: str
    action: str = ""
    hint: int = 0
    title: str = ""
    target: str = ""
    radius: Radius = "low"
    read_only: bool = True
    verb: str = ""

    @property
    def shown(self) -> str:
        """The first key as a person reads it."""
        return shown_key(self.keys.split(",")[0])

    @property
    def all_shown(self) -> str:
        """All of its keys as a person reads them."""
        return ", ".join(shown_key(key) for key in self.keys.split(","))

    @property
    def name(self) -> str:
        """What lists call it."""
        return self.title or f"{self.label[:1].upper()}{self.label[1:]}"


def shown_key(key: str) -> str:
    """A key as a person reads it: `ctrl-d`, `esc`, `?`."""
    return SHOWN.get(key, key.replace("+", "-") if len(key) > 1 else key)
