"""What the reconciler can do to a machine: one frozen value an action, with a sentence for people."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from backends.model.team_calls import TeamAction
from backends.model.team_files import Limits
from backends.model.text import safe_line
from backends.team.rendered import slice_settings

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True)
class Action:
    """Something to do for `user`. `sentence` says it to people; doing it a second time does nothing."""

    user: str

    @property
    def kind(self) -> str:
        """The action's stable name, like `create_account`."""
        return _WORD.sub("_", type(self).__name__).lower()

    @property
    def sentence(self) -> str:
        raise NotImplementedError

    def told(self, ok: bool | None = None, error: str = "") -> TeamAction:
        """The action as it crosses a socket; `ok` and `error` say how it went."""
        detail = {name: value for name, value in self.detail().items() if name != "user"}
        sentence = safe_line(self.sentence, 500)
        return TeamAction(
            kind=self.kind, user=self.user, sentence=sentence, detail=detail, ok=ok, error=safe_line(error, 1000)
        )

    def detail(self) -> dict[str, Any]:
        """What programs are told of it."""
        return asdict(self)


@dataclass(frozen=True)
class CreateAccount(Action):
    uid: int
    full_name: str
    role: str
    shell: str

    @property
    def sentence(self) -> str:
        return f"make the account {self.user} ({self.full_name}) with uid {self.uid}"


@dataclass(frozen=True)
class UnlockAccount(Action):
    shell: str

    @property
    def sentence(self) -> str:
        return f"unlock the account {self.user}"


@dataclass(frozen=True)
class SetShell(Action):
    shell: str

    @property
    def sentence(self) -> str:
        return f"give {self.user} the shell {self.shell}"


@dataclass(frozen=True)
class SetGroups(Action):
    add: tuple[str, ...]
    remove: tuple[str, ...]

    @property
    def sentence(self) -> str:
        parts = [f"put {self.user} in {', '.join(self.add)}"] if self.add else []
        parts += [f"take {self.user} out of {', '.join(self.remove)}"] if self.remove else []
        return " and ".join(parts)


@dataclass(frozen=True)
class ChangeRole(Action):
    before: str
    role: str

    @property
    def sentence(self) -> str:
        return f"note that {self.user} is now {self.role} (was {self.before}); the manifest stays as it is"


@dataclass(frozen=True)
class RestoreHome(Action):
    archive: str

    @property
    def sentence(self) -> str:
        return f"bring back {self.user}'s home from {self.archive}"


@dataclass(frozen=True)
class MakeHome(Action):
    fresh: bool

    @property
    def sentence(self) -> str:
        return f"make {self.user}'s home and ~/hero" if self.fresh else f"put {self.user}'s ~/hero right"


@dataclass(frozen=True)
class SeedManifest(Action):
    role: str

    @property
    def sentence(self) -> str:
        return f"begin {self.user}'s manifest from the template of {self.role}, unless there is one"


@dataclass(frozen=True)
class SetKeys(Action):
    count: int
    strict: bool

    @property
    def sentence(self) -> str:
        keys = "1 key" if self.count == 1 else f"{self.count} keys"
        others = "; others are taken out" if self.strict else ""
        return f"write {keys} of the team repo to {self.user}'s authorized_keys{others}"


@dataclass(frozen=True)
class MakeSockets(Action):
    router: bool

    @property
    def sentence(self) -> str:
        return f"make the folder for {self.user}'s sockets"


@dataclass(frozen=True)
class SetLimits(Action):
    uid: int
    limits: Limits

    @property
    def sentence(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in slice_settings(self.limits).items())
        return f"limit {self.user} to {settings}" if settings else f"take {self.user}'s limits away"

    def detail(self) -> dict[str, Any]:
        return {"uid": self.uid, **slice_settings(self.limits)}


@dataclass(frozen=True)
class EnableLinger(Action):
    @property
    def sentence(self) -> str:
        return f"have {self.user}'s services run without a login"


@dataclass(frozen=True)
class MakeSecretsRepository(Action):
    repo: str

    @property
    def sentence(self) -> str:
        return f"make the private repository {self.repo}"


@dataclass(frozen=True)
class LockAccount(Action):
    @property
    def sentence(self) -> str:
        return f"lock the account {self.user}"


@dataclass(frozen=True)
class EndSessions(Action):
    uid: int

    @property
    def sentence(self) -> str:
        return f"end {self.user}'s sessions, services and processes"


@dataclass(frozen=True)
class ArchiveHome(Action):
    @property
    def sentence(self) -> str:
        return f"archive {self.user}'s home, unpushed work included, and verify the archive"


@dataclass(frozen=True)
class RemoveHome(Action):
    uid: int

    @property
    def sentence(self) -> str:
        return f"remove {self.user}'s home, of which there is a verified archive"
