"""What tests of a slot need that have commits made: one author, one time."""

from __future__ import annotations

import pytest

from tests.backends.slot.origins import IDENTITY


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits have an author and a time that does not move."""
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
