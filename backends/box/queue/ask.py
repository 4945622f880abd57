"""Asks a slot to run a build, and takes whatever it answers for what it is worth."""

from __future__ import annotations

import asyncio

from pydantic import ValidationError

from backends.box.links import Links
from backends.model.errors import HeroError
from backends.model.state import Build

RETRY_SECONDS = 0.05
"""Before a slot that put a build off, or whose connection broke, is asked again; doubled each time."""
PATIENCE = 10
"""How often a slot that is there may put a build off."""


async def ask(links: Links, build: Build) -> Build | None:
    """How the slot of `build` says that it ended, or why it will never say so; None where it is away."""
    put_off = 0
    while link := links.get(build.slot):
        try:
            params = {"build": build.model_dump(mode="json", by_alias=True)}
            return Build.model_validate(await link.call("slot.build", params))
        except ValidationError as error:
            return _failed(build, f"The slot answered no build: {error}")
        except HeroError as error:
            # A lost connection says nothing of the build; a daemon that ends or is busy puts it off.
            if link.link.open:
                put_off += 1
                if error.code not in ("unreachable", "busy") or put_off > PATIENCE:
                    return _failed(build, error.message, error.hint)
        await asyncio.sleep(RETRY_SECONDS * 2**put_off)
    return None


def _failed(build: Build, error: str, hint: str = "") -> Build:
    return build.model_copy(update={"state": "failed", "error": error, "hint": hint})
