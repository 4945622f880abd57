"""How Hero runs git and what it asks of repositories: refs, branches, commits, work in progress."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backends.forge.base import Branch
from backends.forge.git_errors import GitError, explain
from backends.forge.git_process import run_git, shown_stderr
from backends.model.errors import nearest
from backends.model.text import safe_line

_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_RECORD = "%(refname)%00%(objectname)%00%(authorname)%00%(committerdate:unix)%00%(subject)%00"


@dataclass(frozen=True, slots=True)
class GitResult:
    """How git ended. `stdout` is as git wrote it, for programs; `stderr` is safe to show."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: full hash, committer's time; `author` and `subject` are safe to show."""

    commit: str
    author: str
    committed_at: datetime
    subject: str


async def git(
    *args: str,
    cwd: Path | None = None,
    git_dir: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = 60,
    check: bool = True,
) -> GitResult:
    """Run `git ARGS` to its end; with `check`, a status other than 0 raises GitError.

    `cwd` must be the top of a repository or worktree (a repository *around* it is never taken), or
    no repository at all for verbs like `clone`. `git_dir` names a bare repository, which is trusted
    whoever owns it. `env` is added to the environment. `timeout` in seconds; on timeout or
    cancellation the whole process group is ended. Pass names from outside after `--end-of-options`
    or `--`, or as full refnames.
    """
    code, out, err = await run_git(args, cwd=cwd, git_dir=git_dir, env=env, timeout=timeout)
    stderr = shown_stderr(err)
    if check and code:
        raise explain(args, git_dir or cwd, stderr, code)
    return GitResult(code, out.decode(errors="replace"), stderr)


def is_bare(repo: Path) -> bool:
    """Whether `repo` is itself a git directory (not a worktree)."""
    return (repo / "objects").is_dir() and (repo / "HEAD").is_file()


async def git_at(repo: Path, *args: str, timeout: float | None = 60, check: bool = True) -> GitResult:
    """`git ARGS` in `repo`, be it a bare repository or a worktree."""
    if is_bare(repo):
        return await git(*args, git_dir=repo, timeout=timeout, check=check)
    return await git(*args, cwd=repo, timeout=timeout, check=check)


async def rev_parse(repo_dir: Path, ref: str) -> str:
    """The full hash of the commit that `ref` (a refname, a hash, HEAD) names. Raises GitError not_found."""
    result = await git_at(
        repo_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", check=False
    )
    commit = result.stdout.strip()
    if result.returncode == 0 and _COMMIT.match(commit):
        return commit
    if result.stderr:
        raise explain(("rev-parse",), repo_dir, result.stderr)
    raise GitError(
        "not_found",
        f"There is no branch, tag or commit {safe_line(ref, 200)!r} in {safe_line(str(repo_dir))}.",
        hint="Fetch first, or check the name.",
        data={"reason": "ref_not_found"},
    )


async def has_commit(repo: Path, commit: str) -> bool:
    """Whether `repo` has the commit with this full hash."""
    if not is_full_hash(commit):
        return False
    return (await git_at(repo, "cat-file", "-e", f"{commit}^{{commit}}", check=False)).returncode == 0


def is_full_hash(text: str) -> bool:
    """Whether `text` is a full commit hash (SHA-1 or SHA-256, lower-case hex)."""
    return _COMMIT.match(text) is not None


async def read_blob(repo: Path, blob: str) -> bytes:
    """The bytes of the object `blob` (a full hash) of the bare repository `repo`. Raises GitError."""
    code, out, err = await run_git(("cat-file", "blob", blob), git_dir=repo)
    if code:
        raise explain(("cat-file",), repo, shown_stderr(err))
    return out


async def branches(repo_dir: Path, prefix: str = "refs/heads/") -> list[Branch]:
    """All branches under `prefix` (`refs/remotes/origin/` for a clone's), newest commit first.

    One git process whatever their number; a branch whose name is not UTF-8 is left out. Raises GitError.
    """
    return await _heads(repo_dir, prefix, prefix)


