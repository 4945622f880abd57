"""What supervised processes get besides what their definition says: as little as lets a program run."""

from __future__ import annotations

import os

NAME_MARK = "HERO_SERVICE"
"""Environment variable of every supervised process: its name."""

_KEPT = ("PATH", "HOME", "LANG", "USER", "TMPDIR")


def minimal_environment() -> dict[str, str]:
    """What supervised processes inherit; secrets of whoever started the supervisor are not among it."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}
