"""One step of the bootstrap: what it would do, doing it, and that it is done afterwards."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class Stopped(Exception):
    """The bootstrap cannot go on: what happened, and what to do next."""


@dataclass(frozen=True)
class Step:
    """`missing()` tells what there is to do, a sentence each (none: all is as it should be); `do()` does it.

    `lasting` False: there is always something to do, so looking again afterwards proves nothing.
    """

    title: str
    missing: Callable[[], list[str]]
    do: Callable[[], None]
    lasting: bool = True


def tell(steps: Sequence[Step]) -> int:
    """Print what each step would do; how much that is. Changes nothing."""
    count = 0
    for step in steps:
        try:
            found = step.missing()
        except Stopped as stopped:
            found = [f"cannot tell yet: {stopped}"]
        count += len(found)
        print(f"{step.title}:" if found else f"{step.title}: nothing to do")
        for sentence in found:
            print(f"  - {sentence}")
    return count


def take(steps: Sequence[Step]) -> list[tuple[str, float, int]]:
    """Do what is missing, one step after the other; title, seconds and number of things done of each.

    Raises Stopped: what was done so far stays, and the next run goes on from there.
    """
    taken = []
    for number, step in enumerate(steps, 1):
        began = time.monotonic()
        found = step.missing()
        if found:
            print(f"[{number}/{len(steps)}] {step.title}", file=sys.stderr, flush=True)
            step.do()
            left = step.missing() if step.lasting else []
            if left:
                raise Stopped(f"{step.title}: this is still missing: {'; '.join(left)}")
        taken.append((step.title, time.monotonic() - began, len(found)))
    return taken
