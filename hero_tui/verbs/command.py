"""One command line carried out: its verb found, run, and whatever goes wrong told as a sentence."""

from __future__ import annotations

import os
import sys

from backends.model.errors import HeroError
from hero_tui.verbs import exits, parsing


def carry_out(words: list[str]) -> int:
    """Carry out one command line; returns the exit code (docs/cli.md). Raises SystemExit after --help."""
    try:
        _prepare_output()
        code = _run(words)
        _flush()
        return code
    except HeroError as error:
        return _report(error, words)
    except BrokenPipeError:
        _forget_output()
        return exits.DONE
    except Exception as error:
        from hero_tui.verbs.faults import as_error

        return _report(as_error(error), words)


def _run(words: list[str]) -> int:
    line = parsing.split(words)
    if line.verb in ("init", "secrets_sync", "secrets_edit") or line.verb.startswith("service_"):
        from hero_tui.verbs.old_names import carry_out_old

        return carry_out_old(line)
    if not line.verb:
        return _without_verb(line.words)
    return parsing.run(parsing.parse(line))


def _without_verb(words: list[str]) -> int:
    """`--help`, `--version`, or nothing at all."""
    if "-h" in words or "--help" in words:
        print(parsing.help_text(), end="")
        return exits.DONE
    parser = parsing.Parser(prog="hero_dev", add_help=False, allow_abbrev=False)
    parsing.add_globals(parser)
    _, extra = parser.parse_known_args(words)
    if extra:
        raise HeroError("usage", f"There is no option {extra[0]!r}.", hint="`hero_dev --help` tells more.")
    raise HeroError("usage", "No verb is given.", hint="`hero_dev --help` lists the verbs.")


def _report(error: HeroError, words: list[str]) -> int:
    """Tell an error: as JSON on standard output where that was asked for, else on standard error."""
    from hero_tui.verbs.faults import error_lines, error_object

    told = False
    try:
        if "--json" in words:
            import json

            print(json.dumps(error_object(error), indent=2))
            told = True
        _flush()
    except OSError:
        _forget_output()
        told = False
    if not told and sys.stderr is not None:
        print("\n".join(error_lines(error, sys.stderr, words)), file=sys.stderr)
    return exits.exit_code(error.code)


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _prepare_output() -> None:
    """What the output's encoding cannot say becomes a question mark instead of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _forget_output() -> None:
    """Nobody reads any more: the flush when Python ends must not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
