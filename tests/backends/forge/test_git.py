"""The git runner on real repositories: exact, deaf to hostile input, and never left running."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from backends.forge import git
from backends.forge.git import git as run
from backends.forge.git_errors import GitError, explain
from tests.backends.forge.repositories import commit, new_repository, run_git

DEADLINE = 20


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "work folder é")


@pytest.fixture
def bare(work: Path, tmp_path: Path) -> Path:
    run_git(tmp_path, "clone", "--quiet", "--bare", str(work), "bare.git")
    return tmp_path / "bare.git"


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


# Answers


async def test_a_ref_is_resolved_in_a_worktree_and_in_a_bare_repository(work: Path, bare: Path) -> None:
    head = run_git(work, "rev-parse", "HEAD")
    for repo in (work, bare):
        for ref in ("HEAD", "refs/heads/development", "development", head, head[:10]):
            assert await git.rev_parse(repo, ref) == head


@pytest.mark.parametrize("ref", ["nowhere", "", "--help", "-h", "--git-dir", "a b", "HEAD:x", "f" * 40, "\x1b[2J"])
async def test_a_ref_that_is_none_is_not_found_and_harmless(work: Path, ref: str) -> None:
    with pytest.raises(GitError) as caught:
        await git.rev_parse(work, ref)
    assert (caught.value.code, caught.value.data["reason"]) == ("not_found", "ref_not_found")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("ref", ["a\0b", "\udfff\ud800"])
async def test_a_ref_that_no_command_line_can_carry_is_refused(work: Path, ref: str) -> None:
    with pytest.raises(GitError) as caught:
        await git.rev_parse(work, ref)
    assert caught.value.code == "usage"


async def test_branches_are_listed_newest_first_with_their_commits(work: Path) -> None:
    for number, name in enumerate(("old", "feature/deep/er", "ветка", "a;b$(c)", "new")):
        run_git(work, "checkout", "--quiet", "-b", name)
        commit(work, f"subject of {name}", date=1_700_000_001 + number)
    found = await git.branches(work)
    assert [b.name for b in found] == ["new", "a;b$(c)", "ветка", "feature/deep/er", "old", "development"]
    assert (found[0].author, found[0].subject) == ("Mik", "subject of new")
    assert found[0].committed_at == datetime.fromtimestamp(1_700_000_005, UTC)
    assert [await git.rev_parse(work, f"refs/heads/{b.name}") for b in found] == [b.commit for b in found]


async def test_a_repository_without_commits_has_no_branches(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    assert await git.branches(tmp_path / "empty.git") == []


async def test_remote_branches_are_listed_without_their_remote_and_its_head(work: Path, tmp_path: Path) -> None:
    run_git(tmp_path, "clone", "--quiet", str(work), "clone")
    found = await git.branches(tmp_path / "clone", "refs/remotes/origin/")
    assert [b.name for b in found] == ["development"]
    assert (await git.branch(tmp_path / "clone", "development", "refs/remotes/origin/")).name == "development"


async def test_a_branch_is_never_taken_for_its_folder_or_a_pattern(work: Path) -> None:
    run_git(work, "branch", "feature/x")
    for name in ("feature", "feature/", "feature/*", "f*", "*", "development/x"):
        with pytest.raises(GitError) as caught:
            await git.branch(work, name)
        assert caught.value.code == "not_found"
    assert (await git.branch(work, "feature/x")).name == "feature/x"


async def test_a_branch_whose_name_is_not_utf8_is_left_out(work: Path) -> None:
    head = run_git(work, "rev-parse", "HEAD")
    header = b"# pack-refs with: peeled fully-peeled sorted \n"
    (work / ".git" / "packed-refs").write_bytes(header + head.encode() + b" refs/heads/b\xff\n")
    assert [b.name for b in await git.branches(work)] == ["development"]


async def test_a_commit_with_nonsensical_author_and_date_is_read(work: Path) -> None:
    tree = run_git(work, "rev-parse", "HEAD^{tree}")
    raw = work / "raw"
    raw.write_bytes(
        b"tree %s\nauthor \x1b[31mEvil\x1b]0;x\x07 <e@e> 99999999999999999999 +0000\n"
        b"committer C <c@c> 99999999999999999999 +0000\n\nsubject\twith \xff\x1b[2J\nbody\n" % tree.encode()
    )
    at = run_git(work, "hash-object", "-t", "commit", "-w", "--literally", str(raw))
    run_git(work, "update-ref", "refs/heads/evil", at)
    found = await git.commit_info(work, "evil")
    assert found.commit == at
    assert found.author == "Evil"
    assert found.subject.isprintable()
    assert (await git.branch(work, "evil")).subject == found.subject


async def test_the_log_between_two_commits_is_newest_first_and_limited(work: Path) -> None:
    hashes = [commit(work, f"step {n}") for n in range(5)]
    found = await git.log_between(work, f"{hashes[0]}", "development")
    assert [c.commit for c in found] == hashes[:0:-1]
    assert [c.subject for c in await git.log_between(work, hashes[0], "HEAD", limit=2)] == ["step 4", "step 3"]
    assert await git.log_between(work, "HEAD", "HEAD") == []


async def test_ahead_and_behind_are_counted(work: Path) -> None:
    run_git(work, "checkout", "--quiet", "-b", "mine")
    commit(work, "one")
    commit(work, "two")
    run_git(work, "checkout", "--quiet", "development")
    commit(work, "three")
    assert await git.ahead_behind(work, "mine", "development") == (2, 1)
    assert await git.ahead_behind(work, "mine", "mine") == (0, 0)


async def test_the_current_branch_is_told_and_a_detached_head_has_none(work: Path) -> None:
    run_git(work, "checkout", "--quiet", "-b", "feature/x")
    assert await git.current_branch(work) == "feature/x"
    run_git(work, "checkout", "--quiet", "--detach")
    assert await git.current_branch(work) is None


async def test_every_kind_of_uncommitted_work_is_dirty(work: Path) -> None:
    commit(work, "files", {"tracked": "1", "other": "1"})
    assert not await git.is_dirty(work)
    (work / "нов ый\nfile").write_text("x")
    (work / "tracked").write_text("2")
    (work / "other").unlink()
    (work / "staged").write_text("x")
    run_git(work, "add", "staged")
    assert set(await git.uncommitted(work)) == {"нов ый\nfile", "tracked", "other", "staged"}


async def test_only_a_full_hash_that_is_there_is_a_commit(work: Path) -> None:
    head = run_git(work, "rev-parse", "HEAD")
    assert await git.has_commit(work, head)
    for other in (head[:8], "f" * 40, run_git(work, "rev-parse", "HEAD^{tree}"), "", "HEAD", head.upper()):
        assert not await git.has_commit(work, other)


# Surroundings


async def test_variables_of_a_git_hook_do_not_lead_into_its_repository(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_repository(tmp_path / "other", "elsewhere")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "nonsense")
    assert [b.name for b in await git.branches(work)] == ["development"]
    assert not await git.is_dirty(work)


async def test_a_repository_around_a_broken_worktree_is_not_taken_for_it(work: Path) -> None:
    inner = work / "inner"
    inner.mkdir()
    with pytest.raises(GitError) as caught:
        await git.is_dirty(inner)
    assert caught.value.data["reason"] == "repository_gone"


async def test_no_program_that_a_repository_names_is_run(work: Path, bare: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    touch = script(tmp_path / "touch me", f"touch '{mark}'")
    for name in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change"):
        script(work / ".git" / "hooks" / name, f"touch '{mark}'")
    for key in ("core.fsmonitor", "core.pager", "pager.log", "pager.for-each-ref", "core.editor", "gpg.program"):
        run_git(work, "config", key, str(touch))
    run_git(work, "config", "log.showSignature", "true")
    mark.unlink(missing_ok=True)
    await git.branches(work)
    await git.uncommitted(work)
    await git.commit_info(work, "HEAD")
    await run("checkout", "--quiet", "-b", "new", cwd=work)
    with pytest.raises(GitError):
        await run("fetch", "--", f"ext::touch {mark}", cwd=work)
    assert not mark.exists()


async def test_a_replaced_object_does_not_change_what_a_hash_means(work: Path) -> None:
    first = run_git(work, "rev-parse", "HEAD")
    second = commit(work, "second")
    run_git(work, "replace", first, second)
    assert (await git.commit_info(work, first)).subject == "first"


async def test_git_speaks_english_whatever_the_locale(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    result = await run("status", "--long", cwd=work, check=False)
    assert "On branch development" in result.stdout


# Faults


async def test_a_repository_that_is_gone_is_not_found(work: Path, bare: Path) -> None:
    for repo in (work, bare):
        shutil.rmtree(repo)
        for asked in (git.branches(repo), git.rev_parse(repo, "HEAD"), git.commit_info(repo, "HEAD")):
            with pytest.raises(GitError) as caught:
                await asked
            assert (caught.value.code, caught.value.data["reason"]) == ("not_found", "repository_gone")
            assert caught.value.hint


def _lose_objects(repo: Path) -> None:
    shutil.rmtree(repo / "objects")
    (repo / "objects").mkdir()


def _cut_objects(repo: Path) -> None:
    for file in (repo / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(file.read_bytes()[:10])


def _empty_objects(repo: Path) -> None:
    for file in (repo / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.write_bytes(b"")


def _break_config(repo: Path) -> None:
    (repo / "config").write_text("[core\nnonsense")


def _break_packed_refs(repo: Path) -> None:
    (repo / "packed-refs").write_bytes(b"\0\1\2 garbage\n")


DAMAGES = [_lose_objects, _cut_objects, _empty_objects, _break_config, _break_packed_refs]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_repository_is_named_as_such(bare: Path, damage: Callable[[Path], None]) -> None:
    damage(bare)
    with pytest.raises(GitError) as caught:
        await git.branches(bare)
    assert caught.value.data["reason"] == "repository_corrupt"
    assert str(bare) in caught.value.message
    assert caught.value.hint


async def test_another_git_at_work_is_busy(work: Path) -> None:
    (work / ".git" / "index.lock").touch()
    with pytest.raises(GitError) as caught:
        await run("add", "--all", cwd=work)
    assert caught.value.code == "busy"


async def test_a_branch_that_a_remote_does_not_have_is_not_found(work: Path, bare: Path) -> None:
    with pytest.raises(GitError) as caught:
        await run("fetch", "--quiet", "--", str(bare), "refs/heads/nowhere", cwd=work)
    assert caught.value.data["reason"] == "ref_not_found"


async def test_a_remote_that_does_not_exist_is_gone_or_unreachable(work: Path, tmp_path: Path) -> None:
    for address, reason in (
        (str(tmp_path / "nowhere.git"), "repository_gone"),
        ("http://user:secret@127.0.0.1:1/x.git", "unreachable"),
    ):
        with pytest.raises(GitError) as caught:
            await run("fetch", "--quiet", "--", address, cwd=work)
        assert caught.value.data["reason"] == reason
        assert "secret" not in f"{caught.value} {caught.value.data}"


async def test_a_remote_that_asks_for_a_password_fails_at_once(work: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n")
        writer.write(b"Content-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(GitError) as caught:
            await run("fetch", "--quiet", "--", f"http://127.0.0.1:{port}/x.git", cwd=work, timeout=DEADLINE)
    assert caught.value.data["reason"] == "unreachable"


async def test_without_check_the_status_is_the_callers(work: Path) -> None:
    result = await run("rev-parse", "--verify", "--quiet", "nowhere", cwd=work, check=False)
    assert (result.returncode, result.stdout) == (1, "")


def test_escapes_in_what_git_says_do_not_reach_the_person() -> None:
    error = explain(("fetch",), Path("/x\x1b[2J"), "warning: something\nfatal: it \u202ebroke\n")
    assert "it" in error.message
    assert error.message.isprintable()


# Ends


async def listen(fifo: Path) -> asyncio.StreamReader:
    """A reader of `fifo`; its end comes when the last process that has it open is gone."""
    os.mkfifo(fifo)
    reader = asyncio.StreamReader()
    pipe = os.fdopen(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), "rb")
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


def slow_ssh(tmp_path: Path, *, deaf: bool = True) -> dict[str, str]:
    """Variables with which `git fetch ssh://…` hangs in children, deaf to SIGTERM, that hold the fifo open."""
    trap = "trap '' TERM;" if deaf else ""
    ssh = script(
        tmp_path / "ssh", f"{trap} exec 3>'{tmp_path}/alive'; echo >&3; : >'{tmp_path}/lives'; sleep 1000 & wait"
    )
    return {"GIT_SSH": str(ssh)}


async def test_a_cancelled_git_leaves_no_process(work: Path, tmp_path: Path) -> None:
    alive = await listen(tmp_path / "alive")
    fetch = asyncio.create_task(
        run("fetch", "--", "ssh://nowhere/x", cwd=work, env=slow_ssh(tmp_path), timeout=None)
    )
    async with asyncio.timeout(DEADLINE):
        assert await alive.readline() == b"\n"
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        assert await alive.read() == b""


@pytest.mark.parametrize("steps", range(8))
async def test_a_git_that_is_cancelled_while_it_starts_leaves_no_process(
    work: Path, tmp_path: Path, steps: int
) -> None:
    alive = await listen(tmp_path / "alive")
    ours = os.open(tmp_path / "alive", os.O_RDWR)  # so that there is an end to see, whether git opens it or not
    fetch = asyncio.create_task(
        run("fetch", "--", "ssh://nowhere/x", cwd=work, env=slow_ssh(tmp_path, deaf=False), timeout=None)
    )
    for _ in range(steps):
        await asyncio.sleep(0)
    if psutil.Process().children():
        # Our loop stands still in the middle of the start until git's child lives: a busy machine does the same.
        until = time.monotonic() + DEADLINE
        while not (tmp_path / "lives").exists() and time.monotonic() < until:
            time.sleep(0.005)
        assert (tmp_path / "lives").exists()
    fetch.cancel()
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(asyncio.CancelledError):
            await fetch
        os.close(ours)
        await alive.read()


async def test_a_git_that_takes_too_long_is_ended_and_says_so(work: Path, tmp_path: Path) -> None:
    alive = await listen(tmp_path / "alive")
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(GitError) as caught:
            await run("fetch", "--", "ssh://nowhere/x", cwd=work, env=slow_ssh(tmp_path), timeout=1)
        assert caught.value.code == "timeout"
        await alive.read()


async def test_a_daemon_that_git_leaves_behind_does_not_hold_us(work: Path, tmp_path: Path) -> None:
    alive = await listen(tmp_path / "alive")
    os.mkfifo(tmp_path / "stay")
    ssh = script(tmp_path / "ssh", f"setsid sh -c 'echo >{tmp_path}/alive; cat {tmp_path}/stay' & wait")
    fetch = asyncio.create_task(
        run("fetch", "--", "ssh://nowhere/x", cwd=work, env={"GIT_SSH": str(ssh)}, timeout=None)
    )
    async with asyncio.timeout(DEADLINE):
        assert await alive.readline() == b"\n"
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
    # Opening it waits until the daemon reads; closing it lets the daemon go.
    os.close(await asyncio.to_thread(os.open, tmp_path / "stay", os.O_WRONLY))


async def test_a_cancelled_git_removes_its_lock_files(work: Path, tmp_path: Path) -> None:
    alive = await listen(tmp_path / "alive")
    # git runs the clean filter while it holds the lock of the index.
    clean = script(tmp_path / "clean", f"echo >'{tmp_path}/alive'; sleep 1000")
    run_git(work, "config", "filter.slow.clean", str(clean))
    commit(work, "attributes", {".gitattributes": "*.slow filter=slow\n"})
    (work / "x.slow").write_text("x")
    adding = asyncio.create_task(run("add", "x.slow", cwd=work, timeout=None))
    async with asyncio.timeout(DEADLINE):
        assert await alive.readline() == b"\n"
        assert (work / ".git" / "index.lock").exists()
        adding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await adding
    assert not (work / ".git" / "index.lock").exists()
