"""A site with passwords, and a browser that looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hero_tui.web.sites import Browser, Web, make_box, running_web


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash takes a tenth of a second so that guesses do; nobody guesses here."""
    monkeypatch.setattr("hero_tui.web.passwords._COST", 2)


@pytest.fixture
async def web(short_dir: Path) -> AsyncIterator[Web]:
    async with running_web(make_box(short_dir / "box")) as running:
        yield running


@pytest.fixture
async def browser(web: Web) -> AsyncIterator[Browser]:
    async with web.browser() as made:
        yield made
