"""From the team repo to what is wanted of this machine."""

from __future__ import annotations

from backends.model.team import TeamRepo, render_manifest
from backends.model.team_files import TeamConfig, UserFile
from backends.system_box import TEAM_GROUP
from backends.team.rendered import render_keys
from backends.team.values import INTEGRATION, Desired, Wanted

_USERS = "users/"


def desired_of(repo: TeamRepo, organisation: str = "") -> Desired:
    """Everybody whom `repo` wants an account for.

    With an `organisation`, everybody but the integration slot gets a repository in it for their secrets.
    """
    if repo.team is None:
        return Desired()
    team = repo.team
    users = {
        login: _wanted(login, user, team, repo, organisation) for login, user in repo.users.items() if user.enabled
    }
    return Desired(True, users, _stopped(repo), frozenset({TEAM_GROUP, *team.allowed_groups}))


def _wanted(login: str, user: UserFile, team: TeamConfig, repo: TeamRepo, organisation: str) -> Wanted:
    template = repo.templates.get(user.role)
    secrets = f"{organisation}/{login}_secrets" if organisation and login != INTEGRATION else ""
    return Wanted(
        login=login,
        full_name=user.full_name,
        role=user.role,
        groups=frozenset({TEAM_GROUP, *user.groups}),
        keys=render_keys(user.ssh_keys),
        strict=team.authorized_keys.foreign_keys == "refuse",
        limits=user.limits.over(team.limits),
        manifest=render_manifest(template, user) if template else None,
        secrets=secrets,
        forge_user=user.forge_user or login,
    )


def _stopped(repo: TeamRepo) -> frozenset[str]:
    names = {path.removeprefix(_USERS).removesuffix(".toml") for path in repo.stopped if path.startswith(_USERS)}
    return frozenset(names)
