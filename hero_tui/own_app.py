"""What our Textual apps have in common: their colours, keys that are answered at once, pastes without escapes."""

from __future__ import annotations

import os
from collections.abc import Sequence

from textual import events
from textual.app import App
from textual.filter import LineFilter
from textual.widgets import Input

from backends.model.text import safe_text
from hero_tui.preferences import Preferences
from screens import textual_gate
from styles import themes


class OwnApp(App[int], inherit_bindings=False):
    """An app of a person's `preferences`, which it sets before anything else asks for them."""

    ENABLE_COMMAND_PALETTE = False
    preferences: Preferences

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colour names, under whatever theme."""
        return themes.domain_colours(self.current_theme.dark)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What poor terminals need done to each line."""
        return self.preferences.filters(super().get_line_filters())

    def copy_to_clipboard(self, text: str) -> None:
        """Onto the clipboard of the person's terminal; inside tmux by tmux, too, which keeps programs from it."""
        super().copy_to_clipboard(text)
        if os.environ.get("TMUX"):
            from hero_tui import terminal

            self.run_worker(terminal.copy_in_tmux(text), group="clipboard")

    async def on_event(self, event: events.Event) -> None:
        """Do what a key is bound to before the next one is looked at, however fast they come.

        Textual sends each key through the queues of widget, screen and app: of keys that a slow line delivers in
        one piece, those after the one that opens a dialog would be lost.
        """
        if isinstance(event, events.InputEvent | events.Paste) and not self.screen_stack:
            return  # it is being closed, and this came late
        if isinstance(event, events.Key) and not event.is_forwarded and not self._is_typed(event):
            live = textual_gate.live_bindings(self.screen, event.key).get(event.key)
            if live and live.enabled and await self.run_action(live.binding.action, live.node):
                self.key_answered()
                return
        # What is pasted would be drawn in fields as it is, with the escapes that somebody put there. It comes
        # back here from a field that lets it bubble: as another event, it would be pasted again, for ever.
        if isinstance(event, events.Paste) and not event.is_forwarded:
            event = events.Paste(safe_text(event.text))
        await super().on_event(event)

    def key_answered(self) -> None:
        """What a key is bound to has been done."""

    def _is_typed(self, event: events.Key) -> bool:
        """Whether the key goes into a field, which has all of its keys where it is a line."""
        field = self.focused
        return isinstance(field, Input) or (
            field is not None and field.check_consume_key(event.key, event.character)
        )
