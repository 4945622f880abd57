"""`hero_dev`: the cockpit's verbs on the command line. Everything else is imported as late as it can be."""

from __future__ import annotations

import gc
import os
import sys


def main(argv: list[str] | None = None) -> int:
    """Carry out `argv`, or else this process's command line; returns the exit code (docs/cli.md)."""
    if argv is not None:
        return _carry_out(argv)
    if "_ARGCOMPLETE" in os.environ:
        from hero_tui.verbs.completion import complete

        complete()
    # A fifth of a short run would go into looking for garbage: while importing, and again when Python ends.
    gc.disable()
    try:
        return _carry_out([*_called_as(sys.argv[0]), *sys.argv[1:]])
    finally:
        gc.freeze()


def agent_main(argv: list[str] | None = None) -> int:
    """`a`: starts an agent; `a 2 …` is `hero_dev agent --effort 2 …`. Returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words and len(words[0]) == 1 and words[0] in "12345":
        words = ["--effort", *words]
    return main(["agent", *words])


def _called_as(program: str) -> list[str]:
    """The verb that a link to this program stands for: `hero_dev aliases` makes those."""
    name = program.rpartition("/")[2]
    return [name] if name.startswith("service_") else []


def _carry_out(words: list[str]) -> int:
    try:
        from hero_tui.verbs.command import carry_out

        return carry_out(words)
    except KeyboardInterrupt:
        print("\nhero_dev: stopped.", file=sys.stderr)
        return 130  # what shells expect of a program that SIGINT ends


if __name__ == "__main__":
    sys.exit(main())
