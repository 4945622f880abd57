"""The first steps as a person takes them: on a terminal, with a forge that answers, real git and an editor."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.model.paths import BoxPaths
from hero_tui.login.editing import editor_argv
from hero_tui.login.record import Record, read_record, write_record
from tests.hero_tui.login.homes import REPO, SECRET, Home, home, interrupt
from tests.hero_tui.verbs.test_noting import left


@pytest.fixture
def alice() -> Iterator[Home]:
    with home() as made:
        yield made


def steps(alice: Home) -> Record:
    return read_record(alice.slot.first_login)


def test_all_steps_are_taken_and_nothing_secret_is_seen(alice: Home) -> None:
    token = alice.forge.world.account("alice", "read:user", "write:repository")
    with alice.hero_dev("login", "--wizard") as terminal:
        terminal.shows("1 of 4: your token for the forge")
        terminal.shows(f"{alice.forge.url}/user/settings/applications")
        terminal.shows("read:user, write:repository, write:issue")
        terminal.shows("Token (enter or s: skip):")
        terminal.press(f"{token}\r")
        terminal.shows("The forge knows it: alice.")
        terminal.shows("2 of 4")
        terminal.shows("s: skip >")
        terminal.press("\r")
        terminal.shows("Cloned.")
        terminal.shows("3 of 4")
        terminal.until(lambda text: text.count("s: skip >") == 2, "the third question")
        terminal.press("\r")
        terminal.shows("Pushed.")
        terminal.shows("Which? (enter: auto) >")
        seen = terminal.text
        terminal.press("o\r")
        terminal.shows("That was all.")
        assert terminal.ends() == 0
        assert token not in seen + terminal.text
        assert SECRET not in seen + terminal.text
    assert alice.slot.forge_token.read_text() == f"{token}\n"
    assert stat.S_IMODE(alice.slot.forge_token.stat().st_mode) == 0o600
    assert stat.S_IMODE(alice.slot.secrets_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(alice.slot.secrets.stat().st_mode) == 0o700
    assert alice.slot.manifest.read_text() == '# mine\nschema = 1\n\n[claude]\npreference = "org"\n'
    noted = left(BoxPaths(alice.root), "alice")
    assert [one.kind.removeprefix("audit.") for one in noted] == [
        *("forge.token", "secrets.clone", "secrets.edit", "secrets.push", "claude.use")
    ]
    assert (noted[0].subject, noted[-1].subject, noted[-1].data["title"]) == (
        *(alice.forge.url, "org", "claude use org"),
    )
    assert token not in repr(noted)
    pushed = alice.forge.world.repositories[REPO].git("show", "development:secrets.toml").decode()
    assert SECRET in pushed
    assert steps(alice).left == ()
    config = subprocess.run(
        ["git", "-C", str(alice.slot.secrets), "config", "--list"], capture_output=True, text=True, check=True
    )
    assert token not in config.stdout


def test_a_token_that_the_forge_does_not_know_is_asked_again_and_not_kept(alice: Home) -> None:
    with alice.hero_dev("login", "--wizard") as terminal:
        terminal.shows("Token (enter or s: skip):")
        terminal.press("not-a-token-at-all\r")
        terminal.shows("does not know the token")
        terminal.until(lambda text: text.count("Token (enter") == 2, "the second question")
        terminal.press("\x04")
        terminal.shows("asked at your next login")
        assert terminal.ends() == 0
        assert "not-a-token" not in terminal.text
    assert not alice.slot.forge_token.exists()
    assert steps(alice) == Record()


def test_somebody_elses_token_and_one_without_scopes_are_told(alice: Home) -> None:
    other = alice.forge.world.account("bob", "read:user", "write:repository")
    weak = alice.forge.world.account("alice", "read:user", "read:repository")
    with alice.hero_dev("login", "--wizard") as terminal:
        terminal.shows("Token (enter")
        terminal.press(f"{other}\r")
        terminal.shows("the team repo says that you are alice")
        terminal.shows("y, n >")
        terminal.press("n\r")
        terminal.until(lambda text: text.count("Token (enter") == 2, "the second question")
        terminal.press(f"{weak}\r")
        terminal.shows("write:repository`")
        terminal.until(lambda text: text.count("y, n >") == 2, "the second doubt")
        terminal.press("n\r")
        terminal.until(lambda text: text.count("Token (enter") == 3, "the third question")
    assert not alice.slot.forge_token.exists()


def test_every_step_can_be_skipped_and_comes_again_but_for_one_that_was_refused_for_good(alice: Home) -> None:
    with alice.hero_dev("login", "--wizard") as terminal:
        terminal.shows("Token (enter")
        interrupt(terminal)
        terminal.shows("s: skip >")
        terminal.press("x\r")
        terminal.shows("Which?")
        terminal.press("s\r")
        terminal.shows("What is left is asked at your next login.")
        assert terminal.ends() == 0
    assert steps(alice).left == ("token", "secrets", "claude")
    assert steps(alice).never == {"clone"}
    assert not alice.slot.secrets.exists()


def test_a_repository_that_is_not_there_is_told_with_who_makes_it(alice: Home) -> None:
    token = alice.forge.world.account("alice", "read:user", "write:repository")
    alice.slot.forge_token.write_text(f"{token}\n")
    alice.slot.forge_token.chmod(0o600)
    alice.forge.world.repositories.clear()
    write_record(alice.slot.first_login, Record(frozenset({"token"})))
    with alice.hero_dev("login", "--wizard") as terminal:
        terminal.shows("Token (enter")
        terminal.press("\r")
        terminal.shows("s: skip >")
        terminal.press("\r")
        terminal.shows("hero_team_sync makes it")
        terminal.shows("mik")
        terminal.shows("Which?")
        terminal.press("\r")
        assert terminal.ends() == 0
    assert steps(alice).left == ("token", "clone", "secrets")


def test_a_wrong_file_is_told_with_its_place_and_edited_again(alice: Home) -> None:
    token = alice.forge.world.account("alice", "read:user", "write:repository")
    alice.slot.forge_token.write_text(f"{token}\n")
    alice.slot.forge_token.chmod(0o600)
    alice.editor(f'schema = 1\n[secrets]\nKEY = "{SECRET}\n')
    with alice.hero_dev("secrets", "edit") as terminal:
        terminal.shows("secrets.toml:3:")
        terminal.shows("quotes are not closed")
        terminal.shows("edit again")
        terminal.press("s\r")
        assert terminal.ends() == 1
        assert SECRET not in terminal.text
    alice.editor(f'schema = 1\n[secrets]\nKEY = "{SECRET}"\n')
    with alice.hero_dev("secrets", "edit") as terminal:
        terminal.shows("it goes on from there")
        terminal.shows("is up to date now")
        assert terminal.ends() == 0
    assert SECRET in alice.slot.secrets_file.read_text()
    with alice.hero_dev("secrets_edit") as terminal:
        terminal.shows("is unchanged")
        assert terminal.ends() == 3
    with alice.hero_dev("secrets", "push", "--json") as terminal:
        assert terminal.ends() == 0
        assert '"unpushed": 0' in terminal.text
    noted = left(BoxPaths(alice.root), "alice")
    assert [one.kind for one in noted] == ["audit.secrets.clone", "audit.secrets.edit", "audit.secrets.push"]
    assert {one.data["outcome"] for one in noted} == {"succeeded"}
    assert SECRET not in "".join(one.model_dump_json() for one in noted)
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in alice.slot.var.rglob("slot.sqlite*"))


def test_an_editor_that_fails_changes_nothing(alice: Home) -> None:
    token = alice.forge.world.account("alice", "read:user", "write:repository")
    alice.slot.forge_token.write_text(f"{token}\n")
    alice.slot.forge_token.chmod(0o600)
    alice.editor(f'schema = 1\n[secrets]\nKEY = "{SECRET}"\n', code=1)
    with alice.hero_dev("secrets", "edit") as terminal:
        terminal.shows("ended with exit 1, so nothing was taken over")
        terminal.shows("edit again")
        interrupt(terminal)
        assert terminal.ends() == 1
    assert not alice.slot.secrets_file.exists()


def test_ctrl_c_in_the_editor_is_the_editors(alice: Home) -> None:
    token = alice.forge.world.account("alice", "read:user", "write:repository")
    alice.slot.forge_token.write_text(f"{token}\n")
    alice.slot.forge_token.chmod(0o600)
    editor = alice.root / "editor"
    save = editor.read_text().removeprefix("#!/bin/sh\n")
    editor.write_text(f"#!/bin/sh\ntrap 'echo caught' INT\necho editing\nuntil read x; do :; done\n{save}")
    with alice.hero_dev("secrets", "edit") as terminal:
        terminal.shows("editing")
        terminal.press("\x03")
        terminal.shows("caught")
        terminal.press("\r")
        terminal.shows("is up to date now")
        assert terminal.ends() == 0


def test_an_editor_of_the_vi_kind_is_told_to_leave_nothing_behind(tmp_path: Path) -> None:
    for name in ("vim", "vi", "nano"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "mine").symlink_to("vim")
    file = tmp_path / "secrets.toml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        for asked in ("vim", "vi -R", "mine"):
            argv = editor_argv(file, {"EDITOR": asked})
            assert argv[: len(asked.split())] == asked.split()
            assert {"-n", "NONE"} <= set(argv)
        assert editor_argv(file, {"EDITOR": "nano"}) == ["nano", str(file)]
        assert editor_argv(file, {"VISUAL": "'unclosed", "EDITOR": "gone"}) == ["nano", str(file)]


@pytest.mark.skipif(shutil.which("vim") is None, reason="no vim here")
def test_vim_leaves_nothing_behind(alice: Home) -> None:
    token = alice.forge.world.account("alice", "read:user", "write:repository")
    alice.slot.forge_token.write_text(f"{token}\n")
    alice.slot.forge_token.chmod(0o600)
    mine = alice.slot.root.parent
    (mine / ".vimrc").write_text("set undofile undodir=~ backup backupdir=~ directory=~ viminfo='10,<50,s10\n")
    (alice.root / "editor").unlink()
    (alice.root / "editor").symlink_to(shutil.which("vim") or "")
    with alice.hero_dev("secrets", "edit", term="vt100") as terminal:
        terminal.shows("# Your secrets.")
        terminal.press(f":call setline(1, ['schema = 1', '[secrets]', 'A = \"{SECRET}\"'])\r")
        terminal.shows(SECRET)
        terminal.press(":4,$d\r:3yank\r:wq\r")
        terminal.shows("is up to date now")
        assert terminal.ends() == 0
    left = [path for path in mine.iterdir() if path.name not in ("hero", ".vimrc")]
    assert not left


def test_a_damaged_record_is_an_empty_one(alice: Home) -> None:
    alice.slot.first_login.parent.mkdir(parents=True)
    for text in ("", "[]", "{}", '{"done": 7, "never": []}', '{"done": ["token"]}'):
        alice.slot.first_login.write_text(text)
        assert steps(alice) == Record()
    write_record(alice.slot.first_login, Record(frozenset({"token"}), frozenset({"claude"})))
    assert steps(alice).left == ("clone", "secrets")
    assert json.loads(alice.slot.first_login.read_text())["schema"] == 1
