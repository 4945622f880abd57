"""httpx without its own command line, which would load rich into every daemon: 6 MB and 50 ms for nothing."""

from __future__ import annotations

import sys

# What is None here cannot be imported, for which httpx is prepared.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

__all__ = ["httpx"]
