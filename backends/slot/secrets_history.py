"""Commits of the secrets repository: what stands on what, and two of them made one without touching a file."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.forge.git import GitResult, git
from backends.forge.git_errors import explain
from backends.model.errors import HeroError
from backends.model.problems import InvalidFile
from backends.model.secrets import FILE_NAME, SecretsFile, changed_apart, parse_secrets
from backends.model.text import safe_line
from backends.slot.secrets_draft import Draft

_CONFLICT = 1


@dataclass(frozen=True)
class Joined:
    """Two commits in one: `commit`; or "" where they collide, then what is known of it.

    `tree` has both, `text` is its `secrets.toml` with marks around what collides, `names` are the secrets that do,
    `by_hand` are other files that collide, `author` made the other side.
    """

    commit: str
    tree: str = ""
    text: str = ""
    names: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    author: str = ""


class SecretsHistory:
    """The commits of the clone in `folder`, signed by `login`. Methods raise HeroError."""

    def __init__(self, folder: Path, login: str, host: str):
        self._folder = folder
        mail = f"{login}@{host}"
        self._signed = {
            "GIT_AUTHOR_NAME": login,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": login,
            "GIT_COMMITTER_EMAIL": mail,
        }

    async def head(self) -> str:
        """The commit in force; "" in a repository that is empty yet."""
        return await self._commit("HEAD")

    async def branch(self) -> str:
        return (await self._git("symbolic-ref", "--short", "HEAD")).stdout.strip()

    async def upstream(self) -> str:
        """The commit that the forge had when we looked last; "" for none."""
        return await self._commit(f"refs/remotes/origin/{await self.branch()}")

    async def unpushed(self) -> int:
        """How many commits the forge has not."""
        if not await self.head():
            return 0
        return int((await self._git("rev-list", "--count", "HEAD", "--not", "--remotes=origin", "--")).stdout)

    async def contains(self, commit: str, other: str) -> bool:
        """Whether `other` is in the history of `commit`, or is it."""
        if not commit:
            return False
        return (await self._git("merge-base", "--is-ancestor", other, commit, check=False)).returncode == 0

    async def author(self, commit: str) -> str:
        """Who made `commit`, safe to show."""
        return safe_line((await self._git("log", "-1", "--format=%an", commit, "--")).stdout.strip(), 100)

    async def tree(self, commit: str) -> str:
        return (await self._git("rev-parse", f"{commit}^{{tree}}")).stdout.strip() if commit else ""

    async def text(self, commit: str) -> str:
        """`secrets.toml` as `commit` (or a tree) has it; "" where it has none."""
        shown = await self._git("cat-file", "blob", f"{commit}:{FILE_NAME}", check=False)
        return "" if shown.returncode else shown.stdout

    async def follow_only_branch(self) -> None:
        """An empty clone stands on the branch that was pushed since, where there is but one."""
        if await self.head():
            return
        form = "--format=%(refname:lstrip=3)"
        heads = (await self._git("for-each-ref", form, "refs/remotes/origin/")).stdout.split()
        if len(heads) == 1 and heads[0] != await self.branch():
            await self._git("symbolic-ref", "HEAD", f"refs/heads/{heads[0]}")

    async def commit_index(self, subject: str) -> None:
        """Commit what is staged, and end a merge that somebody began."""
        words = (
            "-c",
            "commit.gpgSign=false",
            "commit",
            "--quiet",
            "--no-verify",
            "--cleanup=verbatim",
            "-m",
            subject,
        )
        await self._git(*words, env=self._signed)

    async def commit_draft(self, draft: Draft) -> str:
        """The draft as a commit on what it was begun on; "" where it changes nothing."""
        blob = (await self._git("hash-object", "-w", "--no-filters", "--", str(draft.file))).stdout.strip()
        index = self._folder / ".git" / f"hero_index.{secrets.token_hex(4)}"
        env = {"GIT_INDEX_FILE": str(index)}
        try:
            await self._git("read-tree", draft.tree or "--empty", env=env)
            await self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{FILE_NAME}", env=env)
            tree = (await self._git("write-tree", env=env)).stdout.strip()
        finally:
            index.unlink(missing_ok=True)
        if tree == draft.tree and len(draft.parents) == 1:
            return ""
        return await self._commit_tree(tree, draft.parents, f"Edit {FILE_NAME}")

    async def join(self, ours: str, theirs: str) -> Joined:
        """One commit with both; no file of the folder is touched."""
        if not theirs or await self.contains(ours, theirs):
            return Joined(ours)
        if await self.contains(theirs, ours):
            return Joined(theirs)
        words = ("merge-tree", "--write-tree", "--name-only", "-z", "--no-messages", "--allow-unrelated-histories")
        merged = await self._git(*words, ours, theirs, check=False)
        tree, *files = merged.stdout.rstrip("\0").split("\0")
        if merged.returncode not in (0, _CONFLICT) or not re.fullmatch("[0-9a-f]{40,64}", tree):
            raise explain(words, self._folder, merged.stderr)
        text = await self.text(tree)
        if not merged.returncode and _is_valid(text):
            return Joined(await self._commit_tree(tree, (ours, theirs), "Put both together"))
        by_hand = tuple(safe_line(name, 200) for name in files if name and name != FILE_NAME)
        names = await self._names_apart(ours, theirs)
        return Joined("", tree, _labelled(text, ours, theirs), names, by_hand, await self.author(theirs))

    async def _names_apart(self, ours: str, theirs: str) -> tuple[str, ...]:
        base = (await self._git("merge-base", ours, theirs, check=False)).stdout.strip()
        with contextlib.suppress(InvalidFile):
            return tuple(changed_apart(*[_parsed(await self.text(one)) for one in (base, ours, theirs)]))
        return ()

    async def _commit_tree(self, tree: str, parents: tuple[str, ...], subject: str) -> str:
        words = [word for parent in parents for word in ("-p", parent)]
        return (await self._git("commit-tree", tree, *words, "-m", subject, env=self._signed)).stdout.strip()

    async def _commit(self, ref: str) -> str:
        found = await self._git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", check=False)
        return found.stdout.strip() if not found.returncode else ""

    async def _git(self, *words: str, env: Mapping[str, str] | None = None, check: bool = True) -> GitResult:
        return await git(*words, cwd=self._folder, env=env, check=check)


def _parsed(text: str) -> SecretsFile:
    return parse_secrets(text) if text else SecretsFile()


def _is_valid(text: str) -> bool:
    try:
        _parsed(text)
    except HeroError:
        return False
    return True


def _labelled(text: str, ours: str, theirs: str) -> str:
    """Marks that say whose side is whose."""
    return text.replace(f"<<<<<<< {ours}", "<<<<<<< yours").replace(f">>>>>>> {theirs}", ">>>>>>> theirs")
