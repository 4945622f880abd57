"""Start to the first meaningful frame, cold and with a resident cockpit, against the trivial Textual app.

Run: python -m benchmarks.cockpit.start [--rounds N]. Cold means with no resident cockpit and with warm files: what
Python and the cockpit compile and keep at the first start of a version is there, for the trivial app as for ours.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path

from benchmarks.cockpit.scene import ROOT, SMALL, TRIVIAL, Box, argv, environment, fake_box, fleet_is_shown
from benchmarks.cockpit.terminal import Program, load_told, memory, p50, program

_READY_SECONDS = 60.0


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    trivial, cold, resident, bare = [], [], [], []
    with fake_box(SMALL) as box:
        _warm_up(box)
        for _ in range(rounds):
            bare.append(_bare())
            trivial.append(_trivial())
            cold.append(_cockpit(box, environment(box.folder)))
        warm = {**environment(box.folder), "HERO_RESIDENT": "1"}
        try:
            _make_resident(box, warm)
            for _ in range(rounds):
                resident.append(_cockpit(box, warm))
                time.sleep(4.0)  # the next one gets ready meanwhile, as it has time to between two people's starts
            sizes = [round(memory(pid)) for pid in _residents(box)]
            print(f"what stays resident: {sum(sizes)} MB (PSS), in {len(sizes)} processes: {sizes}")
        finally:
            _end_resident(box)
    print(f"python -c pass {p50(bare):6.0f} ms")
    print(f"trivial app    {p50(trivial):6.0f} ms")
    print(f"cockpit, cold  {p50(cold):6.0f} ms   {p50(cold) / p50(trivial):.2f} x trivial (bar 1.4)")
    print(f"resident       {p50(resident):6.0f} ms   {p50(resident) / p50(trivial):.2f} x trivial (bar 60 ms)")
    print(load_told())


def _warm_up(box: Box) -> None:
    """The first start of each: it leaves what all later ones use."""
    _trivial()
    with program(argv(box), environment(box.folder)) as seen:
        seen.until(fleet_is_shown)
        deadline = time.monotonic() + _READY_SECONDS
        while not list(box.folder.glob("hero/*.image")) and time.monotonic() < deadline:
            seen.watch(0.2)
        _quit(seen)


def _cockpit(box: Box, around: dict[str, str]) -> float:
    with program(argv(box), around) as seen:
        shown = (seen.until(fleet_is_shown) - seen.began) * 1000
        seen.settle()
        _quit(seen)
        return shown


def _quit(seen: Program) -> None:
    """As a person does: what is resident is told that this one has ended."""
    seen.send("\x03\x03")
    seen.settle(0.5, 3.0)


def _trivial() -> float:
    with program(TRIVIAL, {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}) as seen:
        return (seen.until(lambda one: "key 0" in one.text) - seen.began) * 1000


def _bare() -> float:
    with program((TRIVIAL[0], "-c", "print('there')")) as seen:
        return (seen.until(lambda one: "there" in one.text) - seen.began) * 1000


def _make_resident(box: Box, around: dict[str, str]) -> None:
    """A first start leaves one behind while it runs; that is there once its process sleeps."""
    with program(argv(box), around) as seen:
        seen.until(fleet_is_shown)
        deadline = time.monotonic() + _READY_SECONDS
        while len(_residents(box)) < 2 and time.monotonic() < deadline:
            seen.watch(0.2)
        seen.watch(3.0)
        _quit(seen)


def _residents(box: Box) -> list[int]:
    """The processes that lie ready for this box's benchmark: they know its folder from their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                b"hero_tui.resident" in (folder / "cmdline").read_bytes()
                and str(box.folder).encode() in (folder / "environ").read_bytes()
            ):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _end_resident(box: Box) -> None:
    for pid in _residents(box):
        os.kill(pid, 15)
    shutil.rmtree(box.folder / "hero", ignore_errors=True)


if __name__ == "__main__":
    main()
