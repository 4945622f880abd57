"""Whose certificates a forge may show: whoever this machine trusts, as git does."""

from __future__ import annotations

import asyncio
import ssl


async def machine_trust() -> ssl.SSLContext:
    """The machine's own authorities, a company's among them; reading them takes a moment."""
    return await asyncio.to_thread(ssl.create_default_context)
