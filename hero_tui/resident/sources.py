"""Whether the files that a process has loaded are still those on the disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import textual

_PACKAGES = ("hero_tui", "screens", "styles", "backends")
_ROOT = Path(__file__).resolve().parents[2]


class Sources:
    """Our own files as they were when this was made, and the folder that Textual and others were installed in."""

    def __init__(self, besides: Iterable[Path] = ()) -> None:
        ours = [
            Path(file)
            for name, module in sorted(sys.modules.items())
            if name.partition(".")[0] in _PACKAGES and (file := getattr(module, "__file__", None))
        ]
        installed = Path(textual.__file__).parents[1]
        paths = {*ours, *_ROOT.glob("styles/*"), installed, *besides}
        self._seen = {str(path): _changed_at(str(path)) for path in paths}

    def changed(self) -> bool:
        """Whether one of them is another now; some 300 calls of stat."""
        return any(_changed_at(path) != before for path, before in self._seen.items())


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  # Path's own takes five times as long, and there are many
    except OSError:
        return 0
