"""`hero_tui --log FILE…`: files as logs on a screen of their own, without a box and without a daemon."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from backends.client.log_choice import allow_open, chosen_logs
from backends.client.log_file import LogFile
from backends.client.log_merged import MergedLog, open_logs
from backends.model.errors import HeroError
from backends.model.text import safe_line
from hero_tui.key import Key
from hero_tui.keys import TABLE, works_in
from hero_tui.manners import Facts, facts_of, refusal
from hero_tui.own_app import OwnApp
from hero_tui.preferences import Preferences
from hero_tui.settings_plain import Loaded, plain_settings, settings_path
from screens import textual_gate
from screens.log_files import LogFilesScreen
from screens.widgets.keyfooter import KeyFooter, KeyHint
from styles import themes

if TYPE_CHECKING:
    from backends.client.log_spool import Spool

PLACE = "files"
_STYLES = Path(themes.__file__).parent
_INPUT = "stdin"
_KEYS = tuple(
    key for key in TABLE if key.id != "logs.previous_run" and (works_in(key, PLACE) or key.context == "filter")
)
"""The keys that do something here; when a program was started nobody knows of files."""


class LogApp(OwnApp, inherit_bindings=False):
    """One log, on any files. `input_note` says what there is to say of what is piped in."""

    CSS_PATH: ClassVar[list[str | Path]] = [  # type: ignore[assignment]
        _STYLES / "base.tcss",
        _STYLES / "first.tcss",
        _STYLES / "widgets.tcss",
        _STYLES / "frame.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "exit_now", "Quit", priority=True),
        *(Binding(key.keys, key.action, key.label, id=key.id, tooltip=key.help) for key in _KEYS if key.action),
    ]

    def __init__(
        self,
        files: LogFile | MergedLog,
        loaded: Loaded,
        facts: Facts,
        settings_file: Path | None = None,
        *,
        input_note: Callable[[], str] = str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._now = now
        self.files, self._input_note = files, input_note
        self.preferences = Preferences(self, self, loaded, facts, settings_file)
        self.preferences.begin()

    def get_default_screen(self) -> LogFilesScreen:
        """The log, and nothing under it."""
        return LogFilesScreen(self, self.files, self.hints, self._input_note)

    def on_mount(self) -> None:
        """Take settings as they change."""
        textual_gate.tell_title(self, safe_line(f"hero {' '.join(self.files.sources)}", 80))
        self.run_worker(self.preferences.follow(), name="settings", group="settings")
        self.call_after_refresh(_settle)

    # -- keys -------------------------------------------------------------------------------------

    def _table(self) -> list[Key]:
        return [self.preferences.by_id[key.id] for key in _KEYS]

    def hints(self) -> list[KeyHint]:
        """What the footer says of the keys that work now."""
        hinted = [key for key in self._table() if key.hint]
        bindings = textual_gate.live_bindings(self.screen, ids={key.id for key in hinted})
        live = {one.binding.id for one in bindings.values() if one.enabled}
        shown = [key for key in hinted if key.id in live]
        shown.sort(key=lambda key: key.hint if key.hint > 0 else 1000 - key.hint)
        return [KeyHint(key.shown, key.label, key.hint < 0, f"{key.help} ({key.all_shown})") for key in shown]

    def on_key_footer_pressed(self, event: KeyFooter.Pressed) -> None:
        """A click on a hint is its key."""
        event.stop()
        found = next((key for key in self._table() if key.hint and key.shown == event.key), None)
        if found is not None:
            self.simulate_key(found.keys.split(",")[0])

    def action_help(self) -> None:
        """The keys that work here."""
        from screens.help import HelpDialog, HelpEntry

        entries = [HelpEntry(key.all_shown, key.help, key.context) for key in self._table()]
        self.push_screen(HelpDialog("logs", entries))

    def action_next_theme(self) -> None:
        """The next theme, a person's own after the cockpit's."""
        names = self.preferences.themes
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]

    def action_exit_now(self) -> None:
        """Quit, whatever is open."""
        self.exit(0)

    # -- hands of the screen ----------------------------------------------------------------------

    def now(self) -> datetime:
        """The present."""
        return self._now()

    def tell(self, sentence: str, *, failed: bool = False) -> None:
        """A toast."""
        self.notify(
            sentence, severity="error" if failed else "information", timeout=8 if failed else 3, markup=False
        )

    def copy(self, text: str, what: str) -> None:
        """Onto the clipboard of the person's terminal."""
        self.copy_to_clipboard(text)
        self.tell(f"copied {what}")

    def open_file(self, path: Path, tool: str) -> None:
        """Show a file in the person's pager or editor."""
        self.run_worker(self._open_file(path, tool), name=tool, group="tool")

    async def _open_file(self, path: Path, tool: str) -> None:
        from hero_tui.log_tools import open_file

        try:
            await open_file(self, path, tool)
        except HeroError as error:
            self.tell(f"{error.message} {error.hint}".strip(), failed=True)

    # -- settings ---------------------------------------------------------------------------------

    def tell_of_settings(self, sentence: str) -> None:
        """What is wrong with them."""
        self.tell(sentence, failed=True)

    def look_only(self, on: bool) -> bool:
        """There is nothing here that could be changed."""
        return True


def open_files(names: Sequence[str]) -> int:
    """Show these files, `-` for what is piped in, until the person quits; the exit code. Raises HeroError."""
    piped = "-" in names
    paths = chosen_logs(Path(name) for name in names if name != "-")
    needed = (sys.stdout, sys.stderr) if piped else (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream.isatty() for stream in needed):
        raise HeroError("usage", "A log is shown on a terminal only.", hint="`cat` prints it.")
    if told := refusal(os.environ):
        raise HeroError("usage", told, hint="`less` may do.")
    allow_open(paths.values())
    spool = _take_input() if piped else None
    if spool is not None:
        paths[_INPUT if _INPUT not in paths else f"<{_INPUT}>"] = spool.path
    logs = open_logs(paths)
    if problem := textual_gate.install():
        print(f"hero_tui: {problem}", file=sys.stderr)
    path = settings_path()
    facts = facts_of(os.environ, sys.stderr.encoding)
    app = LogApp(logs, _settings(path), facts, path, input_note=lambda: _note_of(spool))
    return app.run(mouse=app.preferences.settings.mouse) or app.return_code or 0


def _settings(path: Path) -> Loaded:
    loaded = plain_settings(path)
    if loaded is None:
        from hero_tui.settings import load_settings

        loaded = load_settings(path)
    return loaded


def _take_input() -> Spool:
    from backends.client.log_spool import take_input

    if sys.stdin.isatty():
        raise HeroError("usage", "Nothing is piped in.", hint="For example: `journalctl -f | hero_tui --log -`.")
    try:
        return take_input()
    except OSError as error:
        raise HeroError("failed", f"What is piped in cannot be shown: {error.strerror}.") from None


def _note_of(spool: Spool | None) -> str:
    if spool is None:
        return ""
    return spool.problem or ("all of the input is here" if spool.ended else "")


def _settle() -> None:
    """What start-up made will stay: the collector, which is off until now, need not look at it ever."""
    gc.freeze()
    gc.enable()
