"""From a commit of the team repo to what it says, and to the checkout that others read: objects, never files."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from backends.box_files import FILE_LIMIT
from backends.durable import sync_folder
from backends.failpoints import failpoint
from backends.model.errors import HeroError
from backends.model.names import BadValue, check_relative_path
from backends.model.problems import Problem
from backends.model.team import TeamRepo, load_team
from backends.model.text import safe_line
from backends.team.files import put_in_place
from backends.team.git_source import Clone, Entry

COMMIT_FILE = "COMMIT"
"""In the published checkout: the commit that it is of."""

MOST_FILES = 5000
MOST_BYTES = 32 << 20
"""A published checkout has no more than this; of a larger repo only the files that are read."""

_READ = re.compile(r"(?:users/|manifest_templates/)?[^/]+\.toml")


@dataclass(frozen=True)
class Reading:
    """A commit: what it says, what is wrong with it, and all its plain files by path."""

    commit: str
    repo: TeamRepo
    problems: tuple[Problem, ...]
    files: Mapping[str, bytes]


async def read_commit(clone: Clone, commit: str) -> Reading:
    """Read `commit`. Raises HeroError where the clone cannot be read."""
    tree = await clone.tree(commit)
    ours = [entry for entry in tree if _READ.fullmatch(entry.path)]
    odd = [_odd(entry) for entry in ours if not _is_fit(entry)]
    content = await clone.blobs(_published(tree))
    texts = {e.path: content[e.path].decode("utf-8", "replace") for e in ours if e.path in content}
    repo, problems = load_team(texts)
    stopped = repo.stopped | {problem.file for problem in odd}
    return Reading(commit, replace(repo, stopped=stopped), (*odd, *problems), content)


def _published(tree: Iterable[Entry]) -> list[Entry]:
    fit = [entry for entry in tree if _is_fit(entry) and _is_good_path(entry.path)]
    if len(fit) <= MOST_FILES and sum(entry.size for entry in fit) <= MOST_BYTES:
        return fit
    return [entry for entry in fit if _READ.fullmatch(entry.path)][:MOST_FILES]


def _is_fit(entry: Entry) -> bool:
    return entry.is_plain and entry.size <= FILE_LIMIT


def _is_good_path(path: str) -> bool:
    try:
        check_relative_path(path)
    except BadValue:
        return False
    return path != COMMIT_FILE


def _odd(entry: Entry) -> Problem:
    found = f"{entry.size} bytes" if entry.is_plain else "a link" if entry.mode == "120000" else "no file"
    expected = f"at most {FILE_LIMIT} bytes" if entry.is_plain else "a plain file"
    return Problem(safe_line(entry.path), 0, 0, "", found, expected)


def published_commit(checkout: Path) -> str:
    """The commit of the checkout that is published; "" for none."""
    try:
        return (checkout / COMMIT_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def publish(checkout: Path, reading: Reading, group: int | None) -> None:
    """Have `checkout` be the files of the commit, in one step, readable for `group` (a gid). Raises HeroError."""
    if published_commit(checkout) == reading.commit:
        return
    parent = checkout.parent
    _folder(parent, group)
    for stale in parent.glob(f".{checkout.name}.*"):
        shutil.rmtree(stale, ignore_errors=True)
    fresh = parent / f".{checkout.name}.{secrets.token_hex(6)}"
    try:
        files = {**reading.files, COMMIT_FILE: f"{reading.commit}\n".encode()}
        _folder(fresh, group)
        for folder in sorted({above for path in files for above in Path(path).parents if above.name}):
            _folder(fresh / folder, group)
        for path, content in files.items():
            _write(fresh / path, content, group)
        for folder in sorted({(fresh / path).parent for path in files}):
            sync_folder(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            shutil.rmtree(fresh)
        raise HeroError("failed", f"{checkout} cannot be written: {error.strerror or error}.") from error
    failpoint("team_sync.checkout.made")
    put_in_place(fresh, checkout)


def _folder(path: Path, group: int | None) -> None:
    path.mkdir(exist_ok=True)
    _give(path, group, 0o750)


def _write(path: Path, content: bytes, group: int | None) -> None:
    with path.open("xb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    _give(path, group, 0o640)


def _give(path: Path, group: int | None, mode: int) -> None:
    if group is not None:
        os.chown(path, -1, group)
    path.chmod(mode)
