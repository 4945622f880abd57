"""One entry of the table of keys, and how a key is spelled for people."""

from __future__ import annotations

from dataclasses import dataclass

_NAMES = {"escape": "esc", "pagedown": "pgdn", "pageup": "pgup", "delete": "del", "backspace": "bksp"}


@dataclass(frozen=True, slots=True)
class Key:
    """One entry. `keys` are alternatives, the first one is shown; `action` is empty where a widget owns the key.

    `hint` places it in the footer: 0 not at all, small numbers first, negative ones at the right edge.
    """

    id: str
    keys: str
    label: str
    context: str
    help: str
    action: str = ""
    hint: int = 0

    @property
    def shown(self) -> str:
        """The first key as a person reads it."""
        return shown_key(self.keys.split(",")[0])


def shown_key(key: str) -> str:
    """A key as a person reads it: `ctrl-d`, `esc`, `?`."""
    return _NAMES.get(key, key.replace("+", "-"))
