"""The team repo as one value: every file that is right, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from backends.model.errors import nearest
from backends.model.manifest import Manifest
from backends.model.manifest_edit import render_binding
from backends.model.names import BadValue, check_login, check_role
from backends.model.policy import Policy
from backends.model.problems import Finding, InvalidFile, Problem, describe, located
from backends.model.team_files import Catalogue, RoleTemplate, TeamConfig, UserFile, refused_groups
from backends.model.toml_layout import lay_out
from backends.model.tomlfile import TomlFile, parse

__all__ = [
    "Catalogue",
    "RoleTemplate",
    "TeamConfig",
    "TeamRepo",
    "UserFile",
    "load_team",
    "refused_groups",
    "render_manifest",
]

TEAM = "team.toml"
SERVICES = "services.toml"
POLICY = "policy.toml"
USERS = "users/"
TEMPLATES = "manifest_templates/"

T = TypeVar("T", bound=TomlFile)


@dataclass(frozen=True)
class TeamRepo:
    """What the team repo says. `users` by login, `templates` by role.

    `stopped` are the paths of files that are there and cannot be used: what they are about stays as it
    is. A user whose file is in it is *not* a user who left (see `is_stopped`). `team` is None without a
    usable team.toml; nothing may be changed by such a repo.
    """

    team: TeamConfig | None = None
    catalogue: Catalogue = field(default_factory=Catalogue)
    users: Mapping[str, UserFile] = field(default_factory=dict)
    templates: Mapping[str, RoleTemplate] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    stopped: frozenset[str] = frozenset()

    def is_stopped(self, login: str) -> bool:
        """Whether the user has a file that cannot be used."""
        return f"{USERS}{login}.toml" in self.stopped


def load_team(files: Mapping[str, str]) -> tuple[TeamRepo, tuple[Problem, ...]]:
    """The team repo in `files` (text by path from the repository's root; other files are ignored).

    A bad file stops only itself: it is in `stopped`, and everything wrong with it is among the problems.
    """
    loader = _Loader(files)
    team = loader.single(TeamConfig, TEAM)
    catalogue = loader.single(Catalogue, SERVICES)
    policy = loader.single(Policy, POLICY) if POLICY in files else None
    templates = loader.folder(RoleTemplate, TEMPLATES, check_role)
    users = loader.folder(UserFile, USERS, check_login)
    if catalogue:
        loader.judge(templates, TEMPLATES, lambda one: _unknown_services(one, catalogue))
    roles = {*templates, *(_stem(path, TEMPLATES) for path in loader.stopped if path.startswith(TEMPLATES))}
    if policy and (findings := list(_grants_to_nobody(policy, roles))):
        layout = lay_out(files[POLICY])
        loader.stop(POLICY, tuple(located(finding, layout, POLICY) for finding in findings))
        policy = None
    loader.judge(users, USERS, lambda one: chain(_unknown_role(one, roles), _groups_not_allowed(one, team)))
    repo = TeamRepo(
        team=team,
        catalogue=catalogue or Catalogue(),
        users=users,
        templates=templates,
        policy=policy or Policy(),
        stopped=frozenset(loader.stopped),
    )
    return repo, tuple(sorted(loader.problems, key=lambda one: (one.file, one.line, one.column)))


def render_manifest(template: RoleTemplate, user: UserFile) -> str:
    """The text of a new slot's manifest: the template's bindings under a header that says whose it is now."""
    header = (
        "# What this slot runs. It is yours: edit it here, or with `hero_dev switch`, `bind` and `unbind`.\n"
        f'# It began as the template of the role "{user.role}"; the team repo does not write to it again.\n'
        "schema = 1\n"
        "\n"
        "[claude]\n"
        'preference = "auto"  # auto | personal | org\n'
    )
    text = "\n".join([header, *(render_binding(binding) for binding in template.bind)])
    parse(Manifest, text, "dev_manifest.toml")
    return text


class _Loader:
    """Reads the files one by one and collects what is wrong."""

    def __init__(self, files: Mapping[str, str]):
        self.files = files
        self.problems: list[Problem] = []
        self.stopped: set[str] = set()

    def stop(self, path: str, problems: tuple[Problem, ...]) -> None:
        self.stopped.add(path)
        self.problems += problems

    def read(self, model: type[T], path: str) -> T | None:
        try:
            return parse(model, self.files[path], path)
        except InvalidFile as error:
            self.stop(path, error.problems)
            return None

    def single(self, model: type[T], path: str) -> T | None:
        if path in self.files:
            return self.read(model, path)
        self.problems.append(Problem(path, 0, 0, "", "no such file", "one in every team repo"))
        return None

    def folder(self, model: type[T], folder: str, check: Callable[[str], str]) -> dict[str, T]:
        """The files of a folder by their name, which `check` must take."""
        found = {}
        for path in sorted(self.files):
            name = _stem(path, folder)
            if name is None:
                continue
            try:
                check(name)
            except BadValue as error:
                finding = Finding((), describe(error.found), error.expected)
                self.stop(path, (located(finding, None, path),))
                continue
            content = self.read(model, path)
            if content is not None:
                found[name] = content
        return found

    def judge(self, read: dict[str, T], folder: str, rule: Callable[[T], Iterator[Finding]]) -> None:
        """Take those out of `read` in which `rule`, which looks at other files, finds something."""
        for name, content in list(read.items()):
            path = f"{folder}{name}.toml"
            findings = list(rule(content))
            if findings:
                layout = lay_out(self.files[path])
                self.stop(path, tuple(located(finding, layout, path) for finding in findings))
                del read[name]


def _stem(path: str, folder: str) -> str | None:
    """The name of a `.toml` file directly in `folder`; None for any other path."""
    name = path.removeprefix(folder)
    if name == path or "/" in name or not name.endswith(".toml"):
        return None
    return name.removesuffix(".toml")


def _unknown_services(template: RoleTemplate, catalogue: Catalogue) -> Iterator[Finding]:
    known = [service.name for service in catalogue.services]
    for index, binding in enumerate(template.bind):
        if binding.service not in known:
            yield _unknown(("bind", index, "service"), binding.service, f"a service of {SERVICES}", known)


def _unknown_role(user: UserFile, roles: set[str | None]) -> Iterator[Finding]:
    known = sorted(role for role in roles if role)
    if user.role not in known:
        yield _unknown(("role",), user.role, f"a role with a file in {TEMPLATES}", known)


def _grants_to_nobody(policy: Policy, roles: set[str | None]) -> Iterator[Finding]:
    """A role that is spelled wrongly would leave the right one with every tool."""
    known = sorted(role for role in roles if role)
    for index, grant in enumerate(policy.agent_tools):
        if grant.role not in known:
            yield _unknown(("agent_tools", index, "role"), grant.role, f"a role with a file in {TEMPLATES}", known)


def _groups_not_allowed(user: UserFile, team: TeamConfig | None) -> Iterator[Finding]:
    if team is None:
        return
    for group in refused_groups(user, team):
        place = ("groups", user.groups.index(group))
        yield _unknown(place, group, f"a group that {TEAM} allows", team.allowed_groups)


def _unknown(path: tuple[str | int, ...], name: str, expected: str, known: Iterable[str]) -> Finding:
    return Finding(path, describe(name), expected, *nearest(name, known, limit=1))
