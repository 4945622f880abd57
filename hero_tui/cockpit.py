"""`hero_tui`: borrows a cockpit that is resident, else opens one. What this imports, each start waits for."""

from __future__ import annotations

import gc
import sys


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    from hero_tui.resident import client

    wanted = client.is_wanted(arguments)
    if wanted and (code := client.open_resident(arguments)) is not None:
        return code
    gc.disable()  # a tenth of the start would go into looking for garbage; the app turns it on once it stands
    from hero_tui import image

    image.use()
    if wanted:
        client.leave_one_soon(arguments)
    from hero_tui.opening import main as open_by_itself

    return open_by_itself(arguments)


if __name__ == "__main__":
    sys.exit(main())
