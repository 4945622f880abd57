"""The team repo: right files count, wrong ones stop only themselves."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.manifest import Manifest
from backends.model.policy import DEFAULT_RULE, radius_of
from backends.model.problems import Problem
from backends.model.team import TeamConfig, TeamRepo, UserFile, load_team, refused_groups, render_manifest
from backends.model.team_files import ForgeAddress
from backends.model.tomlfile import InvalidFile, parse

BLOB = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32)).decode()
USER = f"""schema = 1
full_name = "Sara Ünal"
role = "developer"
enabled = true
ssh_keys = ["ssh-ed25519 {BLOB} sara@laptop"]
groups = ["hero"]
branch_suffix = "sara"
forge_user = "sara"
[claude_org_key]
enabled = true
key_secret_name = "ORG_CLAUDE_KEY_2"
[peek]
logs = "none"
"""
FILES = {
    "team.toml": """schema = 1
name = "lhumina"
box = "box-1"
allowed_groups = ["hero", "docker"]
admins = ["sara"]
[forge]
kind = "forgejo"
url = "https://forge.example:3000/x"
""",
    "services.toml": """schema = 1
[[service]]
name = "hero_router"
repo = "lhumina_code/hero_router"
short = "router"
core = true
[[service]]
name = "hero_db"
repo = "lhumina_code/hero_db"
short = "db"
""",
    "policy.toml": 'schema = 1\n[[rule]]\naction = "*"\nradius = "low"\n',
    "users/sara.toml": USER,
    "users/integration.toml": 'schema = 1\nfull_name = "Trunk"\nrole = "developer"\n',
    "manifest_templates/developer.toml": """schema = 1
