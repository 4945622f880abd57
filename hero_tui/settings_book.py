"""A person's settings for the form: each field of the schema and each action's keys; changes go into the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from backends.model.errors import HeroError
from hero_tui import keys, own_keys
from hero_tui.settings import Loaded, Settings, known_themes, load_settings, settings_text, themes_folder
from hero_tui.settings_edit import changed, store
from screens.settings_model import Item, Value


class SettingsBook:
    """The settings in `path`; `taken` is called after each change of the file."""

    def __init__(
        self, path: Path | None, taken: Callable[[], None], wrong_themes: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self._path = path
        self._taken = taken
        self._wrong_themes = wrong_themes
        self._told: Callable[[], None] | None = None
        self._items: tuple[Item, ...] = ()

    def when_changed(self, told: Callable[[], None] | None) -> None:
        """Have `told` called whenever the file has been taken anew; None ends that."""
        self._told = told

    def tell(self) -> None:
        """The file has been taken anew, whoever changed it."""
        if self._told is not None:
            self._told()

    @property
    def file(self) -> str:
        """Where they are written."""
        return str(self._path) if self._path else "no file"

    def _loaded(self) -> Loaded:
        return load_settings(self._path) if self._path else Loaded(Settings())

    def items(self) -> Sequence[Item]:
        """The settings, then the actions in the order of the table."""
        settings = self._loaded().settings
        table, _ = own_keys.overridden(settings.keys)
        self._items = (*self._settings(settings), *self._keys(table, settings))
        return self._items

    def _settings(self, settings: Settings) -> list[Item]:
        items = []
        for name, field in Settings.model_fields.items():
            if name == "keys":
                continue
            value, default = getattr(settings, name), field.default
            help_ = " ".join((field.description or "").split())
            choices = self._choices(name)
            own = value != default
            items.append(Item(name, name, _told(value), _told(default), help_, choices, "settings", own))
        return items

    def _choices(self, name: str) -> tuple[str, ...]:
        if name == "theme":
            return known_themes(themes_folder(self._path) if self._path else Path("/nowhere"))
        found = get_args(Settings.model_fields[name].annotation)
        return tuple(found) if found else ("true", "false")

    @staticmethod
    def _keys(table: Sequence[keys.Key], settings: Settings) -> list[Item]:
        default = {entry.id: entry for entry in keys.TABLE}
        return [
            Item(
                f"keys.{entry.id}",
                entry.name,
                entry.all_shown,
                default[entry.id].all_shown,
                entry.help,
                where=entry.context,
                own=entry.id in settings.keys,
                raw=entry.keys,
            )
            for entry in table
        ]

    def key(self, id: str) -> str:
        """See `Book`."""
        return next(item.value for item in self._items if item.name == f"keys.{id}").split(", ")[0]

    def problems(self) -> Sequence[str]:
        """What is wrong with the file, and with the themes beside it."""
        loaded = self._loaded()
        _, clashes = own_keys.overridden(loaded.settings.keys, loaded.places)
        return (*loaded.problems, *clashes, *self._wrong_themes())

    def change(self, name: str, value: Value | None) -> None:
        """Write one setting (`keys.<id>` for a key), None for its default, and take it. Raises HeroError."""
        if self._path is None:
            raise HeroError("failed", "There is no settings.toml here to write to.")
        if name.startswith("keys.") and isinstance(value, str):
            self._check_key(name.removeprefix("keys."), value)
        store(self._path, changed(_text(self._path), name, value, self._path.name))
        self._taken()

    def _check_key(self, id_: str, value: str) -> None:
        _, problems = own_keys.overridden({**self._loaded().settings.keys, id_: value})
        if problems:
            raise HeroError("usage", problems[0].removeprefix("keys: "))


def _told(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(path: Path) -> str:
    try:
        return settings_text(path)
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError("failed", f"{path} cannot be read: {error}.") from error
