"""Which commit is in force: forward only, signed and protected where the box asks for it; none of it is run."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from backends.forge.folder import FolderForge
from backends.model.boxfile import TeamSync
from backends.model.errors import HeroError
from backends.team.following import Guard
from backends.team.git_source import Clone, open_clone
from tests.backends.forge.forgejo_wire import Wire, answer
from tests.backends.slot.origins import run as git
from tests.backends.team.systems import REPO, System, person


def stopped(system: System) -> str:
    """Why the next run applies nothing; it must then have changed nothing."""
    before = {name: system.rows(name) for name in ("passwd", "group", "shadow")}
    commit = system.reconciler().state.now.reviewed
    run = system.apply()
    assert run.actions == ()
    assert run.problems[:1] == (run.stopped,)
    assert {name: system.rows(name) for name in before} == before
    assert system.reconciler().state.now.reviewed == commit
    return run.stopped


def ask_for(system: System, settings: str) -> None:
    """Have box.toml ask for more."""
    path = system.root / "box/box.toml"
    path.write_text(path.read_text().partition("[team_sync]")[0] + f"[team_sync]\n{settings}\n")


def test_a_rewritten_history_stops_everything_until_root_accepts_it(system: System) -> None:
    system.apply()
    reviewed = system.reconciler().state.now.reviewed
    head = system.push({"users/bob.toml": person("bob")}, amend=True, force=True)
    why = stopped(system)
    assert reviewed[:8] in why
    assert f"hero_dev team accept {head}" in why
    assert "rewritten" in system.plan().stopped
    with pytest.raises(HeroError, match="is not|not " + reviewed[:4]) as caught:
        asyncio.run(system.reconciler().accept(reviewed, "root"))
    assert caught.value.code == "conflict"
    run = asyncio.run(system.reconciler().accept(head, "root"))
    assert {one.user for one in run.actions} == {"bob"}
    assert system.apply().problems == ()
    assert "root accepts" in system.places.log.read_text()


def test_a_branch_that_was_set_back_stops_everything(system: System) -> None:
    system.apply()
    system.push({"users/bob.toml": person("bob")})
    system.apply()
    git(system.work, "reset", "-q", "--hard", "HEAD~1")
    git(system.work, "push", "-q", "--force", "origin", "HEAD:refs/heads/main")
    assert "rewritten" in stopped(system)
    assert system.home("bob").is_dir()


def test_a_forge_that_is_away_leaves_in_force_what_was(system: System) -> None:
    system.apply()
    forge = system.root / "box/forge"
    forge.rename(system.root / "away")
    (system.home("alice") / ".ssh/authorized_keys").unlink()
    run = system.apply()
    assert [one.kind for one in run.actions] == ["set_keys"]
    assert "cannot be fetched" in run.problems[0]
    assert run.stopped == ""


def test_a_forge_that_was_never_there_stops_everything(system: System) -> None:
    shutil.rmtree(system.root / "box/forge")
    assert "cannot be fetched" in stopped(system)


def test_a_clone_that_is_damaged_is_told_and_one_that_is_gone_is_made_again(system: System) -> None:
    system.apply()
    shutil.rmtree(system.places.repo)
    system.push({"users/bob.toml": person("bob")})
    assert {one.user for one in system.apply().actions} == {"bob"}


def test_another_branch_of_the_forge_is_not_followed_and_its_head_does_not_move_ours(system: System) -> None:
    system.apply()
    forge = system.root / "box/forge" / f"{REPO}.git"
    git(system.work, "push", "-q", "origin", "HEAD:refs/heads/other")
    git(forge, "symbolic-ref", "HEAD", "refs/heads/other")
    system.push({"users/bob.toml": person("bob")})
    assert {one.user for one in system.apply().actions} == {"bob"}


@pytest.fixture
def signers(system: System) -> Path:
    """A file of allowed signers; the private keys `good` and `bad` are beside it, of which it names the first."""
    folder = system.root / "keys"
    folder.mkdir()
    for name in ("good", "bad"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    path = folder / "signers"
    path.write_text(f"mik@example.org {(folder / 'good.pub').read_text()}")
    return path


def signed(system: System, key: Path, files: dict[str, str]) -> str:
    """Push a commit that is signed with `key`; the commit."""
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), ("commit.gpgSign", "true")):
        git(system.work, "config", name, value)
    commit = system.push(files)
    git(system.work, "config", "commit.gpgSign", "false")
    return commit


def test_only_a_commit_that_an_allowed_signer_signed_is_followed(system: System, signers: Path) -> None:
    ask_for(system, f'signers = "{signers}"')
    assert "not signed" in stopped(system)
    signed(system, signers.with_name("bad"), {"users/mallory.toml": person("mallory")})
    assert "not signed" in stopped(system)
    signed(system, signers.with_name("good"), {"users/mallory.toml": person("bob")})
    assert system.apply().stopped == ""
    system.push({"users/carol.toml": person("carol")})
    assert "not signed" in stopped(system)
    head = system.push({"users/carol.toml": person("carol")}, amend=True, force=True)
    with pytest.raises(HeroError, match="not signed"):
        asyncio.run(system.reconciler().accept(head, "root"))


def test_a_file_of_signers_that_is_not_there_stops_everything(system: System) -> None:
    ask_for(system, 'signers = "/nowhere/signers"')
    assert "not signed" in stopped(system)


def test_a_forge_that_cannot_protect_is_refused_where_protection_is_asked_for(system: System) -> None:
    ask_for(system, "require_protection = true")
    assert "protects no branches" in stopped(system)


GOOD = {"rule_name": "main", "enable_push": False, "required_approvals": 1}


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([GOOD], ""),
        ([{**GOOD, "rule_name": "ma*"}], ""),
        (
            [{"branch_name": "main", "required_approvals": 2, "enable_push": True, "enable_push_whitelist": True}],
            "",
        ),
        ([], "no protection"),
        ([{**GOOD, "rule_name": "other"}], "no protection"),
        ([{**GOOD, "enable_push": True}], "push to main directly"),
        ([{**GOOD, "enable_force_push": True}], "rewritten by a push"),
        ([{**GOOD, "required_approvals": 0}], "nobody's approval"),
        ([{**GOOD, "rule_name": "*"}, {**GOOD, "required_approvals": 0}], "nobody's approval"),
    ],
)
async def test_a_branch_is_protected_only_if_nothing_gets_past_a_review(
    rules: list[dict[str, object]], sentence: str
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/branch_protections"):
            return answer(rules)
        return answer({"max_response_items": 50})

    forge = Wire(handle).forge()
    found = await forge.branch_weaknesses(REPO, "main")
    assert sentence in " ".join(found)
    assert bool(found) == bool(sentence)
    guard = Guard(forge, REPO, TeamSync(require_protection=True))
    clone = Clone(Path("unused"), "", {})
    assert (await guard.objection(clone, "0" * 40, "main") == "") == (not sentence)


async def test_a_token_that_may_not_read_the_rules_is_no_protection() -> None:
    forge = Wire(lambda _: answer({"message": "must be an admin"}, 403)).forge()
    guard = Guard(forge, REPO, TeamSync(require_protection=True))
    said = await guard.objection(Clone(Path("unused"), "", {}), "0" * 40, "main")
    assert "cannot be checked" in said


async def test_a_writer_is_added_and_an_unknown_one_told() -> None:
    wire = Wire(lambda _: httpx.Response(204))
    await wire.forge().add_writer("org/alice_secrets", "alice")
    assert wire.requests[-1].url.path.endswith("/repos/org/alice_secrets/collaborators/alice")
    assert wire.requests[-1].method == "PUT"
    forge = Wire(lambda _: answer({"message": "user does not exist"}, 422)).forge()
    with pytest.raises(HeroError, match="forge_user"):
        await forge.add_writer("org/alice_secrets", "alice")


async def test_only_the_protocol_of_the_address_is_allowed(tmp_path: Path) -> None:
    for url, allowed in (
        ("https://f.example/r.git", ["https"]),
        ("ssh://f.example/r.git", ["ssh"]),
        ("/x/y", ["file"]),
    ):
        clone = await open_clone(tmp_path, url, {})
        said = (await clone.git("config", "--get-regexp", r"^protocol\.")).stdout.splitlines()
        names = [line.split(".")[1] for line in said if line.endswith(" always")]
        assert names == allowed
        assert "protocol.allow never" in said
    with pytest.raises(HeroError, match="cannot be fetched by"):
        await open_clone(tmp_path, "ext::sh -c x://", {})


async def test_hooks_and_programs_of_the_team_repo_never_run(tmp_path: Path) -> None:
    trap = tmp_path / "trapped"
    forge = FolderForge(tmp_path / "forge")
    bare = await forge.create_repository(REPO)
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "-q")
    (work / ".gitattributes").write_text("*.toml filter=trap diff=trap export-subst\n")
    (work / ".gitmodules").write_text(f'[submodule "x"]\n\tpath = x\n\turl = ext::touch {trap}\n')
    (work / "team.toml").write_text("schema = 1\n")
    git(work, "add", "--all")
    git(work, "commit", "-q", "-m", "One")
    git(work, "push", "-q", str(bare), "HEAD:refs/heads/development")
    for hook in ("post-update", "pre-receive", "reference-transaction", "post-checkout"):
        (bare / "hooks").mkdir(exist_ok=True)
        (bare / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {trap}\n")
        (bare / "hooks" / hook).chmod(0o755)
    (tmp_path / "root").mkdir()
    clone = await open_clone(tmp_path / "root", str(bare), {})
    commit = await clone.fetch(await clone.head_branch())
    entries = await clone.tree(commit)
    assert sorted(await clone.blobs(entries)) == [".gitattributes", ".gitmodules", "team.toml"]
    assert not trap.exists()