async def _heads(repo_dir: Path, pattern: str, prefix: str) -> list[Branch]:
    result = await git_at(repo_dir, "for-each-ref", f"--format={_RECORD}", "--sort=-committerdate", "--", pattern)
    fields = result.stdout.split("\0")[:-1]
    heads = [
        Branch(
            name=refname.lstrip("\n").removeprefix(prefix),
            commit=commit,
            author=safe_line(author, 200),
            committed_at=moment(unix),
            subject=safe_line(subject, 500),
        )
        for refname, commit, author, unix, subject in zip(*[iter(fields)] * 5, strict=True)
    ]
    return [b for b in heads if "\ufffd" not in b.name and (b.name != "HEAD" or prefix == "refs/heads/")]


async def branch(repo_dir: Path, name: str, prefix: str = "refs/heads/") -> Branch:
    """The branch called exactly `name`. Raises GitError not_found with the nearest names."""
    for found in await _heads(repo_dir, f"{prefix}{name}", prefix):
        if found.name == name:
            return found
    close = nearest(name, [b.name for b in await branches(repo_dir, prefix)])
    named = " or ".join(f"`{safe_line(n, 200)}`" for n in close)
    raise GitError(
        "not_found",
        f"There is no branch called {safe_line(name, 200)!r} in {safe_line(str(repo_dir))}.",
        hint=f"Did you mean {named}?" if close else "Check the name, or push the branch first.",
        data={"reason": "ref_not_found", "nearest": close},
    )


async def commit_info(repo: Path, ref: str) -> Commit:
    """The commit that `ref` names. Raises GitError not_found."""
    commit = await rev_parse(repo, ref)
    return (await _log(repo, commit, limit=1))[0]


async def log_between(repo: Path, a: str, b: str, limit: int = 100) -> list[Commit]:
    """The commits that `b` has and `a` has not, newest first, at most `limit`. Raises GitError."""
    return await _log(repo, f"{await rev_parse(repo, a)}..{await rev_parse(repo, b)}", limit=limit)


async def _log(repo: Path, revisions: str, *, limit: int) -> list[Commit]:
    form = "--format=tformat:%H%x00%an%x00%ct%x00%s%x00"
    result = await git_at(repo, "log", "--no-mailmap", f"-n{limit}", form, revisions, "--")
    fields = result.stdout.split("\0")[:-1]
    return [
        Commit(commit.strip(), safe_line(author, 200), moment(unix), safe_line(subject, 500))
        for commit, author, unix, subject in zip(*[iter(fields)] * 4, strict=True)
    ]


async def ahead_behind(repo: Path, ours: str, theirs: str) -> tuple[int, int]:
    """How many commits `ours` has that `theirs` has not, and the other way round. Raises GitError."""
    span = f"{await rev_parse(repo, ours)}...{await rev_parse(repo, theirs)}"
    result = await git_at(repo, "rev-list", "--left-right", "--count", span, "--")
    ahead, behind = result.stdout.split()
    return int(ahead), int(behind)


async def current_branch(worktree: Path) -> str | None:
    """The branch that `worktree` is on; None if its HEAD is detached. Raises GitError."""
    result = await git_at(worktree, "symbolic-ref", "--quiet", "HEAD", check=False)
    if result.returncode == 0:
        return result.stdout.strip().removeprefix("refs/heads/")
    if result.stderr:
        raise explain(("symbolic-ref",), worktree, result.stderr)
    return None


async def uncommitted(worktree: Path) -> tuple[str, ...]:
    """Paths in `worktree` that git does not have as they are: changed, staged or untracked. Raises GitError."""
    result = await git("status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames", cwd=worktree)
    return tuple(record[3:] for record in result.stdout.split("\0") if record)


async def is_dirty(worktree: Path) -> bool:
    """Whether `worktree` holds work that no commit has, untracked files included. Raises GitError."""
    return bool(await uncommitted(worktree))


def moment(unix: str) -> datetime:
    """The time that git gives in seconds; a nonsensical one (anybody can commit it) is the epoch."""
    try:
        return datetime.fromtimestamp(int(unix), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
