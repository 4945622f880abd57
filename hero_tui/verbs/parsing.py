"""The command line's grammar: global options before or after the verb, and errors that name what was meant."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from backends.model.errors import HeroError, nearest
from backends.version import VERSION
from hero_tui.verbs import VERBS
from hero_tui.verbs.session import session_of

WITH_VALUE = ("--box", "--slot")
"""Global options whose value is the next word."""


class Line(NamedTuple):
    """A command line taken apart: the verb ("" for none) and all other words in their order."""

    verb: str
    words: list[str]


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are HeroErrors."""

    def error(self, message: str) -> NoReturn:
        """Raises HeroError `usage`."""
        sentence = f"{message[:1].upper()}{message[1:]}{'' if message.endswith('?') else '.'}"
        raise HeroError("usage", sentence, hint=f"`{self.prog} --help` tells more.")

    def format_help(self) -> str:
        """The help, and by which keys the cockpit does the same."""
        from hero_tui.keys import of_verb  # only who asks for help pays for the table

        told = [f"  {entry.all_shown:12} {entry.help}" for entry in of_verb(self.prog.rpartition(" ")[2])]
        return super().format_help() + ("\nin the cockpit:\n" + "\n".join(told) + "\n" if told else "")


def split(words: list[str]) -> Line:
    """Take the verb out of `words`: the first one that is neither an option nor an option's value."""
    skip = False
    for number, word in enumerate(words):
        if skip or word.startswith("-"):
            skip = not skip and word in WITH_VALUE
            continue
        return Line(word, words[:number] + words[number + 1 :])
    return Line("", words)


def parse(line: Line) -> argparse.Namespace:
    """What `line` asks for; its `verb` is set. Raises HeroError `usage`, or SystemExit after --help."""
    parser = parser_of(line.verb)
    # Only where a positional may be left out can options between them mislead argparse.
    loose = any(not action.option_strings and action.nargs in ("?", "*") for action in parser._actions)
    asked, extra = (parser.parse_known_intermixed_args if loose else parser.parse_known_args)(line.words)
    if extra:
        raise _unexpected(parser, extra[0])
    asked.verb = line.verb
    return asked


def run(asked: argparse.Namespace) -> int:
    """Carry out what a parsed line asks for; returns the exit code. Raises HeroError."""
    module, _ = VERBS[asked.verb]
    code: int = verb_module(module).run(session_of(asked), asked)
    return code


def parser_of(verb: str) -> Parser:
    """The parser of one verb's line, global options included. Raises HeroError for an unknown verb."""
    if verb not in VERBS:
        raise unknown_verb(verb)
    module, summary = VERBS[verb]
    parser = Parser(
        prog=f"hero_dev {verb}", description=_sentence(summary), allow_abbrev=False, formatter_class=_formatter
    )
    configure: Callable[[str, argparse.ArgumentParser], None] = verb_module(module).configure
    configure(verb, parser)
    add_globals(parser)
    return parser


def verb_module(name: str) -> Any:
    """The module that carries a verb out; imported now, for a start loads nothing that it does not use."""
    return importlib.import_module(f"hero_tui.verbs.{name}")


def add_globals(parser: argparse.ArgumentParser, *, default: object = None) -> None:
    """The options that every verb takes."""
    group = parser.add_argument_group("everywhere")
    text: Any = "" if default is None else default
    flag: Any = False if default is None else default
    group.add_argument(
        "--box", metavar="NAME|DIR", default=text, help="which box (HERO_BOX, or the one around here)"
    )
    group.add_argument("--slot", metavar="USER", default=text, help="whose slot (HERO_SLOT, or this login's)")
    group.add_argument("--json", action="store_true", default=flag, help="answer in JSON; see docs/cli.md")
    group.add_argument("-q", "--quiet", action="store_true", default=flag, help="no progress, no confirmations")
    group.add_argument("--no-color", action="store_true", default=flag, help="no colours (as NO_COLOR does)")
    group.add_argument("--version", action="version", version=f"hero_dev {VERSION}")


def add_plan(parser: argparse.ArgumentParser) -> None:
    """`--plan`: tell what would be done."""
    parser.add_argument(
        "--plan", "--dry-run", dest="plan", action="store_true", help="tell what would be done, and do nothing"
    )


def one_of(*choices: str) -> Callable[[str], str]:
    """An argparse type that takes one of `choices` and otherwise names the nearest."""

    def check(text: str) -> str:
        if text in choices:
            return text
        close = nearest(text, choices, 1)
        meant = f"; did you mean `{close[0]}`?" if close else ""
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(choices)}{meant}")

    return check


def number_to(most: int) -> Callable[[str], int]:
    """An argparse type that takes a whole number from 1 to `most`."""

    def check(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {most}")
        return int(text)

    return check


def refuse_beside(asked: argparse.Namespace, subject: str, options: dict[str, str]) -> None:
    """Raises HeroError `usage` where one of `options` (attribute: as it is written) is given beside `subject`."""
    for name, written in options.items():
        if getattr(asked, name) not in (None, False, "", [], ()):
            raise HeroError(
                "usage",
                f"{written} does not go with `{subject}`.",
                hint=f"`hero_dev {asked.verb} --help` tells more.",
            )


def unknown_verb(verb: str) -> HeroError:
    """The error for a verb that there is not."""
    close = nearest(verb, VERBS)
    meant = f"Did you mean {' or '.join(f'`{name}`' for name in close)}? " if close else ""
    return HeroError("usage", f"There is no verb {verb!r}.", hint=f"{meant}`hero_dev --help` lists the verbs.")


def help_text() -> str:
    """What `hero_dev --help` prints."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:{width}}  {summary}" for verb, (_, summary) in VERBS.items())
    return (
        "usage: hero_dev [--box NAME|DIR] [--slot USER] [--json] [-q] [--no-color] VERB …\n\n"
        f"Your slot on the team's box, from the command line.\n\n{verbs}\n\n"
        "`hero_dev VERB --help` tells a verb's options; docs/cli.md tells all of it.\n"
        "Exit codes: 0 done, 1 failed, 2 usage, 3 nothing to do, 4 needs approval, 5 not reachable.\n"
    )


def _formatter(prog: str) -> argparse.HelpFormatter:
    """A formatter that knows its width, or argparse would import all of shutil to ask for it at every start."""
    return argparse.HelpFormatter(prog, max_help_position=28, width=min(help_width(), 110) - 2)


def help_width() -> int:
    """How many cells a line of help may take."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


def _unexpected(parser: argparse.ArgumentParser, word: str) -> HeroError:
    hint = f"`{parser.prog} --help` tells more."
    if not word.startswith("-"):
        return HeroError("usage", f"There is one word too many: {word!r}.", hint=hint)
    option = word.partition("=")[0]
    known = [name for action in parser._actions for name in action.option_strings]
    close = nearest(option, known, 2)
    meant = f"Did you mean {' or '.join(f'`{name}`' for name in close)}? " if close else ""
    return HeroError("usage", f"`{parser.prog}` has no option {option!r}.", hint=meant + hint)


def _sentence(summary: str) -> str:
    return f"{summary[:1].upper()}{summary[1:]}."
