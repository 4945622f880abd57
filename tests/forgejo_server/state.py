"""What the test server knows: accounts and repositories, with real bare repositories for all that git keeps."""

from __future__ import annotations

import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

Flavour = Literal["forgejo", "gitea"]
ZEROS = "0" * 40
ALL = frozenset({"all"})


@dataclass
class Account:
    """Who a token belongs to, and what the token may do (`scopes`, of the API's names; `all` is everything).

    A `writer` administers every repository; anybody else is what its collaborators say.
    """

    login: str
    scopes: frozenset[str] = ALL
    admin: bool = False
    writer: bool = True


@dataclass
class Asset:
    id: int
    name: str
    path: Path
    size: int
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    downloads: int = 0
    created: float = field(default_factory=time.time)


@dataclass
class Release:
    id: int
    tag: str
    target: str
    title: str
    body: str
    author: str
    draft: bool
    prerelease: bool = False
    created: float = field(default_factory=time.time)
    assets: list[Asset] = field(default_factory=list)
    hidden: bool = False
    """A row that a deleted release leaves behind: its tag stays in git, and it is listed nowhere."""


@dataclass
class Hook:
    id: int
    kind: str
    config: dict[str, str]
    events: list[str]
    active: bool
    branch_filter: str
    authorization: str
    deliveries: list[int] = field(default_factory=list)


@dataclass
class Status:
    id: int
    state: str
    context: str
    description: str
    url: str
    created: float = field(default_factory=time.time)


@dataclass
class Comment:
    id: int
    author: str
    body: str
    created: float = field(default_factory=time.time)


@dataclass
class Issue:
    """Issues and pull requests of a repository are numbered in one row."""

    number: int
    title: str
    body: str
    author: str
    labels: list[str] = field(default_factory=list)
    closed: bool = False
    locked: bool = False
    comments: list[Comment] = field(default_factory=list)


@dataclass
class Pull:
    number: int
    head: str
    base: str
    title: str
    body: str
    merged: bool = False
    closed: bool = False
    computed: int = 0
    """How often it was asked for; whether it can be merged is computed by then."""


@dataclass
class Repository:
    """One repository; `git_dir` is a real bare one."""

    name: str
    git_dir: Path
    private: bool = False
    archived: bool = False
    default_branch: str = "development"
    updated: float = field(default_factory=time.time)
    releases: list[Release] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    statuses: dict[str, list[Status]] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    collaborators: dict[str, str] = field(default_factory=dict)
    """What accounts may do (read, write, admin), by their logins in small letters."""
    protections: list[dict[str, Any]] = field(default_factory=list)

    def git(self, *arguments: str, check: bool = True, data: bytes | None = None) -> bytes:
        """What `git` says; raises CalledProcessError."""
        argv = ["git", f"--git-dir={self.git_dir}", "-c", "core.hooksPath=/dev/null", *arguments]
        return subprocess.run(argv, check=check, capture_output=True, input=data).stdout

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Commits by full refname; an annotated tag's is its commit."""
        form = "--format=%(refname)%00%(objectname)%00%(*objectname)"
        lines = self.git("for-each-ref", form, prefix).decode().splitlines()
        fields = [line.split("\0") for line in lines]
        return {name: peeled or plain for name, plain, peeled in fields}

    def find(self, ref: str) -> str | None:
        """The commit that a branch, a tag or a hash names."""
        refs = self.refs()
        for name in (f"refs/heads/{ref}", f"refs/tags/{ref}"):
            if name in refs:
                return refs[name]
        if len(ref) < 7 or set(ref) - set("0123456789abcdef"):
            return None
        found = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", check=False)
        return found.decode().strip() or None

    def right(self, account: Account | None) -> str:
        """What `account` may do here: "", read, write, admin."""
        everybody = "" if self.private else "read"
        if account is None:
            return everybody
        if account.admin or account.writer:
            return "admin"
        return self.collaborators.get(account.login.lower(), everybody)

    @property
    def next_number(self) -> int:
        """The number of the next issue or pull request."""
        return len(self.issues) + len(self.pulls) + 1

    def touch(self) -> None:
        self.updated = time.time()

    def release_of(self, tag: str) -> Release | None:
        """By tag as the server looks it up: letters of either case are the same."""
        return next((one for one in self.releases if one.tag.lower() == tag.lower()), None)


class World:
    """All accounts and repositories. Everything that changes holds `lock`, for handlers run in threads."""

    def __init__(self, folder: Path, flavour: Flavour):
        self.folder = folder
        self.flavour = flavour
        self.root_url = ""
        self.lock = threading.RLock()
        self.numbers = count(1)
        self.accounts: dict[str, Account] = {}
        self.organisations: set[str] = set()
        self.repositories: dict[str, Repository] = {}
        self.page_limit = 50
        self.deliveries: list[dict[str, Any]] = []
        self.quota: int | None = None

    def account(self, login: str, *scopes: str, admin: bool = False, writer: bool = True) -> str:
        """A new token of `login`."""
        token = uuid.uuid4().hex + uuid.uuid4().hex[:8]
        self.accounts[token] = Account(login, frozenset(scopes) or ALL, admin, writer)
        return token

    def create(self, name: str, *, private: bool = False, default_branch: str = "development") -> Repository:
        """A new, empty repository; its organisation is made where there is none."""
        with self.lock:
            self.organisations.add(name.partition("/")[0])
            git_dir = self.folder / "repositories" / f"{name}.git"
            git_dir.parent.mkdir(parents=True, exist_ok=True)
            argv = [
                "git",
                "init",
                "-q",
                "--bare",
                "--template=",
                f"--initial-branch={default_branch}",
                str(git_dir),
            ]
            subprocess.run(argv, check=True)
            for key in ("http.receivepack", "uploadpack.allowAnySHA1InWant"):
                subprocess.run(["git", f"--git-dir={git_dir}", "config", key, "true"], check=True)
            made = self.repositories[name.lower()] = Repository(
                name, git_dir, private, default_branch=default_branch
            )
            return made

    def find(self, name: str) -> Repository | None:
        return self.repositories.get(name.lower())

    def knows(self, login: str) -> bool:
        """Whether there is a user or an organisation called `login`, in letters of either case."""
        names = {account.login for account in self.accounts.values()} | self.organisations
        return login.lower() in {name.lower() for name in names}

    @property
    def version(self) -> str:
        return "15.0.1+gitea-1.22.0" if self.flavour == "forgejo" else "1.26.0"


def moment(seconds: float) -> str:
    """A time as the API writes it: whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
