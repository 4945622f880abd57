"""What the documents say is so: links lead somewhere, commands are understood, every verb and option is told."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from backends.model.errors import HeroError
from hero_tui.verbs import VERBS, parsing

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CLI_PAGE = ROOT / "docs" / "cli.md"

FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})(?P<language>\S*)[^\n]*\n(?P<code>.*?)^(?P=fence)\s*$", re.M | re.S)
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.M)
INLINE = re.compile(r"`((?:\./hero|hero_dev) [^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")

SHELL = frozenset({"|", "||", "&&", ";", "&"})
SCRIPT_VERBS = ("demo", "test")
"""What `./hero` does itself; every other word is a verb of `hero_dev`."""
V0_ALIASES = ("init",)


def page(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", page(path))


def anchors(path: Path) -> set[str]:
    """The `#names` of a page's headings, as forges make them."""
    plain = (
        re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in HEADING.findall(prose(path))
    )
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def commands(path: Path) -> list[list[str]]:
    """Each simple command of the page's `sh` blocks, in words."""
    found: list[list[str]] = []
    for block in FENCE.finditer(page(path)):
        if block["language"] == "sh":
            for line in block["code"].replace("\\\n", " ").splitlines():
                found += simple_commands(line)
    return found


def simple_commands(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found: list[list[str]] = [[]]
    for word in lexer:
        if word in SHELL:
            found.append([])
        else:
            found[-1].append(word)
    return [without_settings(words) for words in found if words]


def without_settings(words: list[str]) -> list[str]:
    """`NAME=value command …` without what stands before the command; `> file` and what follows is not its own."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    ends = [number for number, word in enumerate(words) if word in (">", ">>", "<", "2>", "2>&1")]
    return words[: ends[0]] if ends else words


def test_the_readme_has_two_commands_to_start_with() -> None:
    start = page(ROOT / "README.md").partition("\n## Start\n")[2].partition("\n## ")[0]
    assert start, "README.md has no section `Start`"
    blocks = [block["code"].strip() for block in FENCE.finditer(start)]
    assert blocks == ["./hero demo", "./hero test"]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    lost = []
    for target in LINK.findall(prose(path)):
        file, _, anchor = unquote(target).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = (path.parent / file).resolve() if file else path
        inside = there == ROOT or ROOT in there.parents
        if not inside or not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            lost.append(target)
    assert not lost


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_command_of_a_page_is_understood(path: Path) -> None:
    wrong = []
    for words in commands(path):
        try:
            understand(words)
        except HeroError as error:
            wrong.append(f"{shlex.join(words)}: {error}")
    assert not wrong


def understand(words: list[str]) -> None:
    """Parse a command of ours. Raises HeroError for one that would be refused."""
    program, *rest = words
    if program in ("./hero", "hero") and rest[:1] == ["demo"]:
        understand_cockpit(rest)
    elif program in ("./hero", "hero") and rest[:1] == ["test"]:
        return
    elif program in ("./hero", "hero", "hero_dev"):
        understand_verb(rest)
    elif program == "hero_tui":
        understand_cockpit(rest)


def understand_verb(words: list[str]) -> None:
    if words and not {"--help", "-h", "--version"} & set(words):
        parsing.parse(parsing.split(words))


def understand_cockpit(words: list[str]) -> None:
    help_text = cockpit_help(words[0] if words[:1] in (["demo"], ["web"]) else "")
    for option in OPTION.findall(" ".join(words)):
        if option not in OPTION.findall(help_text):
            raise HeroError("usage", f"hero_tui has no option {option}.")


def cockpit_help(verb: str) -> str:
    command = [
        sys.executable,
        "-c",
        "from hero_tui.cockpit import main; main()",
        *([verb] if verb else []),
        "--help",
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_verb_that_a_page_mentions_exists(path: Path) -> None:
    unknown = []
    for mention in INLINE.findall(prose(path)):
        verb = parsing.split(mention.split()[1:]).verb
        if re.fullmatch(r"[a-z][a-z_-]*", verb) and verb not in (*VERBS, *SCRIPT_VERBS, *V0_ALIASES):
            unknown.append(mention)
    assert not unknown


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_of_the_command_line_tells_every_verb_with_its_options(verb: str) -> None:
    told = page(CLI_PAGE)
    assert re.search(rf"(?<![\w-]){re.escape(verb)}(?![\w-])", told), f"docs/cli.md does not tell of {verb}"
    actions = parsing.parser_of(verb)._actions
    options = {name for action in actions for name in action.option_strings if name.startswith("--")}
    missing = options - set(OPTION.findall(told)) - {"--help"}
    assert not missing, f"docs/cli.md does not tell of {verb}'s {sorted(missing)}"


def test_a_page_with_a_command_that_is_refused_is_found() -> None:
    for line in (
        "./hero swich hero_router x",
        "hero_dev status --al",
        "hero_tui demo --dirr x",
        "a && hero_dev nope | b",
    ):
        with pytest.raises(HeroError):
            for words in simple_commands(line):
                understand(words)


def test_the_gallery_shows_the_pictures_that_there_are() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import make_gallery, sys; sys.stdout.write(make_gallery.page())"],
        cwd=ROOT / "docs",
        capture_output=True,
        text=True,
        check=True,
    )
    assert page(ROOT / "docs" / "gallery.md") == done.stdout
