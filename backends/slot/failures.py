"""Several failures of one verb as one error."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.errors import HeroError


def raise_failures(verb: str, failed: Sequence[tuple[str, HeroError]], total: int) -> None:
    """Raise one HeroError that names what of `total` could not be `verb` ("started"); nothing without failures."""
    if not failed:
        return
    if total == 1:
        raise failed[0][1]
    lines = "; ".join(f"{name}: {error.message}" for name, error in failed)
    raise HeroError(
        failed[0][1].code,
        f"{len(failed)} of {total} could not be {verb}. {lines}",
        hint=failed[0][1].hint,
        data={"failed": [name for name, _ in failed]},
    )
