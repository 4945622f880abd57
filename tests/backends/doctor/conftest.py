"""What the doctor's tests share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from backends.doctor.found import Found
from backends.model.errors import HeroError


@pytest.fixture
def refused() -> Callable[[Found, str], Awaitable[None]]:
    """Tries a mend that has to be refused with these words."""

    async def check(found: Found, words: str) -> None:
        assert found.repair
        with pytest.raises(HeroError, match=words):
            await found.repair()

    return check
