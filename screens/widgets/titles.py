"""Titles in a panel's border, set only where they differ: Textual paints the whole panel for each one set."""

from __future__ import annotations

from textual.widget import Widget

from screens.widgets.celltext import clean


def set_titles(panel: Widget, title: str, subtitle: str = "") -> None:
    """Say `title` in the panel's upper border and `subtitle` in the lower one."""
    upper, lower = (clean(text).replace("[", "\\[") for text in (title, subtitle))
    if panel.border_title != upper:
        panel.border_title = upper
    if panel.border_subtitle != lower:
        panel.border_subtitle = lower
