"""What one peer may cost this process."""

from __future__ import annotations

from dataclasses import dataclass

from backends.rpc.wire import MAX_LINE


@dataclass(frozen=True)
class Limits:
    """The bounds of one connection.

    `line`: bytes of one message. `running`: requests answered at once. `waiting`: requests held besides; above
    that nothing more is read. `unsent`: bytes for a slow reader that may pile up before it is dropped.
    """

    line: int = MAX_LINE
    running: int = 64
    waiting: int = 256
    unsent: int = 4 * 1024 * 1024
