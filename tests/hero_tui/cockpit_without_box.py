"""The cockpit on this very terminal, with a made-up fleet in the place of daemons; run by tests as a program."""

from __future__ import annotations

import os
import sys

from hero_tui.manners import facts_of
from screens import textual_gate


def main() -> int:
    """Show it until it is quit."""
    facts = facts_of(os.environ, sys.stderr.encoding)
    textual_gate.install()
    from tests.hero_tui.fleets import Cockpit  # late: the tests take NO_COLOR out of the environment

    return Cockpit(facts=facts).app.run() or 0


if __name__ == "__main__":
    sys.exit(main())
