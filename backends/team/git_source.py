"""The team repo as git has it: fetched into root's own clone, read object by object, nothing of it ever run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backends.forge.git import GitResult, git, is_bare, is_full_hash
from backends.model.errors import HeroError
from backends.model.names import check_branch
from backends.model.text import safe_line

FETCH_SECONDS = 300.0
CANDIDATE = "refs/hero/candidate"
"""The newest head of the branch that was fetched, whether it may be followed or not."""

_HEAD_LINE = re.compile(r"^ref: refs/heads/(\S+)\tHEAD$", re.M)
_TREE_LINE = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64}) +(-|\d+)\t(.*)", re.S)
_CONFIG = """# Written by hero_team_sync: the only configuration that its git reads.
[core]
\thooksPath = /dev/null
\tfsmonitor = false
[fetch]
\tfsckObjects = true
\trecurseSubmodules = false
[transfer]
\tfsckObjects = true
[gc]
\tautoDetach = false
[gpg]
\tprogram = /bin/false
\tminTrustLevel = fully
[gpg "x509"]
\tprogram = /bin/false
[protocol]
\tallow = never
"""


@dataclass(frozen=True)
class Entry:
    """One name in a commit's tree: git's `mode` (100644 is a plain file), the object, its size in bytes."""

    path: str
    mode: str
    blob: str
    size: int

    @property
    def is_plain(self) -> bool:
        return self.mode in ("100644", "100755")


@dataclass(frozen=True)
class Clone:
    """A bare clone at `folder` and how git is called on it: `variables` hold no secret."""

    folder: Path
    url: str
    variables: Mapping[str, str] = field(repr=False)

    async def git(self, *arguments: str, timeout: float | None = 60, check: bool = True) -> GitResult:
        """`git ARGUMENTS` on the clone, which reads no configuration but ours. Raises GitError."""
        return await git(*arguments, git_dir=self.folder, env=self.variables, timeout=timeout, check=check)

    async def head_branch(self) -> str:
        """The branch that the forge's HEAD is on. Raises HeroError."""
        said = await self.git("ls-remote", "--symref", "--", self.url, "HEAD", timeout=FETCH_SECONDS)
        found = _HEAD_LINE.search(said.stdout)
        if not found:
            raise HeroError(
                "not_found",
                "The team repo has no branch yet: its HEAD leads nowhere.",
                hint="Push one, or name it: `branch` under `[team_sync]` in box.toml.",
            )
        return check_branch(found[1])

    async def fetch(self, branch: str) -> str:
        """The head of `branch` on the forge, with all its history in the clone. Raises HeroError."""
        refs = f"+refs/heads/{branch}:{CANDIDATE}"
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
        await self.git("fetch", *options, "--", self.url, refs, timeout=FETCH_SECONDS)
        said = await self.git("rev-parse", "--verify", "--quiet", f"{CANDIDATE}^{{commit}}")
        commit = said.stdout.strip()
        if not is_full_hash(commit):
            raise HeroError("failed", f"git names {safe_line(commit, 80)!r} as the head of the team repo.")
        return commit

    async def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` is `old` with commits after it; a commit that the clone does not have is not."""
        asked = await self.git("merge-base", "--is-ancestor", old, new, check=False)
        return asked.returncode == 0

    async def verify(self, commit: str, signers: str) -> str:
        """Why the signature of `commit` is not one of the allowed `signers` (a file); "" where it is."""
        setting = f"gpg.ssh.allowedSignersFile={signers}"
        said = await self.git("-c", setting, "verify-commit", "--", commit, check=False)
        if said.returncode == 0:
            return ""
        lines = [line for line in said.stderr.splitlines() if line.strip()]
        return safe_line(lines[-1], 300) if lines else "it is not signed"

    async def tree(self, commit: str) -> list[Entry]:
        """Everything in the tree of `commit` whose path is text. Raises HeroError."""
        said = await self.git("ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--")
        entries = [
            _TREE_LINE.fullmatch(line) for line in said.stdout.encode("utf-8", "replace").split(b"\0") if line
        ]
        found = [
            Entry(one[5].decode(), one[1].decode(), one[3].decode(), int(one[4]) if one[4] != b"-" else 0)
            for one in entries
            if one
        ]
        return [entry for entry in found if "\ufffd" not in entry.path]

    async def blobs(self, entries: Sequence[Entry]) -> dict[str, bytes]:
        """The bytes of plain files, by path; one process for all of them. Raises HeroError."""
        if not entries:
            return {}
        process = await asyncio.create_subprocess_exec(
            *("git", f"--git-dir={self.folder}", "cat-file", "--batch"),
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", **self.variables},
            cwd="/",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            out, _ = await process.communicate("".join(f"{entry.blob}\n" for entry in entries).encode())
        finally:
            if process.returncode is None:
                process.kill()
        return _batch(out, entries)


def _batch(out: bytes, entries: Sequence[Entry]) -> dict[str, bytes]:
    found = {}
    for entry in entries:
        head, _, rest = out.partition(b"\n")
        fields = head.split()
        if len(fields) != 3 or fields[1] != b"blob":
            raise HeroError(
                "failed", f"The clone of the team repo is damaged: {safe_line(entry.path)} is missing."
            )
        size = int(fields[2])
        found[entry.path] = rest[:size]
        out = rest[size + 1 :]
    return found


async def open_clone(folder: Path, url: str, variables: Mapping[str, str]) -> Clone:
    """The clone `repo.git` in root's `folder`, made where there is none. Raises HeroError."""
    clone = _clone(folder / "repo.git", folder, url, variables)
    if not is_bare(clone.folder):
        shutil.rmtree(clone.folder, ignore_errors=True)
        await _init(clone)
    return clone


@contextlib.asynccontextmanager
async def passing_clone(folder: Path, url: str, variables: Mapping[str, str]) -> AsyncIterator[Clone]:
    """A clone that borrows what the lasting one has, and of which nothing stays."""
    with tempfile.TemporaryDirectory(prefix="hero-plan-") as name:
        passing = Path(name)
        clone = _clone(passing / "repo.git", passing, url, variables)
        await _init(clone)
        lasting = folder / "repo.git" / "objects"
        if lasting.is_dir():
            (clone.folder / "objects" / "info" / "alternates").write_text(f"{lasting}\n")
        yield clone


def _clone(repo: Path, folder: Path, url: str, variables: Mapping[str, str]) -> Clone:
    config = folder / "gitconfig"
    config.write_text(_config(url))
    ours = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(config), "HOME": str(folder)}
    return Clone(repo, url, {**variables, **ours})


async def _init(clone: Clone) -> None:
    await git(
        "init", "--quiet", "--bare", "--template=", "--", str(clone.folder), env=clone.variables, cwd=Path("/")
    )


def _config(url: str) -> str:
    """Our configuration for one address: its own protocol and no other."""
    scheme = url.partition("://")[0] if "://" in url else "file"
    allowed = {"http": ("http", "https"), "https": ("https",), "ssh": ("ssh",), "file": ("file",)}.get(scheme)
    if allowed is None:
        raise HeroError("usage", f"The team repo cannot be fetched by {safe_line(scheme, 20)!r}.")
    text = _CONFIG + "".join(f'[protocol "{name}"]\n\tallow = always\n' for name in allowed)
    if scheme == "file":
        # The box's own forge belongs to the box's daemon, and git would not read it as root.
        path = url.removeprefix("file://")
        text += f'[safe]\n\tdirectory = "{_escaped(path)}"\n'
    return text


def _escaped(path: str) -> str:
    if not path.isprintable():
        raise HeroError("usage", "The path of the team repo has control characters.")
    return path.replace("\\", "\\\\").replace('"', '\\"')
