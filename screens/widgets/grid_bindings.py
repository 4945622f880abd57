"""What the keys of the fleet grid do there; hero_tui/keys.py says it to people."""

from __future__ import annotations

from textual.binding import Binding, BindingType


def _binding(keys: str, action: str, name: str) -> Binding:
    return Binding(keys, action, name.replace("_", " "), id=f"grid.{name}", show=False)


GRID_BINDINGS: list[BindingType] = [
    _binding("j,down", "move(1, 0)", "down"),
    _binding("k,up", "move(-1, 0)", "up"),
    _binding("h,left", "move(0, -1)", "left"),
    _binding("l,right", "move(0, 1)", "right"),
    _binding("g", "move_to_row(0)", "top"),
    _binding("G", "move_to_row(-1)", "bottom"),
    _binding("home", "move_to_column(0)", "first"),
    _binding("end", "move_to_column(-1)", "last"),
    _binding("ctrl+d", "page(0.5)", "half_down"),
    _binding("ctrl+u", "page(-0.5)", "half_up"),
    _binding("pagedown", "page(1.0)", "page_down"),
    _binding("pageup", "page(-1.0)", "page_up"),
    _binding("enter", "select", "select"),
    _binding("z", "cycle_density", "density"),
    _binding("O", "cycle_sort", "sort"),
    _binding("V", "cycle_group", "group"),
    _binding("tab", "fold", "fold"),
    _binding("shift+tab", "fold_all", "fold_all"),
]
