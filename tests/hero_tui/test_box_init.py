"""A new box: bound to a forge that was asked first, whole or not there at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends.box_files import read_boxfile, read_team
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from hero_tui.box_init import FALLBACK_SLOT, NewBox, box_name, init_box, slot_name
from hero_tui.cli import main
from tests.hero_tui.standard_input import on_standard_input
from tests.hero_tui.static_forge import REPO, TOKEN, static_forge

TEAM = {
    "team.toml": 'schema = 1\nname = "Small"\nbox = "small"\n[forge]\nkind = "folder"\n',
    "services.toml": 'schema = 1\n[[service]]\nname = "hero_web"\nrepo = "a/hero_web"\nshort = "web"\n',
    "users/alice.toml": 'schema = 1\nfull_name = "Alice"\nrole = "developer"\n',
    "manifest_templates/developer.toml": "schema = 1\n",
}


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[str]:
    with static_forge(tmp_path / "forge", TEAM) as url:
        yield url


@pytest.fixture
def new(tmp_path: Path, forge: str) -> NewBox:
    return NewBox(root=tmp_path / "boxes" / "team", name="team", slot="alice", forge=forge, token=TOKEN)


def test_a_box_for_a_forge_has_its_address_its_team_and_its_token_for_its_owner_alone(new: NewBox) -> None:
    notes = init_box(replace(new, hook_url="https://box.example/hooks/forge", listen="127.0.0.1:8787"))
    box = BoxPaths(new.root)
    file = read_boxfile(box)
    assert (file.name, file.team_repo, file.forge.kind, file.forge.url) == ("team", REPO, "forgejo", new.forge)
    assert (file.edge.url, file.edge.listen) == ("https://box.example/hooks/forge", "127.0.0.1:8787")
    assert box.forge_token.read_text() == f"{TOKEN}\n"
    assert (box.forge_token.stat().st_mode & 0o777, box.forge_token.parent.stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )
    assert list(read_team(box.team)[0].users) == ["alice"]
    assert box.slot("alice").manifest.parent.is_dir()
    assert not box.slot("alice").manifest.exists()
    found = [path for path in new.root.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert found == [box.forge_token]
    assert any("`write:repository`" in note for note in notes)
    assert [path.name for path in new.root.parent.iterdir()] == ["team"]


def test_a_slot_that_the_team_repo_does_not_know_is_told(new: NewBox) -> None:
    assert any("no users/mik.toml" in note for note in init_box(replace(new, slot="mik")))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"token": "0" * 40}, "denied"),
        ({"token": ""}, "denied"),
        ({"team_repo": "lhumina_code/hero_taem"}, "not_found"),
        ({"team_repo": "../x"}, "usage"),
        ({"forge": "ftp://forge.example"}, "usage"),
        ({"forge": "https://ann:secret@forge.example"}, "usage"),
        ({"forge": 'https://forge.example/"\nx = "'}, "usage"),
        ({"listen": "0.0.0.0:8787"}, "usage"),
        ({"name": "../x"}, "usage"),
        ({"slot": "root"}, "usage"),
    ],
)
def test_what_cannot_be_leaves_nothing_behind(new: NewBox, fields: dict[str, str], code: str) -> None:
    asked = replace(new, **fields)  # type: ignore[arg-type]
    with pytest.raises(HeroError) as caught:
        init_box(asked)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)
    assert TOKEN not in str(caught.value) + repr(asked)
    assert not new.root.parent.exists()


def test_a_box_is_never_made_over_another_one_or_over_anything(new: NewBox) -> None:
    init_box(new)
    before = sorted(new.root.rglob("*"))
    with pytest.raises(HeroError, match="is a box already"):
        init_box(new)
    other = new.root.with_name("other")
    other.mkdir()
    (other / "file").write_text("mine")
    with pytest.raises(HeroError, match="not an empty folder"):
        init_box(replace(new, root=other))
    assert sorted(new.root.rglob("*")) == before
    assert [path.name for path in other.iterdir()] == ["file"]


def test_an_empty_folder_may_become_a_box(new: NewBox) -> None:
    new.root.mkdir(parents=True)
    init_box(new)
    assert read_boxfile(BoxPaths(new.root)).name == "team"


def test_a_folder_in_the_box_can_be_its_forge(tmp_path: Path) -> None:
    root = tmp_path / "own"
    notes = init_box(NewBox(root=root, name="own", slot="alice"))
    assert read_boxfile(BoxPaths(root)).forge.kind == "folder"
    checkout = tmp_path / "checkout"
    bare = BoxPaths(root).forge / f"{REPO}.git"
    subprocess.run(["git", "clone", "--quiet", str(bare), str(checkout)], check=True)
    team, problems = read_team(checkout)
    assert (list(team.users), problems) == (["alice"], ())
    assert "has no services yet" in notes[0]


def test_names_are_made_of_what_there_is() -> None:
    assert [box_name(name) for name in ("My Box", "..", "a_b")] == ["my-box", "box", "a-b"]
    assert (slot_name("alice"), slot_name("root"), slot_name("")) == ("alice", FALLBACK_SLOT, FALLBACK_SLOT)


def test_the_verb_takes_the_token_from_standard_input(
    tmp_path: Path, forge: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "box"
    on_standard_input(monkeypatch, f"{TOKEN}\n")
    words = ["box", "init", str(root), "--forge", forge, "--slot", "alice", "--token-stdin", "--json"]
    assert main(words) == 0
    told = capsys.readouterr().out
    answer = json.loads(told)
    assert (answer["box"], answer["slot"], answer["forge"]) == (str(root), "alice", forge)
    assert BoxPaths(root).forge_token.read_text().strip() == TOKEN
    assert TOKEN not in told


def test_the_verb_refuses_a_token_that_others_can_read_and_a_line_that_says_too_little(
    tmp_path: Path, forge: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    assert main(["box", "init", str(tmp_path / "b"), "--forge", forge, "--token-file", str(token)]) == 1
    assert "can be read by others" in capsys.readouterr().err
    for words, told in (
        (["box", "init"], "Where should the box be?"),
        (["box", "init", "x"], "Which forge is it for?"),
        (["box", "init", "x", "--forge", forge, "--folder-forge"], "Which forge is it for?"),
        (["box", "up", "--forge", forge], "--forge does not go with `box up`"),
    ):
        assert main(words) == 2
        assert told in capsys.readouterr().err


def test_a_named_box_lies_with_the_others_of_this_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert main(["box", "init", "mine", "--folder-forge", "--slot", "alice"]) == 0
    assert (tmp_path / "hero" / "boxes" / "mine" / "box.toml").is_file()
    assert "`hero_dev --box mine box up` starts its daemons" in capsys.readouterr().out


def test_an_install_where_there_is_no_box_makes_one_only_if_the_forge_is_named(tmp_path: Path, forge: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HERO_")}
    environment |= {"XDG_DATA_HOME": str(tmp_path / "data"), "HERO_SLOT": "alice"}
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("0" * 40)
    program = (
        "from hero_tui.verbs.box_new import ensure_box; from hero_tui.verbs.session import Session; import sys\n"
    )
    program += "ensure_box(Session())"
    argv = [sys.executable, "-c", program]

    def ensured(**more: str) -> subprocess.CompletedProcess[str]:
        variables = {**environment, "PYTHONPATH": str(Path(__file__).parents[2]), **more}
        return subprocess.run(argv, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    root = tmp_path / "data" / "hero" / "boxes" / "demo"
    assert ensured().returncode == 0
    assert not root.exists()
    assert "does not know the token" in ensured(HERO_FORGE_URL=forge, HERO_FORGE_TOKEN_FILE=str(token)).stderr
    assert not root.exists()
    token.write_text(TOKEN)
    done = ensured(HERO_FORGE_URL=forge, HERO_FORGE_TOKEN_FILE=str(token))
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 1)
    assert read_boxfile(BoxPaths(root)).forge.url == forge
    assert ensured(HERO_FORGE_URL=forge).stderr == ""
