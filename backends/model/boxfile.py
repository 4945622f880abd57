"""`box.toml`: what a box is called, of which kind it is, where its forge and team repo are, what it may use."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic import Strict as Strictness

from backends.model.durations import Seconds
from backends.model.field_types import BranchName, Moment, RepoName
from backends.model.names import BadValue, check_role
from backends.model.team_files import ForgeAddress
from backends.model.tomlfile import Strict, TomlFile

SHORTEST_INTERVAL = 10.0
"""Seconds between two looks of the reconciler at the forge, at least."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _check_interval(seconds: float) -> float:
    if seconds < SHORTEST_INTERVAL:
        raise BadValue(seconds, 'at least "10s"')
    return seconds


def _check_signers(path: str) -> str:
    if path and not path.startswith("/"):
        raise BadValue(path, "the whole path of a file, beginning with `/`")
    return path


def _check_web_address(url: str) -> str:
    """`url` without its last slash."""
    if not url:
        return url
    try:
        parts = urlsplit(url)
        plain = parts.port != 0 and url.isprintable() and " " not in url and "@" not in parts.netloc
    except ValueError:
        plain = False
    if not (plain and parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")):
        raise BadValue(
            "(not shown)" if "@" in url else url, "an http(s) address of a host, like https://box.example"
        )
    if parts.query or parts.fragment:
        raise BadValue(url, "an http(s) address of a host, without `?` and `#`")
    return url.rstrip("/")


class Edge(Strict):
    """`[edge]`: the box's HTTP side. `listen` is a loopback address besides the socket, like `127.0.0.1:8787`;
    `url` is what the forge is told to call, as it is seen from there."""

    listen: str = ""
    url: str = ""


class Router(Strict):
    """`[router]`: `url` is the address by which people reach the box's services, like `https://box.example`; none
    where the box has no router."""

    url: Annotated[str, AfterValidator(_check_web_address)] = ""


class Builds(Strict):
    """`[builds]`. `at_once`: builds at the same time at most; 0 lets cores and memory decide."""

    at_once: int = Field(default=0, ge=0, le=64)


class TeamSync(Strict):
    """`[team_sync]`: what the reconciler of a system box asks of the team repo, which so cannot say it itself.

    `interval` in seconds between two looks. `branch`: of the team repo; none: the one that the forge's HEAD was on
    first. `signers`: a file of git's allowed signers, one of whom has to have signed each commit that is followed.
    `require_protection`: the branch must be protected on the forge.
    """

    interval: Annotated[Seconds, AfterValidator(_check_interval)] = 300.0
    branch: BranchName | None = None
    signers: Annotated[str, AfterValidator(_check_signers)] = ""
    require_protection: bool = False


def _check_upstream(url: str) -> str:
    found = _check_web_address(url)
    if found.startswith("https://") or urlsplit(found).hostname in _LOOPBACK:
        return found
    raise BadValue(found, "an https address, for the org's keys go there")


class Claude(Strict):
    """`[claude]`: how a session gets an org key.

    `hand_over`: "relay" keeps the key in the broker, which passes the session's requests on to `upstream`; "key"
    gives the session the key itself.
    """

    hand_over: Literal["relay", "key"] = "relay"
    upstream: Annotated[str, AfterValidator(_check_upstream)] = "https://api.anthropic.com"


def _check_levels(levels: tuple[float, float]) -> tuple[float, float]:
    if not 0 < levels[0] <= levels[1]:
        wanted = "two rising numbers, like [85, 95]: where a warning begins, and where it is bad"
        raise BadValue(list(levels), wanted)
    return levels


Levels = Annotated[tuple[float, float], Strictness(strict=False), AfterValidator(_check_levels)]
"""Where a warning begins, and where it is bad."""


class Host(Strict):
    """`[host]`: when the machine warns. `disk`, `inodes`, `memory` and `swap` in percent, `load` per core.

    `measure` in seconds between two measurements of what takes the disks' room; 0: only when somebody asks.
    """

    disk: Levels = (85.0, 95.0)
    inodes: Levels = (85.0, 95.0)
    memory: Levels = (90.0, 97.0)
    swap: Levels = (60.0, 90.0)
    load: Levels = (2.0, 4.0)
    measure: Seconds = 6 * 3600.0


def _check_login_time(seconds: float) -> float:
    if not 60.0 <= seconds <= 7 * 86400.0:
        raise BadValue(seconds, 'between "1m" and "7d"')
    return seconds


class Web(Strict):
    """`[web]`: the cockpit in the browser. `oauth_client`: the id under which the forge knows it; none: nobody can
    sign in by the forge. `roles`: whose people are let in; none: everybody of the team repo.

    `tabs` and `tabs_each`: cockpits that are open at the same time, all together and one person's. `idle` is in
    seconds without a key or the mouse until one is closed, `login` until a person has to sign in again.
    """

    oauth_client: Annotated[str, Field(pattern=r"^[\x21-\x7e]{0,200}$")] = ""
    roles: tuple[Annotated[str, AfterValidator(check_role)], ...] = Field(default=(), strict=False)
    tabs: int = Field(default=12, ge=1, le=500)
    tabs_each: int = Field(default=4, ge=1, le=100)
    idle: Annotated[Seconds, AfterValidator(_check_login_time)] = 30 * 60.0
    login: Annotated[Seconds, AfterValidator(_check_login_time)] = 12 * 3600.0


class BoxFile(TomlFile):
    """The box's own file. `kind`: a "rootless" box is one folder of one user, on a "system" box every slot is a
    Linux account. `team_repo` is the `<organisation>/<name>` of the team repo in the box's forge."""

    name: str
    created: Moment
    kind: Literal["rootless", "system"] = "rootless"
    team_repo: RepoName = "lhumina_code/hero_team"
    forge: ForgeAddress = ForgeAddress(kind="folder")
    edge: Edge = Edge()
    router: Router = Router()
    builds: Builds = Builds()
    team_sync: TeamSync = TeamSync()
    claude: Claude = Claude()
    host: Host = Host()
    web: Web = Web()


def render_boxfile(name: str, created: datetime, team_repo: str) -> str:
    """The text of a new box's `box.toml`."""
    moment = created.replace(microsecond=0).isoformat()
    return f'schema = 1\nname = "{name}"\ncreated = {moment}\nteam_repo = "{team_repo}"\n'
