"""Keys that come in one go with the one that opened a dialog belong into its field, which has no focus yet.

A slow line delivers `:q` and Enter as one piece; the dialog's widgets are not there when the second key comes.
"""

from __future__ import annotations

from textual import events
from textual.widgets import Input


def type_early(field: Input, event: events.Key) -> None:
    """For the `on_key` of a dialog: a key that reaches it unused is typed into `field`."""
    if event.is_printable and event.character is not None:
        field.insert_text_at_cursor(event.character)
        event.stop()
