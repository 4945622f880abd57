"""What a worktree's own files tell without a git process: where its repository is, its commit, what it is amid."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

NEW = ".new-"
"""Prefix of a worktree that is being made; no branch's folder begins with a dot."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SMALL = 64 * 1024
_OPERATIONS = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)


def git_dir(worktree: Path) -> Path | None:
    """The git directory of `worktree`, None where it is none (any more)."""
    said = _text(worktree / ".git")
    if not said.startswith("gitdir: "):
        return None
    found = worktree / said.removeprefix("gitdir: ")
    return found if (found / "HEAD").is_file() else None


def drop_unfinished(clone: Path) -> None:
    """Remove from the bare repository `clone` what worktrees left whose making was killed before their commit.

    Only for who holds the clone's lock: nobody makes one meanwhile.
    """
    for entry in (clone / "worktrees").glob(f"{NEW.replace('.', '-')}*"):
        if set(_text(entry / "HEAD")) <= {"0"}:
            shutil.rmtree(entry, ignore_errors=True)


def belongs_to(worktree: Path, clone: Path) -> bool:
    """Whether `worktree` is one of the bare repository `clone`."""
    found = git_dir(worktree)
    return found is not None and found.resolve().parent == (clone / "worktrees").resolve()


def knows_its_place(worktree: Path) -> bool:
    """Whether the repository looks for `worktree` where it is (not so after a rename that was cut off)."""
    found = git_dir(worktree)
    return found is not None and Path(_text(found / "gitdir")).parent.resolve() == worktree.resolve()


def operation(worktree: Path) -> str:
    """What `worktree` is in the middle of: rebase, merge, cherry-pick, revert, bisect; "" for nothing."""
    found = git_dir(worktree)
    if found is None:
        return ""
    return next((name for file, name in _OPERATIONS if (found / file).exists()), "")


def head_commit(worktree: Path) -> str | None:
    """The commit that `worktree` is at; None where that cannot be read from plain files."""
    found = git_dir(worktree)
    if found is None:
        return None
    head = _text(found / "HEAD")
    if not head.startswith("ref: "):
        return head if _COMMIT.fullmatch(head) else None
    ref = head.removeprefix("ref: ")
    if not ref.startswith("refs/heads/") or ".." in ref:
        return None
    common = found / (_text(found / "commondir") or ".")
    loose = _text(common / ref)
    return loose if _COMMIT.fullmatch(loose) else _packed(common, ref)


def _packed(common: Path, ref: str) -> str | None:
    try:
        with (common / "packed-refs").open(encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                commit, _, name = line.rstrip("\n").partition(" ")
                if name == ref and _COMMIT.fullmatch(commit):
                    return commit
    except OSError:
        return None
    return None


def _text(path: Path) -> str:
    """The text of a small file, "" where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(_SMALL).decode("utf-8", "surrogateescape").rstrip("\n")
    except OSError:
        return ""
