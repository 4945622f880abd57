"""What a switch in flight intends, on disk, so that a kill at any step ends at the old or the new version."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from backends.model.errors import HeroError
from backends.model.frozen import Frozen
from backends.model.paths import SlotPaths
from backends.slot.files import remove_file, write_atomically


class Intent(Frozen):
    """A swap that was begun. `old` and `new` name folders below `opt/<service>`; `version` is 40 hex."""

    service: str
    old: str = ""
    new: str
    version: str
    was_running: bool = True
    title: str = ""


class Outcome(Frozen):
    """How a switch that was cut off ended, after the restart."""

    service: str
    side: Literal["old", "new"]
    version: str = ""
    sentence: str


def write_intent(paths: SlotPaths, intent: Intent) -> None:
    """Before the swap. Raises HeroError when the disk does not take it."""
    write_atomically(_file(paths, intent.service), intent.model_dump_json().encode())


def clear_intent(paths: SlotPaths, service: str) -> None:
    """After the manifest says the same as the disk."""
    remove_file(_file(paths, service))


def read_intents(paths: SlotPaths) -> list[Intent]:
    """The swaps that were cut off; an unreadable record is dropped, as it was never complete."""
    intents = []
    for path in sorted(paths.journal.glob("*.json")) if paths.journal.is_dir() else []:
        try:
            intents.append(Intent.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError, HeroError):
            remove_file(path)
    return intents


def _file(paths: SlotPaths, service: str) -> Path:
    return paths.journal / f"{service}.json"
