"""The private secrets repository in ~/hero/secrets: cloned, kept up to date, edited, pushed; no edit is lost."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from backends.forge.base import Forge
from backends.forge.git import git
from backends.forge.git_errors import GitError
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.secrets import FILE_NAME, TEMPLATE, parse_secrets
from backends.slot.files import disk_error
from backends.slot.secrets_draft import Draft, Drafts
from backends.slot.secrets_file import read_private, worktree_lock
from backends.slot.secrets_history import Joined, SecretsHistory

NETWORK_SECONDS = 300.0
_TRIES = 4
_SETTINGS = ("core.symlinks=false", "core.fileMode=false", "core.sharedRepository=0600", "core.autocrlf=false")
_NOT_FOR_GIT = "# What editors leave behind\n*~\n.*.sw?\n*.save\n.*.tmp\n"


@dataclass(frozen=True)
class Outcome:
    """How it went: whether anything changed, the commit in force ("" for none), commits that the forge has not."""

    changed: bool
    commit: str
    unpushed: int


class SecretsRepo:
    """The clone of `repo` of one slot. Methods raise HeroError, which never shows a secret.

    Its methods are to be called while `drafts` are held.
    """

    def __init__(self, paths: SlotPaths, forge: Forge, repo: str, login: str, drafts: Drafts):
        self.repo = repo
        self._paths = paths
        self._forge = forge
        self._drafts = drafts
        self._history = SecretsHistory(paths.secrets, login, socket.gethostname())

    @property
    def is_cloned(self) -> bool:
        return (self._paths.secrets / ".git").is_dir()

    async def clone(self, *, make: bool = False) -> bool:
        """Have the clone; tells whether it was made now. `make`: the repository too, where the forge has none."""
        if self.is_cloned:
            return False
        folder = self._paths.secrets
        if os.path.lexists(folder) and not (
            folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
        ):
            raise HeroError(
                "conflict",
                f"{folder} is there, and is no clone of {self.repo}.",
                hint="Move it away, clone, then put what you need of it into `hero_dev secrets edit`.",
            )
        url = await self._url(make=make)
        fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
        try:
            fresh.mkdir(mode=0o700, parents=True)
            settings = [word for setting in _SETTINGS for word in ("--config", setting)]
            await self._git_away("clone", "--quiet", "--template=", *settings, "--", url, str(fresh))
            (fresh / ".git" / "info").mkdir(exist_ok=True)
            (fresh / ".git" / "info" / "exclude").write_text(_NOT_FOR_GIT)
            _tighten(fresh)
            fresh.rename(folder)
        except OSError as error:
            raise disk_error(folder, error) from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return True

    async def sync(self) -> Outcome:
        """Take what the forge has, where nothing of ours stands against it (a fast-forward)."""
        await self._fetch()
        head, there = await self._history.head(), await self._history.upstream()
        if not there or await self._history.contains(head, there):
            return await self._outcome(head)
        if head and not await self._history.contains(there, head):
            raise HeroError(
                "conflict",
                f"You and {await self._history.author(there)} have both changed {self.repo} since you last met.",
                hint="Nothing is lost: `hero_dev secrets push` puts both together, or says where they collide.",
            )
        parse_secrets(await self._history.text(there) or TEMPLATE, f"{self.repo}: {FILE_NAME}")
        try:
            await self._move(there)
        except GitError as error:
            if "overwritten" not in str(error.data.get("stderr", "")):
                raise
            raise HeroError(
                "conflict",
                f"{self._paths.secrets} has changes of yours that no commit has, and the forge has newer ones.",
                hint="Nothing was changed: `hero_dev secrets push` commits yours and puts both together.",
            ) from None
        return await self._outcome(head)

    async def begin_edit(self) -> tuple[Draft, bool]:
        """A private copy to edit, and whether it is one that was begun earlier and not finished."""
        if found := self._drafts.find():
            return found, True
        head = await self._keep_changes()
        text = read_private(self._paths.secrets_file)
        tree = await self._history.tree(head)
        return self._drafts.begin(TEMPLATE if text is None else text, (head,) if head else (), tree), False

    async def finish_edit(self, draft: Draft) -> Outcome:
        """Commit the draft and have it in force.

        InvalidFile, and conflict where others changed the same meanwhile: then there is a draft to edit again.
        """
        text = read_private(draft.file)
        if text is None:
            raise HeroError("not_found", f"{draft.file} is gone; nothing was changed.")
        parse_secrets(text)
        before = await self._history.head()
        commit = await self._history.commit_draft(draft)
        if commit:
            await self._move(await self._joined(commit, before, draft))
        self._drafts.discard()
        return await self._outcome(before)

    def discard_edit(self) -> None:
        """Forget the draft."""
        self._drafts.discard()

    async def push(self) -> Outcome:
        """Commit what was changed by hand, put it together with what the forge has, and push.

        InvalidFile where `secrets.toml` does not parse; conflict where others changed the same: nothing moves,
        and `begin_edit` gives both to choose from.
        """
        text = read_private(self._paths.secrets_file)
        if text is not None:
            parse_secrets(text, str(self._paths.secrets_file))
        before = await self._keep_changes()
        for left in reversed(range(_TRIES)):
            await self._fetch()
            head, there = await self._history.head(), await self._history.upstream()
            if head == there:
                return Outcome(head != before, head, 0)
            if there:
                await self._move(await self._joined(head, there, None) if head else there)
                head = await self._history.head()
            if head == there:
                continue
            try:
                await self._send(head)
            except GitError as error:
                # Somebody pushed between our fetch and our push.
                if not left or "rejected" not in str(error.data.get("stderr", "")):
                    raise
            else:
                return Outcome(True, head, 0)
        raise HeroError("busy", f"Others push to {self.repo} all the time.", hint="Try again.")

    async def _joined(self, ours: str, theirs: str, finished: Draft | None) -> str:
        """A commit with both. HeroError conflict, once both stand in a draft to choose from.

        `finished` is the draft that `ours` was made of; another one that is open stays as it is.
        """
        joined = await self._history.join(ours, theirs)
        if joined.commit:
            return joined.commit
        if joined.by_hand:
            raise await self._conflict_elsewhere(joined)
        hint = (
            "Nothing is lost: `hero_dev secrets edit` shows both with marks around them; keep one of each, "
            "then `hero_dev secrets push`."
        )
        there = self._drafts.find()
        if there == finished:
            self._drafts.begin(joined.text, (ours, theirs), joined.tree)
        elif there and there.parents != (ours, theirs):
            hint = "Nothing is lost: finish the edit that you began (`hero_dev secrets edit`), then push again."
        what = f": {', '.join(joined.names)}" if joined.names else " at the same place"
        raise HeroError(
            "conflict",
            f"You and {joined.author} both changed {FILE_NAME}{what}.",
            hint=hint,
            data={"secrets": list(joined.names)},
        )

    async def _conflict_elsewhere(self, joined: Joined) -> HeroError:
        branch = await self._history.branch()
        return HeroError(
            "conflict",
            f"You and {joined.author} changed the same places of {', '.join(joined.by_hand)}.",
            hint=f"Nothing is lost: yours is committed. `git -C {self._paths.secrets} merge origin/{branch}`, "
            "choose in these files, then `hero_dev secrets push`.",
        )

    async def _keep_changes(self) -> str:
        """Commit what was changed in the folder by hand; the head."""
        folder = self._paths.secrets
        await git("add", "--all", cwd=folder)
        staged = await git("status", "--porcelain=v1", "-z", "--untracked-files=no", cwd=folder)
        if staged.stdout or (folder / ".git" / "MERGE_HEAD").exists():
            await self._history.commit_index("Change by hand")
        return await self._history.head()

    async def _move(self, commit: str) -> None:
        """Have `commit`, which comes after the head, in force."""
        with worktree_lock(self._paths, exclusive=True):
            await git("merge", "--quiet", "--ff-only", commit, cwd=self._paths.secrets)
            _tighten(self._paths.secrets)

    async def _outcome(self, before: str) -> Outcome:
        head = await self._history.head()
        return Outcome(head != before, head, await self._history.unpushed())

    async def _url(self, *, make: bool = False) -> str:
        try:
            return await self._forge.clone_url(self.repo)
        except HeroError as error:
            if error.code != "not_found" or not make:
                raise
        await self._forge.create_repository(self.repo, private=True)
        return await self._forge.clone_url(self.repo)

    async def _fetch(self) -> None:
        await self._git_here(
            *("fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
            *("--", await self._url(), "+refs/heads/*:refs/remotes/origin/*"),
        )
        await self._history.follow_only_branch()

    async def _send(self, commit: str) -> None:
        branch = await self._history.branch()
        await self._git_here("push", "--quiet", "--", await self._url(), f"{commit}:refs/heads/{branch}")
        await git("update-ref", f"refs/remotes/origin/{branch}", commit, cwd=self._paths.secrets)

    async def _git_here(self, *words: str) -> None:
        environment = self._forge.git_environment()
        await git(*words, cwd=self._paths.secrets, env=environment, timeout=NETWORK_SECONDS)

    async def _git_away(self, *words: str) -> None:
        environment = self._forge.git_environment()
        await git(*words, cwd=self._paths.root, env=environment, timeout=NETWORK_SECONDS)


def _tighten(folder: Path) -> None:
    """Files 0600 and folders 0700, whatever the owner's umask; what git keeps for itself is behind the first."""
    folder.chmod(0o700)
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*folders, *files):
            path = Path(place) / name
            if not path.is_symlink():
                path.chmod(0o700 if stat.S_ISDIR(path.lstat().st_mode) else 0o600)
