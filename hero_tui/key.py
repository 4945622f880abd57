"""One action that a key can do: what it is called, how it is explained, on what it acts, how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_NAMES = {
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "delete": "del",
    "backspace": "bksp",
    "comma": ",",
}

Radius = Literal["low", "medium", "high"]
"""How much a slip costs: nothing that a key does not take back; work of one person; what others use."""


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
    return _NAMES.get(key, key.replace("+", "-"))
