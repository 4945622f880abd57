"""What the team repo wants of a machine, and what the machine is: two values that a plan is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from backends.model.frozen import Frozen
from backends.model.team_files import Limits
from backends.system_box import TEAM_GROUP

INTEGRATION = "integration"
"""The slot that builds the trunk; it comes before everybody."""

Phase = Literal["here", "leaving", "packed", "archived"]
"""Where a user stands: `leaving` is locked, `packed` has a verified archive, `archived` has no home any more."""

Home = Literal["there", "none", "foreign"]
"""`foreign`: something is at the home's path that is no folder of this user."""


class Record(Frozen):
    """What the reconciler remembers of a user, for ever: the login keeps its `uid`.

    `keys` is the digest of the keys that were written last, `keys_seen` what the file looked like then; `groups`
    are those that we put the user in; `archive` is the newest archive's file name.
    """

    uid: int
    phase: Phase = "here"
    role: str = ""
    seeded: bool = False
    kept: bool = False
    groups: tuple[str, ...] = ()
    keys: str = ""
    keys_seen: str = ""
    secrets: str = ""
    secrets_tried: float = 0.0
    archive: str = ""


@dataclass(frozen=True)
class Wanted:
    """A user as the team repo has it.

    `keys` are lines of authorized_keys, and `strict` says that no others may be there; `manifest` is the text that
    a new slot begins with, None where its role's template cannot be used; `secrets` the repository to make, or "",
    and `forge_user` who writes to it.
    """

    login: str
    full_name: str
    role: str
    groups: frozenset[str] = frozenset({TEAM_GROUP})
    keys: tuple[str, ...] = ()
    strict: bool = False
    limits: Limits = field(default_factory=Limits)
    manifest: str | None = None
    secrets: str = ""
    forge_user: str = ""


@dataclass(frozen=True)
class Desired:
    """Everybody who is wanted. Not `usable`: there is no team.toml to go by, and nothing is to be done.

    Nothing of `stopped` logins changes: their files are there and cannot be used. `managed` are the groups that
    users are put in and taken out of.
    """

    usable: bool = False
    users: Mapping[str, Wanted] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()
    managed: frozenset[str] = frozenset({TEAM_GROUP})


@dataclass(frozen=True)
class Account:
    """An account of the machine, whoever made it. `groups` are the supplementary ones, by name."""

    uid: int
    home: str = ""
    shell: str = "/bin/bash"
    locked: bool = False
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ActualUser:
    """What there is of one login.

    `slot`: ~/hero is there with the link to its sockets. `keys` is the digest of the keys in force and
    `keys_seen` what their file looks like; `sockets` and `limits` are the texts of our files in /etc, "" where
    what they describe is not there. `archive_there`: the record's archive is on this machine. `leftover`: a home
    that was being removed. `secrets_due`: it is time to try to make the repository.
    """

    record: Record | None = None
    account: Account | None = None
    linger: bool = False
    home: Home = "none"
    slot: bool = False
    keys: str = ""
    keys_seen: str = ""
    sockets: str = ""
    limits: str = ""
    archive_there: bool = False
    leftover: bool = False
    secrets_due: bool = True


@dataclass(frozen=True)
class Actual:
    """The machine: users by login, the gid of each group, uids and gids that are taken, shells that may log in.

    `uids` is the range for new users; `router` says that the router's user is there.
    """

    users: Mapping[str, ActualUser] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    taken: frozenset[int] = frozenset()
    owners: Mapping[int, str] = field(default_factory=dict)
    shells: frozenset[str] = frozenset({"/bin/bash"})
    uids: range = range(20_000, 30_000)
    router: bool = True

    def user(self, login: str) -> ActualUser:
        """What there is of `login`; an empty one where there is nothing."""
        return self.users.get(login) or ActualUser()
