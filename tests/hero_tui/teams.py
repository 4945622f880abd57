"""A made-up team and a made-up examination, and what answers for them in the place of files and daemons."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backends.model.errors import HeroError
from backends.model.health_report import HealthFinding, HealthMend
from backends.model.team import load_team
from backends.model.team_calls import TeamAction, TeamDiff, TeamDifference, TeamRun, TeamStatus, TeamUser
from screens.examination import Ill, Job, Looked, Plan
from screens.team_view import TeamLook

COMMIT = "5e1f0a9c" * 5


def key_of(name: str) -> str:
    """A public key that is one, of `name`."""
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + name.encode().ljust(32, b"\7")
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {name}@laptop"


TEAM = """schema = 1
name = "Lhumina"
box = "demo"
admins = ["thabet"]
allowed_groups = ["docker", "video"]
[forge]
kind = "folder"
[limits]
memory = "8G"
"""


def user_file(name: str, role: str = "developer", more: str = "") -> str:
    """A file of the team repo."""
    key = key_of(name.split()[0].lower())
    return f'schema = 1\nfull_name = "{name}"\nrole = "{role}"\nssh_keys = ["{key}"]\n{more}'


SERVICES = """schema = 1
[[service]]
name = "hero_db"
repo = "lhumina_code/hero_db"
short = "db"
colour = "red"
"""

FILES: Mapping[str, str] = {
    "team.toml": TEAM,
    "services.toml": SERVICES,
    "manifest_templates/developer.toml": "schema = 1\n",
    "manifest_templates/integration.toml": "schema = 1\n",
    "users/alice.toml": user_file("Alice Okafor", more='groups = ["docker", "video"]\n'),
    "users/integration.toml": 'schema = 1\nfull_name = "Integration"\nrole = "integration"\n',
    "users/mik.toml": user_file("Mik Lindqvist", more='[peek]\nlogs = "none"\n[limits]\ncpu = "400%"\n'),
    "users/thabet.toml": user_file("Thabet Haddad", role="developper"),
    "users/zoe.toml": user_file("Zoë Brandt"),
}


def action(user: str, sentence: str, ok: bool | None = True, error: str = "") -> TeamAction:
    """One thing that was done, or was not."""
    return TeamAction(kind="set_keys", user=user, sentence=sentence, ok=ok, error=error)


LAST = TeamRun(
    commit=COMMIT,
    started_at="2026-11-20T09:58:00+00:00",
    seconds=0.42,
    actions=(
        action("alice", "put alice in video"),
        action("mik", "limit mik to CPUQuota=400%", False, "user-20002.slice is not there"),
    ),
    problems=('users/thabet.toml:3:1 role: found "developper", expected a role; did you mean `developer`?',),
)


def some_look(files: Mapping[str, str] = FILES, **status: Any) -> TeamLook:
    """A system box's: thabet's file has a flaw, zoë is new, bob is on the way out."""
    repo, problems = load_team(dict(files))
    excerpts: dict[str, dict[int, str]] = {}
    for one in problems:
        lines = files[one.file].splitlines() if one.file in files else []
        near = range(max(1, one.line - 2), min(len(lines), one.line + 2) + 1)
        excerpts.setdefault(one.file, {}).update({number: lines[number - 1][:60] for number in near})
    users = (
        TeamUser(user="alice", uid=20001, phase="here", role="developer", secrets="lhumina_code/alice_secrets"),
        TeamUser(user="bob", uid=20005, phase="leaving", role="developer", archive="bob-20261119T1200.tar.zst"),
        TeamUser(user="integration", uid=20000, phase="here", role="integration"),
        TeamUser(user="mik", uid=20002, phase="here", role="developer"),
        TeamUser(user="thabet", uid=20003, phase="here", role="developer"),
    )
    known: dict[str, Any] = {
        "commit": COMMIT,
        "branch": "development",
        "repo": "lhumina_code/hero_team",
        "interval": 300.0,
        "last": LAST,
        "users": users,
    }
    told = TeamStatus.model_validate(known | status)
    return TeamLook(repo, problems, COMMIT, ("alice", "mik"), True, told, excerpts=excerpts)


def rootless_look() -> TeamLook:
    """A rootless box's: mik has no slot yet, guest has one and no file."""
    look = some_look(
        {name: text for name, text in FILES.items() if name not in ("users/thabet.toml", "users/zoe.toml")}
    )
    return replace(look, reconciled=False, status=None, slots=("alice", "guest", "integration"))


PLAN = TeamRun(
    commit="77aa88bb" * 5,
    moved_from=COMMIT,
    actions=(
        action("zoe", "make the account zoe (Zoë Brandt) with uid 20006", None),
        action("zoe", "write 1 key of the team repo to zoe's authorized_keys", None),
        action("mik", "limit mik to CPUQuota=400%", None),
    ),
    problems=("users/zoe.toml: zoe is not put in the group docker, which is not on this machine.",),
)

