"""What the keys of the log view do there; hero_tui/log_keys.py says it to people."""

from __future__ import annotations

from textual.binding import Binding, BindingType

WINDOWS = (None, 60, 300, 900, 3600, 86_400, 0)
"""What the digits show: the tail, so many seconds back, or (0) everything."""
WINDOW_NAMES = ("", "last minute", "last 5 minutes", "last 15 minutes", "last hour", "last day", "all")
"""What these are called."""


def _binding(keys: str, action: str, name: str) -> Binding:
    return Binding(keys, action, name.replace("_", " "), id=f"log.{name}", show=False)


LOG_BINDINGS: list[BindingType] = [
    _binding("f,space", "follow", "follow"),
    _binding("ampersand", "only_matches", "only_matches"),
    _binding("n", "match(1)", "next"),
    _binding("N", "match(-1)", "previous"),
    _binding("greater_than_sign", "error(1)", "next_error"),
    _binding("less_than_sign,exclamation_mark", "error(-1)", "previous_error"),
    _binding("m", "mark", "mark"),
    _binding("apostrophe", "to_mark", "to_mark"),
    _binding("w", "wrap", "wrap"),
    _binding("t", "times", "times"),
    _binding("J", "json", "json"),
    _binding("j,down", "rows(1)", "down"),
    _binding("k,up", "rows(-1)", "up"),
    _binding("l,right", "shift(1)", "right"),
    _binding("h,left", "shift(-1)", "left"),
    _binding("ctrl+d", "pages(0.5)", "half_down"),
    _binding("ctrl+u", "pages(-0.5)", "half_up"),
    _binding("pagedown", "pages(1.0)", "page_down"),
    _binding("pageup", "pages(-1.0)", "page_up"),
    _binding("g,home", "top", "top"),
    _binding("G,end", "bottom", "bottom"),
    *(_binding(str(number), f"window({number})", f"window_{number}") for number in range(len(WINDOWS))),
]
