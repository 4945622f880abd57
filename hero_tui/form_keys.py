"""The keys of the settings' form and of commands' results, a part of the one table of keys."""

from __future__ import annotations

from hero_tui.key import Key

FORM_KEYS: tuple[Key, ...] = (
    Key("results.leave", "escape,q", "back", "results", "Back; what runs goes on"),
    Key("results.forget", "d,delete", "dismiss", "results", "Keep its output no longer"),
    Key("results.stop", "x", "stop", "results", "End the command, as ctrl-c would"),
    Key("results.again", "r", "again", "results", "Give the same command once more"),
    Key("results.copy", "c", "copy", "results", "Copy all that it printed"),
    Key("results.earlier", "[", "earlier", "results", "The command before"),
    Key("results.later", "]", "later", "results", "The command after it"),
    Key("output.down", "j,down", "down", "output", "A line down"),
    Key("output.up", "k,up", "up", "output", "A line up"),
    Key("output.page_down", "ctrl+d,pagedown,space", "page down", "output", "A page down"),
    Key("output.page_up", "ctrl+u,pageup", "page up", "output", "A page up"),
    Key("output.top", "g,home", "top", "output", "The first line"),
    Key("output.bottom", "G,end", "bottom", "output", "The last line, and follow"),
    Key("output.right", "l,right", "right", "output", "Move the text to the left"),
    Key("output.left", "h,left", "left", "output", "Move the text to the right"),
    Key("settings.leave", "escape,q", "back", "settings", "Take the search back, or leave the form"),
    Key("settings.change", "enter,space,l,right", "change", "settings", "The next choice, or another key"),
    Key("settings.before", "h,left", "before", "settings", "The choice before"),
    Key("settings.add", "a,+", "add", "settings", "One more key for the action"),
    Key("settings.reset", "d,delete,backspace", "default", "settings", "Back to the default"),
    Key("settings.search", "/", "search", "settings", "Find a setting or an action"),
)

FORM_PLACES: dict[str, tuple[str, ...]] = {
    "results": ("results", "output"),
    "settings": ("settings",),
}