DIFF = TeamDiff(
    commit=COMMIT,
    differences=(
        TeamDifference(
            user="mik",
            wanted=("role: developer", "group: hero-team", "limit: CPUQuota=400%", "limit: MemoryMax=8000000000"),
            there=("role: developer", "group: docker", "group: hero-team", "limit: MemoryMax=8000000000"),
        ),
        TeamDifference(
            user="zoe",
            wanted=("account: there", "home: there"),
            there=("account: not ours", "home: foreign"),
            why="there is an account zoe already (uid 1004) that the team repo did not make.",
        ),
    ),
)


@dataclass
class FakeTeam:
    """Whoever knows the team; a test changes the answers, an error is raised, a future is waited for."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def look(self) -> TeamLook:
        found: TeamLook = await self._answer("look", some_look())
        return found

    async def plan(self) -> TeamRun:
        found: TeamRun = await self._answer("plan", PLAN)
        return found

    async def diff(self) -> TeamDiff:
        found: TeamDiff = await self._answer("diff", DIFF)
        return found

    async def _answer(self, what: str, usual: object) -> Any:
        self.asked.append(what)
        answer = self.answers.get(what, usual)
        if isinstance(answer, asyncio.Future):
            answer = await answer
        if isinstance(answer, HeroError):
            raise answer
        return answer


# -- the doctor -----------------------------------------------------------------------------------------


def finding(id: str, state: str, what: str, slot: str = "", **fields: Any) -> HealthFinding:
    """What a check found."""
    known = {"id": id, "group": id.partition(".")[0], "title": id.partition(".")[2], "slot": slot}
    return HealthFinding.model_validate({**known, "state": state, "what": what, **fields})


LOCK = finding(
    "git.locks",
    "warn",
    "A lock of a git that has ended is in hero_web.git: config.lock, 3 h old.",
    "alice",
    title="locks",
    why="Every fetch of the repository fails until it is gone.",
    mend="rm ~/hero/src/.repos/lhumina_code/hero_web.git/config.lock",
    fixable=True,
)
TREE = finding(
    "git.worktrees",
    "bad",
    "The worktree of hero_db on development_mik has lost its repository.",
    "mik",
    title="worktrees",
    why="Nothing can be built or committed there; the files are whole.",
    mend="git worktree repair",
    fixable=True,
)
SPACE = finding(
    "disk.space",
    "bad",
    "/srv/box has 0.4 GiB free of 252.0 GiB (0 %); the most is in /srv/box/cache (12.0 GiB).",
    title="room on disks",
    why="A full disk stops builds, logs and installs; nothing that is there is lost.",
    mend="du -xh --max-depth=3 /srv/box | sort -h | tail -20, and remove what nobody needs",
)


COLOURS = finding(
    "terminal.colours",
    "warn",
    "TERM is screen.",
    "alice",
    title="colours",
    why="Few colours.",
    mend="export TERM=tmux-256color",
)


def job_of(one: HealthFinding) -> Job:
    """The check that found it."""
    return Job(one.id, one.slot, one.group, one.title)


def some_looked() -> list[Looked]:
    """An examination: two bad things, two to look at, the rest well."""
    found = [
        finding("box.file", "ok", "/srv/box/box.toml holds: box demo, rootless.", title="box.toml"),
        finding("box.reconciler", "skipped", "a rootless box has no accounts to reconcile", title="reconciler"),
        SPACE,
        finding("forge.reachable", "ok", "The forge is the folder /srv/box/forge.", title="forge"),
        finding("slot.manifest", "ok", "dev_manifest.toml holds.", "alice", title="manifest"),
        LOCK,
        COLOURS,
        finding("slot.manifest", "ok", "dev_manifest.toml holds.", "mik", title="manifest"),
        TREE,
    ]
    return [Looked(job_of(one), (one,)) for one in found]


@dataclass
class FakeDoctor:
    """Whoever looks and mends. `held` are checks that are not done before they are told by `let`."""

    looked: list[Looked] = field(default_factory=some_looked)
    held: set[str] = field(default_factory=set)
    problem: HeroError | None = None
    runs: int = 0
    mended: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def let(self, id: str) -> None:
        """Have the check be done."""
        self.held.discard(id)
        self.news.set()

    async def examine(self) -> AsyncGenerator[Plan | Looked, None]:
        self.runs += 1
        if self.problem:
            raise self.problem
        yield Plan(tuple(one.job for one in self.looked))
        waiting = list(self.looked)
        while waiting:
            done = [one for one in waiting if one.job.id not in self.held]
            for one in done:
                waiting.remove(one)
                yield one
            if waiting:
                self.news.clear()
                await self.news.wait()

    async def mend(self, ill: Sequence[Ill]) -> AsyncGenerator[HealthMend, None]:
        for one in ill:
            done = one.finding.id not in self.failing
            self.mended.append(f"{one.finding.id} {one.finding.slot}".strip())
            what = "Removed config.lock." if done else "Somebody has taken the lock."
            if done:
                well = one.finding.model_copy(
                    update={"state": "ok", "fixable": False, "what": "All is well.", "why": "", "mend": ""}
                )
                self.looked = [Looked(each.job, (well,)) if each.job == one.job else each for each in self.looked]
            yield HealthMend(id=one.finding.id, slot=one.finding.slot, done=done, what=what)
