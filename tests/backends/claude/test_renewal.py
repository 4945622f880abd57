"""Who renews a login, as the program's own lock says."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from backends.claude.renewal import is_renewing


def held(folder: Path, owner: object, seconds: float = 0.0) -> None:
    """The lock as a program holds it that touched it so many seconds ago."""
    (folder / ".oauth_refresh.lock").mkdir(exist_ok=True)
    then = time.time() - seconds
    os.utime(folder / ".oauth_refresh.lock", (then, then))
    (folder / ".oauth_refresh.lock.owner").write_text(owner if isinstance(owner, str) else json.dumps(owner))


def test_only_the_lock_that_is_held_now_and_by_that_process_counts(tmp_path: Path) -> None:
    assert not is_renewing(tmp_path, 17)
    held(tmp_path, {"pid": 17})
    assert is_renewing(tmp_path, 17)
    assert not is_renewing(tmp_path, 18)
    held(tmp_path, {"pid": 17}, seconds=300)
    assert not is_renewing(tmp_path, 17)


def test_an_owner_that_makes_no_sense_is_nobody(tmp_path: Path) -> None:
    for owner in ("", "{", "[17]", '{"pid": "17"}', "null"):
        held(tmp_path, owner)
        assert not is_renewing(tmp_path, 17)
