"""The demo's team repo, and the manifests of its slots."""

from __future__ import annotations

from backends.model.errors import HeroError
from backends.model.team import TeamRepo, load_team, render_manifest
from hero_tui.demo_box.catalogue import ORG, PEOPLE, SERVICES, TRUNK

TEAM_REPO = f"{ORG}/hero_team"
DEVELOPERS = ("alice", "mik", "thabet")

_TEAM = f"""schema = 1
name = "Hero"
trunk = "{TRUNK}"
box = "demo"
allowed_groups = ["hero"]
admins = ["alice"]

[forge]
kind = "folder"
"""

_POLICY = """schema = 1

[[rule]]
action = "slot.*"
actor = "owner"
radius = "low"

[[rule]]
action = "slot.*"
actor = "agent"
radius = "low"

[[rule]]
action = "peek.*"
actor = "any"
radius = "low"
"""


def team_files() -> dict[str, str]:
    """The text of each file of the team repo, by path. Raises HeroError when they do not hold together."""
    files = {
        "team.toml": _TEAM,
        "services.toml": _services(),
        "policy.toml": _POLICY,
        "manifest_templates/developer.toml": _template("release"),
        "manifest_templates/integration.toml": _template("release"),
    }
    files |= {f"users/{name}.toml": _user(name) for name in PEOPLE}
    _, problems = load_team(files)
    if problems:
        raise HeroError("internal", "The demo's team repo is wrong: " + "; ".join(str(one) for one in problems))
    return files


def team() -> TeamRepo:
    """The team repo as the daemons will read it."""
    return load_team(team_files())[0]


def seeded_manifest(user: str) -> str:
    """The manifest that a new slot of `user` gets from its role's template."""
    repo = team()
    person = repo.users[user]
    return render_manifest(repo.templates[person.role], person)


def _services() -> str:
    entries = [
        f'[[service]]\nname = "{one.name}"\nrepo = "{one.repo}"\nshort = "{one.short}"\n'
        f"core = {'true' if one.core else 'false'}\n"
        for one in SERVICES
    ]
    return "schema = 1\n\n" + "\n".join(entries)


def _template(source: str) -> str:
    bindings = [f'[[bind]]\nservice = "{one.name}"\nbranch = "{TRUNK}"\nfrom = "{source}"\n' for one in SERVICES]
    return "schema = 1\n\n" + "\n".join(bindings)


def _user(name: str) -> str:
    role = "integration" if name == "integration" else "developer"
    lines = ["schema = 1", f'full_name = "{PEOPLE[name]}"', f'role = "{role}"', 'groups = ["hero"]']
    if name != "integration":
        lines += [f'branch_suffix = "{name}"', f'forge_user = "{name}"']
    return "\n".join(lines) + "\n"
