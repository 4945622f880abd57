"""`bootstrap.sh`: looks what is missing, does it, and tells how long that took."""

from __future__ import annotations

import os
import sys
import time

from deploy.setup.accounts import accounts
from deploy.setup.box import boxfile, is_box, router, secrets
from deploy.setup.broker import org_keys, store_key
from deploy.setup.claude import claude
from deploy.setup.daemons import daemons, slots
from deploy.setup.folders import files, folders
from deploy.setup.neighbours import logins, processes
from deploy.setup.options import Options, read_options
from deploy.setup.packages import packages
from deploy.setup.restore import restore
from deploy.setup.software import software
from deploy.setup.step import Step, Stopped, take, tell
from deploy.setup.webhooks import webhooks

FAILED, USAGE = 1, 2


def main(arguments: list[str]) -> int:
    """Make this machine a box; the exit code."""
    began = time.monotonic()
    try:
        options = read_options(arguments, is_box=is_box())
    except Stopped as stopped:
        print(f"bootstrap: {stopped}.", file=sys.stderr)
        return USAGE
    if options.check:
        tell(steps(options))
        return 0
    if os.geteuid() != 0:
        print("bootstrap: run this as root; --check needs no rights.", file=sys.stderr)
        return USAGE
    os.umask(0o022)
    try:
        taken = take(steps(options))
    except Stopped as stopped:
        print(f"bootstrap: {stopped}\nWhat was done stays; run it again once that is mended.", file=sys.stderr)
        return FAILED
    for title, seconds, count in taken:
        print(f"{title:32} {'done before' if not count else f'{seconds:6.1f} s'}")
    print(f"{'in all':32} {time.monotonic() - began:6.1f} s")
    return 0


def steps(options: Options) -> list[Step]:
    """All of them, in the order in which they build on each other."""
    return [
        packages(),
        accounts(),
        software(),
        claude(options.claude),
        folders(),
        boxfile(options),
        secrets(options),
        org_keys(options),
        router(options),
        files(),
        store_key(),
        restore(options),
        processes(),
        logins(options),
        daemons(),
        slots(),
        webhooks(),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
