"""The keys of the tray of changes, a part of the one table of keys."""

from __future__ import annotations

from hero_tui.key import Key

TRAY_KEYS: tuple[Key, ...] = (
    Key("tray.leave", "escape,q", "back", "tray", "Back; what runs goes on"),
    Key("tray.stop", "x", "cancel", "tray", "Cancel it", read_only=False),
    Key("tray.retry", "r", "again", "tray", "Begin it again", read_only=False),
    Key("tray.dismiss", "d,delete", "dismiss", "tray", "Forget it, once it has ended"),
    Key("tray.dismiss_all", "D", "dismiss all", "tray", "Forget all that ended"),
    Key("tray.logs", "l,enter", "logs", "tray", "The logs of what it works on"),
    Key("tray.copy", "c", "copy", "tray", "Copy what it said"),
)
TRAY_PLACES = {"tray": ("tray", "list")}
