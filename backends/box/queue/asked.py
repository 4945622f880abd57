"""What may be asked of the queue: names that a disk, a path and a teammate's terminal can carry."""

from __future__ import annotations

import re
from collections.abc import Callable

from backends.model.build_calls import BuildSubmitParams
from backends.model.errors import HeroError
from backends.model.names import check_branch, check_commit, check_repo, check_service
from backends.model.text import safe_line

# The same as a slot's, which makes a file of it.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def check_asked(params: BuildSubmitParams) -> None:
    """Raises HeroError `usage` for a request whose names could never be right."""
    checks: tuple[tuple[Callable[[str], str], str], ...] = (
        (check_service, params.service),
        (check_repo, params.repo),
        (check_branch, params.branch),
    )
    for check, name in checks:
        check(name)
    if params.commit:
        check_commit(params.commit)
    if params.build_id and not _ID.fullmatch(params.build_id):
        shown = safe_line(ascii(params.build_id), 100)
        raise HeroError(
            "usage", f"{shown} is not the id of a build.", hint="Letters, digits, `.`, `_` and `-`; at most 200."
        )
