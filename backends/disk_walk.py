"""A child process that adds up what folders take, at the lowest priority; one line of JSON for each.

Runs alone, by its path: `python -I disk_walk.py JOBS`, as JSON `[[folder, [folders in it that are left out]], …]`.
No link is followed, no other file system entered, a file with several names counted once in all.
"""

from __future__ import annotations

import json
import os
import sys
import time

MOST_ENTRIES = 3_000_000
"""Entries of one folder that are looked at; what is beyond is not in its sum, and that is said."""
MOST_SECONDS = 600.0
"""Of all folders together."""
_LINKS_KEPT = 500_000
"""Files with several names that are remembered."""
_LOOK = 4096
"""Entries between two looks at the clock."""


def main(argv: list[str]) -> int:
    """Measure the folders of `argv[1]`; returns the exit code."""
    _be_last()
    deadline = time.monotonic() + MOST_SECONDS
    seen: set[tuple[int, int]] = set()
    for number, (folder, apart) in enumerate(json.loads(argv[1])):
        size, files, complete = measured(folder, frozenset(apart), seen, deadline)
        told = {"job": number, "size": size, "files": files, "complete": complete}
        print(json.dumps(told), flush=True)
    return 0


def measured(
    folder: str, apart: frozenset[str], seen: set[tuple[int, int]], deadline: float, most: int = MOST_ENTRIES
) -> tuple[int, int, bool]:
    """Bytes and files below `folder`, as allocated on its disk, and whether all of it was looked at."""
    try:
        top = os.lstat(folder)
    except OSError as error:
        return 0, 0, isinstance(error, FileNotFoundError)
    if not os.path.isdir(folder) or os.path.islink(folder):  # noqa: PTH112, PTH114 — strings are quicker here
        return top.st_blocks * 512, 1, True
    size, files, count, complete = top.st_blocks * 512, 0, 0, True
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    if count > most or (count % _LOOK == 0 and time.monotonic() > deadline):
                        return size, files, False
                    found = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        if found.st_dev == top.st_dev and entry.path not in apart:
                            size += found.st_blocks * 512
                            waiting.append(entry.path)
                    elif found.st_nlink == 1 or _is_new(found, seen):
                        size += found.st_blocks * 512
                        files += 1
        except FileNotFoundError:
            continue  # removed meanwhile
        except OSError:
            complete = False
    return size, files, complete


def _is_new(found: os.stat_result, seen: set[tuple[int, int]]) -> bool:
    file = (found.st_dev, found.st_ino)
    if file in seen:
        return False
    if len(seen) < _LINKS_KEPT:
        seen.add(file)
    return True


def _be_last() -> None:
    """Take processor and disk only when nobody else wants them, as far as this process may say so."""
    try:
        os.nice(19)
    except OSError:
        return
    try:
        import psutil

        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    except Exception:  # without psutil, or not allowed: the processor's priority has to do
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv))
