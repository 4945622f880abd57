"""The cockpit with a meter in its event loop: `python -m benchmarks.cockpit.lagging FILE [--stock] WORDS…`.

FILE gets the longest time in ms for which the loop did not come round, whenever it has grown. `--stock` runs
Textual as it is, without our driver.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from hero_tui.opening import app_for
from screens import textual_gate

_STEP_SECONDS = 0.005


async def measure(file: Path) -> None:
    """For ever. Starting up is left out: the meter begins when the file is there."""
    worst = 0.0
    while not file.exists():
        await asyncio.sleep(_STEP_SECONDS)
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_STEP_SECONDS)
        lag = (time.perf_counter() - began - _STEP_SECONDS) * 1000
        if lag > worst:
            worst = lag
            file.write_text(f"{worst:.1f}")


async def _run(file: Path, words: list[str]) -> None:
    app = app_for(words)
    meter = asyncio.create_task(measure(file))
    await app.run_async()
    meter.cancel()


def main() -> None:
    """Until the person quits."""
    file, words = Path(sys.argv[1]), sys.argv[2:]
    if words[0] == "--stock":
        textual_gate.is_known = lambda *_: False
        words = words[1:]
    asyncio.run(_run(file, words))


if __name__ == "__main__":
    main()
