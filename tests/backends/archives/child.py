"""Runs one step on archives in a process of its own, so that a test can kill it there.

Usage: child.py unpack ARCHIVE DEST SHA256 | child.py add ROOT FILE SHA256
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from backends.archives.cache import ArchiveCache
from backends.archives.download import read_file
from backends.archives.unpack import unpack


def main(step: str, first: str, second: str, sha256: str) -> None:
    if step == "unpack":
        unpack(Path(first), Path(second), sha256=sha256)
    else:
        cache = ArchiveCache(Path(first))
        asyncio.run(cache.add_stream(lambda offset: read_file(Path(second), offset), sha256))


if __name__ == "__main__":
    main(*sys.argv[1:])
