"""The real box daemon, whose slots' daemons are the fake ones: `boxd_of_fakes.py BOX`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from backends.box.daemon import serve

if __name__ == "__main__":
    root = Path(sys.argv[1])
    script = str(Path(__file__).with_name("fake_slotd.py"))
    asyncio.run(serve(root, lambda user: [sys.executable, script, "--box", str(root), "--slot", user]))