[[bind]]
service = "hero_router"
branch = "development"
from = "release"
[[bind]]
service = "hero_db"
branch = "development"
from = "build"
auto_rebuild = true
""",
    "README.md": "# not a file of ours",
    "users/notes/x.toml": "neither",
}


def load(**changed: str | None) -> tuple[TeamRepo, tuple[Problem, ...]]:
    names = {name.replace("/", "_").replace(".", "_"): name for name in FILES}
    files = {**FILES, **{names[key]: text for key, text in changed.items()}}
    return load_team({name: text for name, text in files.items() if text is not None})


def test_a_good_repo_is_read_whole() -> None:
    repo, problems = load()
    assert problems == ()
    assert repo.team
    assert repo.team.trunk == "development"
    assert sorted(repo.users) == ["integration", "sara"]
    sara = repo.users["sara"]
    assert sara.claude_org_key
    assert sara.claude_org_key.names == ("ORG_CLAUDE_KEY_2",)
    assert (sara.peek.logs, repo.users["integration"].peek.logs) == ("none", "team")
    service = repo.catalogue.service("hero_router")
    assert service
    assert service.core
    assert repo.catalogue.service("x") is None
    assert radius_of(repo.policy, "x", "any").radius == "low"
    assert repo.stopped == frozenset()


def test_a_service_names_the_platforms_that_its_releases_need() -> None:
    wanted = FILES["services.toml"].replace("core = true", 'platforms = ["linux-musl-x86_64", "any"]')
    repo, problems = load(services_toml=wanted)
    assert problems == ()
    assert [one.platforms for one in repo.catalogue.services] == [("linux-musl-x86_64", "any"), ()]
    _, (problem,) = load(services_toml=wanted.replace('"any"', '"../any"'))
    assert "services.toml" in str(problem)
    assert "platforms[1]" in str(problem)


def test_a_bad_user_file_stops_that_user_and_is_not_a_user_who_left() -> None:
    repo, problems = load(users_sara_toml=USER.replace("enabled = true", "enabeld = true", 1))
    assert sorted(repo.users) == ["integration"]
    assert repo.is_stopped("sara")
    assert not repo.is_stopped("integration")
    (problem,) = problems
    assert str(problem) == "users/sara.toml:4:1 enabeld: unknown key; did you mean `enabled`?"


@pytest.mark.parametrize(
    ("old", "new", "key", "line"),
    [
        ('["hero"]', '["docker", "sudo"]', "groups[1]", 6),
        ('"developer"', '"develoepr"', "role", 3),
        ('"developer"', '"../x"', "role", 3),
        ("ssh-ed25519 ", "no-pty ssh-ed25519 ", "ssh_keys[0]", 5),
        ('"Sara Ünal"', '"Sara\\nroot"', "full_name", 2),
        ('branch_suffix = "sara"', 'branch_suffix = "a..b"', "branch_suffix", 7),
        ('branch_suffix = "sara"', 'branch_suffix = "a/b"', "branch_suffix", 7),
        ('forge_user = "sara"', 'forge_user = "../x"', "forge_user", 8),
        ('key_secret_name = "ORG_CLAUDE_KEY_2"', "", "claude_org_key.key_secret_names", 9),
        ('logs = "none"', 'logs = "nobody"', "peek.logs", 13),
    ],
)
def test_a_bad_value_of_a_user_is_reported_at_its_line(old: str, new: str, key: str, line: int) -> None:
    assert old in USER
    repo, problems = load(users_sara_toml=USER.replace(old, new))
    assert [(problem.key, problem.line) for problem in problems] == [(key, line)]
    assert repo.stopped == {"users/sara.toml"}


def test_everything_that_other_files_refuse_in_a_user_comes_at_once() -> None:
    _, problems = load(
        users_sara_toml=USER.replace('"developer"', '"devs"').replace('["hero"]', '["sudo", "wheel"]')
    )
    assert [problem.key for problem in problems] == ["role", "groups[0]", "groups[1]"]


def test_both_spellings_of_a_key_name_at_once_are_an_error() -> None:
    both = USER.replace('_2"\n', '_2"\nkey_secret_names = ["ORG_CLAUDE_KEY_3"]\n')
    _, (problem,) = load(users_sara_toml=both)
    assert problem.key == "claude_org_key.key_secret_names"
    many = both.replace('key_secret_name = "ORG_CLAUDE_KEY_2"\n', "")
    key = load(users_sara_toml=many)[0].users["sara"].claude_org_key
    assert key
    assert key.names == ("ORG_CLAUDE_KEY_3",)


def test_a_key_pasted_in_place_of_its_name_is_not_repeated() -> None:
    _, (problem,) = load(users_sara_toml=USER.replace("ORG_CLAUDE_KEY_2", "sk-ant-secret"))
    assert "sk-ant" not in repr(problem)


@pytest.mark.parametrize("name", ["root", "Sara", "a.b", "hero", "-x", "..", ""])
def test_a_file_for_a_login_that_may_not_be_is_reported_and_ignored(name: str) -> None:
    repo, problems = load_team({**FILES, f"users/{name}.toml": USER})
    assert sorted(repo.users) == ["integration", "sara"]
    assert [problem.file for problem in problems] == [f"users/{name}.toml"]
    assert f"users/{name}.toml" in repo.stopped


def test_a_template_with_an_unknown_service_stops_and_its_users_go_on() -> None:
    template = FILES["manifest_templates/developer.toml"].replace('"hero_db"', '"hero_bd"')
    repo, (problem,) = load(manifest_templates_developer_toml=template)
    assert (problem.line, problem.suggestion) == (7, "hero_db")
    assert repo.templates == {}
    assert sorted(repo.users) == ["integration", "sara"]


def test_a_service_or_short_name_used_twice_is_an_error() -> None:
    _, (problem,) = load(services_toml=FILES["services.toml"].replace('"db"', '"router"'))
    assert problem.key == "service[1].short"
    assert "line 5" in problem.expected


def test_a_bad_catalogue_or_team_file_changes_no_other_file() -> None:
    repo, problems = load(services_toml="x", team_toml="schema = 1\n")
    assert {problem.file for problem in problems} == {"services.toml", "team.toml"}
    assert repo.team is None
    assert sorted(repo.users) == ["integration", "sara"]
    assert sorted(repo.templates) == ["developer"]


def test_a_missing_team_file_is_reported_and_a_missing_policy_means_high() -> None:
    repo, (problem,) = load(team_toml=None, policy_toml=None)
    assert str(problem) == "team.toml: found no such file, expected one in every team repo"
    assert radius_of(repo.policy, "slot.switch", "owner") == DEFAULT_RULE


def test_a_bad_policy_means_high_too() -> None:
    repo, problems = load(policy_toml="schema = 1\n[[rule]]\n")
    assert problems
    assert radius_of(repo.policy, "slot.switch", "owner") == DEFAULT_RULE


def test_tools_granted_to_a_role_that_is_spelled_wrongly_are_told_with_the_right_one() -> None:
    grant = 'schema = 1\n\n[[agent_tools]]\nrole = "developr"\ntools = ["status"]\n'
    repo, problems = load_team({**FILES, "policy.toml": grant})
    assert [(one.file, one.line) for one in problems] == [("policy.toml", 4)]
    assert "developer" in str(problems[0])
    assert "policy.toml" in repo.stopped


@pytest.mark.parametrize(
    "url", ["", "forge.example", "ssh://x/y", "https://u:pw@x/", "https://", "http://x y/", "https://x:99999/"]
)
def test_a_forge_needs_a_plain_web_address(url: str) -> None:
    text = FILES["team.toml"].replace("https://forge.example:3000/x", url)
    with pytest.raises(InvalidFile) as caught:
        parse(TeamConfig, text, "team.toml")
    assert [problem.key for problem in caught.value.problems] == ["forge.url"]
    assert "pw" not in caught.value.message


def test_a_folder_forge_needs_no_address() -> None:
    assert ForgeAddress(kind="folder").url == ""


def test_groups_that_a_team_does_not_allow_are_named() -> None:
    repo, _ = load()
    assert repo.team
    assert refused_groups(repo.users["sara"], repo.team) == []
    assert refused_groups(repo.users["sara"].model_copy(update={"groups": ("sudo",)}), repo.team) == ["sudo"]


def test_a_new_manifest_has_the_bindings_of_the_template() -> None:
    repo, _ = load()
    template = repo.templates["developer"]
    text = render_manifest(template, repo.users["sara"])
    manifest = parse(Manifest, text, "dev_manifest.toml")
    assert tuple(manifest.bind) == template.bind
    assert manifest.state == {}
    assert text.startswith("# ")
    assert '"developer"' in text
    assert "\n\n[[bind]]\n" in text
    assert "\n\n\n" not in text


def test_an_empty_template_gives_a_manifest_too() -> None:
    user = UserFile(full_name="A", role="x")
    text = render_manifest(load()[0].templates["developer"].model_copy(update={"bind": ()}), user)
    assert parse(Manifest, text, "m.toml") == Manifest()


@given(st.dictionaries(st.sampled_from(sorted(FILES)), st.text("schema=1\n[]\"'a#", max_size=30)))
def test_no_text_breaks_the_loader_and_other_files_stay(changed: dict[str, str]) -> None:
    repo, problems = load_team({**FILES, **changed})
    assert {problem.file for problem in problems} >= repo.stopped
    assert repo.stopped <= set(changed)
    if "users/integration.toml" not in changed and "manifest_templates/developer.toml" not in changed:
        assert "integration" in repo.users


def test_limits_of_a_user_go_before_those_of_the_team_each_for_itself() -> None:
    general = '[limits]\nmemory = "8G"\ntasks = 4096\n'
    repo, problems = load(
        team_toml=FILES["team.toml"] + general, users_sara_toml=USER + '[limits]\ncpu = "400%"\nmemory = "2G"\n'
    )
    assert problems == ()
    assert repo.team
    found = repo.users["sara"].limits.over(repo.team.limits)
    assert (found.memory, found.cpu, found.tasks) == (2 << 30, "400%", 4096)
    assert repo.users["integration"].limits.over(repo.team.limits) == repo.team.limits


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('memory = "8X"', 'a size like "512M" or "2G"'),
        ('memory = "1M"', "nobody could log in"),
        ('cpu = "4"', "four of them"),
        ('cpu = "0%"', "four of them"),
        ("tasks = 3", "from 64"),
        ("tasks = true", "a whole number"),
        ("memry = 3", "unknown key"),
    ],
)
def test_a_bad_limit_is_told_at_its_line(line: str, expected: str) -> None:
    _, (problem,) = load(users_sara_toml=f"{USER}[limits]\n{line}\n")
    assert problem.line == len(USER.splitlines()) + 2
    assert expected in str(problem)


def test_a_team_keeps_or_refuses_keys_that_it_does_not_know() -> None:
    repo, _ = load()
    assert repo.team
    assert repo.team.authorized_keys.foreign_keys == "keep"
    strict = FILES["team.toml"] + '[authorized_keys]\nforeign_keys = "refuse"\n'
    repo, _ = load(team_toml=strict)
    assert repo.team
    assert repo.team.authorized_keys.foreign_keys == "refuse"
    _, (problem,) = load(team_toml=strict.replace("refuse", "refused"))
    assert (problem.key, problem.suggestion) == ("authorized_keys.foreign_keys", "refuse")
