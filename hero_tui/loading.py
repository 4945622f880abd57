"""Loads modules a little at a time, so that keys pressed meanwhile are answered in between."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from importlib import import_module


async def load(names: Iterable[str]) -> None:
    """Import these, each in a turn of its own."""
    for name in names:
        if name not in sys.modules:
            import_module(name)
            await asyncio.sleep(0)
