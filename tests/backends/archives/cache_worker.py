"""One of many processes that use a cache too small for them: cache_worker.py ROOT SEED. Fails on any surprise."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from backends.archives.cache import ArchiveCache
from backends.model.errors import HeroError
from tests.backends.archives.made import Source, sha256_of

CONTENTS = [bytes([number]) * (100_000 + number) for number in range(6)]
ROUNDS = 40


async def main(root: Path, seed: int) -> None:
    choose = random.Random(seed)
    cache = ArchiveCache(root, limit_bytes=250_000)
    for _ in range(ROUNDS):
        source = Source(choose.choice(CONTENTS), chunk=30_000)
        path = await cache.add_stream(source.open_at, source.sha256, len(source.content))
        assert path.name == source.sha256
        try:
            async with cache.lease(source.sha256) as leased:
                await cache.collect({sha256_of(choose.choice(CONTENTS))})
                await asyncio.sleep(0)
                assert leased.read_bytes() == source.content
        except HeroError as error:
            if error.code != "not_found":  # then it was collected between the two calls
                raise
        await cache.get(source.sha256)
        await cache.usage()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
