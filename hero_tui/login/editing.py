"""The person's editor on the private copy of the secrets, again until it is right or given up."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from backends.model.errors import HeroError
from backends.slot.secrets_draft import Draft
from backends.slot.secrets_repo import Outcome
from hero_tui.login.foreground import run_in_front
from hero_tui.login.place import Place
from hero_tui.login.talk import Ended, Skipped, ask, say, say_error

_VI_KIND = ("vi", "vim", "nvim", "view", "vim.basic", "vim.tiny", "vim.nox", "vim.gtk3")
# No swap file, no history of what was cut and copied, no undo file, no backup: each would keep secrets elsewhere.
_LEAVE_NOTHING = ("-n", "-i", "NONE", "-c", "set nobackup nowritebackup noundofile")


def edit_secrets(place: Place) -> Outcome | None:
    """Have the person edit `secrets.toml` and commit it; None where they left it for later.

    Call it with the drafts held. Raises HeroError.
    """
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise HeroError(
            "usage", "An editor needs a terminal.", hint="Log in with one, then `hero_dev secrets edit`."
        )
    draft, resumed = place.on_secrets(lambda repo: repo.begin_edit())
    if resumed:
        say("You began an edit earlier and did not finish it; it goes on from there.")
    while True:
        try:
            return _once(place, draft)
        except HeroError as error:
            if error.code not in ("invalid_file", "conflict", "failed"):
                raise
            say_error(error)
        if not _again():
            say("What you typed is kept; the next `hero_dev secrets edit` goes on with it.")
            return None
        draft, _ = place.on_secrets(lambda repo: repo.begin_edit())


def editor_argv(path: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The command that edits `path` and leaves no copy elsewhere: $VISUAL, $EDITOR, else nano or vi.

    Raises HeroError.
    """
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(environment.get(name, ""))
        except ValueError:
            continue
        if words and shutil.which(words[0]):
            return [*words, *_quiet(words[0]), str(path)]
    for program in ("nano", "vim", "vi", "editor"):
        if shutil.which(program):
            return [program, *_quiet(program), str(path)]
    raise HeroError("not_found", "No editor is installed.", hint="As root: `apt-get install nano`.")


def _quiet(program: str) -> tuple[str, ...]:
    found = shutil.which(program)
    names = {Path(program).name, Path(os.path.realpath(found)).name if found else ""}
    return _LEAVE_NOTHING if names & set(_VI_KIND) else ()


def _once(place: Place, draft: Draft) -> Outcome:
    argv = editor_argv(draft.file)
    try:
        code = run_in_front(argv, draft.file.parent)
    except OSError as error:
        raise HeroError("failed", f"{argv[0]} could not be started: {error.strerror}.") from error
    if code:
        raise HeroError("failed", f"{argv[0]} ended with exit {code}, so nothing was taken over.")
    return place.on_secrets(lambda repo: repo.finish_edit(draft))


def _again() -> bool:
    try:
        return ask("enter: edit again, s: leave it for later >", ("",)) == ""
    except (Skipped, Ended):
        return False
