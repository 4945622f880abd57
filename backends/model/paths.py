"""Where everything of a box and of a slot lies on disk (docs/formats.md); names only, nothing is touched here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

SYSTEM_ROOT = Path("/var/lib/hero")
"""Where a machine's system box lies."""

SOCKET_PATH_LIMIT = 107
"""Longest path of a UNIX socket that Linux takes, in bytes (`sun_path`)."""


def folder_name(name: str) -> str:
    """One folder name for a branch or repository name, reversible and without `/`."""
    return quote(name, safe="-_.+@") if name not in (".", "..") else quote(name).replace(".", "%2E")


@dataclass(frozen=True)
class SlotPaths:
    """The tree of one slot; `root` is its `~/hero`."""

    root: Path

    @property
    def manifest(self) -> Path:
        return self.root / "cfg" / "dev_manifest.toml"

    @property
    def opt(self) -> Path:
        """Installed versions: `opt/<service>/<hash8>/`."""
        return self.root / "opt"

    @property
    def bin(self) -> Path:
        """One symlink a service to its running version; the swap renames it."""
        return self.root / "bin"

    @property
    def src(self) -> Path:
        """Worktrees: `src/<service>/<branch>/`."""
        return self.root / "src"

    @property
    def repos(self) -> Path:
        """The slot's own bare clones, which its worktrees share."""
        return self.root / "src" / ".repos"

    @property
    def var(self) -> Path:
        return self.root / "var"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def build_log(self) -> Path:
        return self.log / "builds"

    @property
    def sockets(self) -> Path:
        """A directory, or a link to a short one where the full path would be too long for a socket."""
        return self.var / "sockets"

    @property
    def rpc_socket(self) -> Path:
        return self.sockets / "hero_slot" / "rpc.sock"

    @property
    def tmux_socket(self) -> Path:
        """The tmux server of a rootless slot's agents."""
        return self.sockets / "hero_slot" / "tmux.sock"

    @property
    def agents(self) -> Path:
        """One folder an agent: its record, its log, its program's own files; for its owner's eyes only."""
        return self.var / "agents"

    @property
    def supervisor(self) -> Path:
        return self.var / "supervisor"

    @property
    def journal(self) -> Path:
        """What a switch in flight intends, one file a service."""
        return self.var / "state" / "journal"

    @property
    def database(self) -> Path:
        """The slot's outbox of events, operations and builds."""
        return self.var / "state" / "slot.sqlite"

    def installed(self, service: str, commit: str) -> Path:
        return self.opt / service / commit[:8]

    def current(self, service: str) -> Path:
        return self.bin / service

    def data(self, service: str) -> Path:
        """The `{var}` of a service: its own data, kept over versions."""
        return self.var / "lib" / service

    def worktree(self, service: str, branch: str) -> Path:
        return self.src / service / folder_name(branch)

    def clone(self, repo: str) -> Path:
        return self.repos / f"{repo}.git"

    @property
    def forge_token(self) -> Path:
        """The user's own token for the forge, where the slot does not use the box's."""
        return self.root / "cfg" / "forge_token"

    @property
    def secrets(self) -> Path:
        """The clone of the user's private secrets repository, 0700."""
        return self.root / "secrets"

    @property
    def secrets_file(self) -> Path:
        return self.secrets / "secrets.toml"

    @property
    def first_login(self) -> Path:
        """Which of the first steps the user has taken."""
        return self.var / "state" / "first_login.json"

    @property
    def queued_builds(self) -> Path:
        """How the builds went that the box's queue had this slot run."""
        return self.var / "state" / "queued"

    def build_record(self, service: str) -> Path:
        """How the newest build of a service went."""
        return self.var / "state" / "builds" / f"{service}.json"

    def service_log(self, service: str) -> Path:
        return self.log / f"{service}.log"


@dataclass(frozen=True)
class BoxPaths:
    """The tree of a box, one folder; on a system box `home` and `run` in it lead to /home and /run/hero."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "box.toml"

    @property
    def forge(self) -> Path:
        return self.root / "forge"

    @property
    def team(self) -> Path:
        """The checkout of the team repo that the box and its slots read."""
        return self.root / "team" / "checkout"

    @property
    def team_state(self) -> Path:
        """What the reconciler knows, uids above all; root's alone."""
        return self.root / "team_sync" / "state.json"

    @property
    def team_archive(self) -> Path:
        """The homes of people who left; root's alone."""
        return self.root / "team_sync" / "archive"

    @property
    def cache(self) -> Path:
        return self.root / "cache" / "archives"

    @property
    def run(self) -> Path:
        """A directory, or a link to a short one where the full path would be too long for a socket."""
        return self.root / "run"

    @property
    def rpc_socket(self) -> Path:
        return self.run / "rpc.sock"

    @property
    def http_socket(self) -> Path:
        """The HTTP edge: webhooks, metrics, health."""
        return self.run / "http.sock"

    @property
    def broker_socket(self) -> Path:
        """Where the broker of a rootless box answers; a system box's has a folder of its own."""
        return self.run / "broker.sock"

    @property
    def longest_socket(self) -> int:
        """Bytes that the longest name of a socket in `run` takes."""
        return max(len(path.name) for path in (self.rpc_socket, self.http_socket, self.broker_socket))

    @property
    def broker(self) -> Path:
        """What the broker of a rootless box keeps: org keys above all; for its owner's eyes only."""
        return self.root / "secrets" / "broker"

    @property
    def forge_token(self) -> Path:
        """The box's own token for its forge; for its owner's eyes only."""
        return self.root / "secrets" / "forge_token"

    @property
    def hook_key(self) -> Path:
        """What the secrets of webhooks are derived from; for its owner's eyes only."""
        return self.root / "secrets" / "hook_key"

    @property
    def log(self) -> Path:
        return self.root / "var" / "log"

    @property
    def database(self) -> Path:
        return self.root / "var" / "events.sqlite"

    @property
    def web(self) -> Path:
        """What the cockpit in the browser keeps on a rootless box; for its owner's eyes only."""
        return self.root / "secrets" / "web"

    @property
    def homes(self) -> Path:
        return self.root / "home"

    def slot(self, user: str) -> SlotPaths:
        return SlotPaths(self.homes / user / "hero")
