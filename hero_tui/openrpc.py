"""Prints the OpenRPC document of all calls: `python -m hero_tui.openrpc > docs/openrpc.json`."""

from __future__ import annotations

import json

from backends.model.calls import METHODS
from backends.rpc.openrpc import document
from backends.version import VERSION


def text() -> str:
    """The document as docs/openrpc.json holds it."""
    described = document("Hero Team Box", METHODS, version=VERSION)
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
