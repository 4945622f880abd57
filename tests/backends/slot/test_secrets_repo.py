"""The private secrets repository: what is taken, kept, joined and refused, with real git on both sides."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.forge.folder import FolderForge
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.secrets import parse_secrets
from backends.slot.secrets_draft import Drafts
from backends.slot.secrets_file import read_secrets, secrets_for
from backends.slot.secrets_repo import Outcome, SecretsRepo

REPO = "lhumina_code/alice_secrets"
FIRST = 'schema = 1\n\n[secrets]\nONE = "first-value"\n\n# far apart\n\n\n\n\n\nTWO = "second-value"\n'


@dataclass
class Place:
    """One machine of alice's: a slot with its clone, and where drafts lie."""

    paths: SlotPaths
    repo: SecretsRepo
    drafts: Drafts

    @property
    def text(self) -> str:
        return self.paths.secrets_file.read_text()

    async def edit(self, text: str) -> Outcome:
        draft, _ = await self.repo.begin_edit()
        draft.file.write_text(text)
        return await self.repo.finish_edit(draft)

    async def draft_text(self) -> str:
        return (await self.repo.begin_edit())[0].file.read_text()


class Team:
    """The forge, and as many machines as are asked for."""

    def __init__(self, root: Path):
        self.root = root
        self.forge = FolderForge(root / "forge")

    async def machine(self, name: str) -> Place:
        paths = SlotPaths(self.root / name / "hero")
        paths.root.mkdir(parents=True)
        drafts = Drafts(self.root / name / "run" / "drafts")
        repo = SecretsRepo(paths, self.forge, REPO, name, drafts)
        await repo.clone()
        return Place(paths, repo, drafts)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    made = Team(tmp_path)
    await made.forge.create_repository(REPO)
    yield made
    await made.forge.aclose()


@pytest.fixture
async def box(team: Team) -> Place:
    """A machine whose first secrets are pushed."""
    place = await team.machine("box")
    await place.edit(FIRST)
    await place.repo.push()
    return place


async def refused(work: object) -> HeroError:
    with pytest.raises(HeroError) as caught:
        await work  # type: ignore[misc]
    assert "-value" not in str(caught.value) + repr(caught.value.data)
    return caught.value


async def test_a_clone_of_an_empty_repository_takes_its_first_secrets(team: Team) -> None:
    place = await team.machine("box")
    draft, resumed = await place.repo.begin_edit()
    assert not resumed
    assert parse_secrets(draft.file.read_text()).titles() == {}
    outcome = await place.edit(FIRST)
    assert (outcome.changed, outcome.unpushed) == (True, 1)
    assert (await place.repo.push()).unpushed == 0
    assert (await team.machine("laptop")).text == FIRST
    assert await place.repo.push() == Outcome(False, outcome.commit, 0)


async def test_a_clone_made_before_the_first_push_follows_it(team: Team) -> None:
    early = await team.machine("early")
    assert not (await early.repo.sync()).changed
    late = await team.machine("late")
    await late.edit(FIRST)
    await late.repo.push()
    assert (await early.repo.sync()).changed
    assert early.text == FIRST


async def test_everything_in_the_folder_is_the_owners_alone(box: Place, team: Team) -> None:
    (box.paths.secrets / "keys").mkdir()
    (box.paths.secrets / "keys" / "tls.pem").write_text("pem")
    (box.paths.secrets / "keys" / "tls.pem").chmod(0o644)
    await box.repo.push()
    laptop = await team.machine("laptop")
    for place in (laptop.paths.secrets, *laptop.paths.secrets.rglob("*")):
        if ".git" not in place.parts:
            assert not place.stat().st_mode & 0o077, place
    assert stat.S_IMODE(laptop.paths.secrets_file.stat().st_mode) == 0o600


async def test_a_draft_is_in_a_folder_of_its_owners_alone_and_gone_afterwards(box: Place) -> None:
    draft, _ = await box.repo.begin_edit()
    assert stat.S_IMODE(draft.file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(draft.file.stat().st_mode) == 0o600
    (draft.file.parent / "secrets.toml~").write_text("what an editor leaves")
    assert not (await box.repo.finish_edit(draft)).changed
    assert not draft.file.parent.exists()


async def test_an_edit_that_does_not_parse_is_refused_and_kept(box: Place) -> None:
    error = await refused(box.edit('schema = 1\n[secrets]\nONE = "bad-value\n'))
    assert error.code == "invalid_file"
    assert ":3:" in error.message
    assert box.text == FIRST
    draft, resumed = await box.repo.begin_edit()
    assert resumed
    assert "bad-value" in draft.file.read_text()
    draft.file.write_text(FIRST.replace("first", "third"))
    assert (await box.repo.finish_edit(draft)).changed


async def test_two_edits_at_once_are_refused(box: Place) -> None:
    with box.drafts.held(), pytest.raises(HeroError) as caught, box.drafts.held():
        pass
    assert caught.value.code == "busy"


async def test_sync_takes_what_another_machine_pushed(box: Place, team: Team) -> None:
    laptop = await team.machine("laptop")
    await box.edit(FIRST.replace("first", "newer"))
    await box.repo.push()
    assert (await laptop.repo.sync()).changed
    assert not (await laptop.repo.sync()).changed
    assert laptop.text == box.text


async def test_sync_does_not_take_a_file_that_does_not_parse(box: Place, team: Team) -> None:
    laptop = await team.machine("laptop")
    (laptop.paths.secrets_file).write_text("schema = 1\n[secrets]\nONE = bad-value\n")
    await laptop.repo._keep_changes()
    await laptop.repo._send(await laptop.repo._history.head())
    assert (await refused(box.repo.sync())).code == "invalid_file"
    assert box.text == FIRST


async def test_sync_leaves_a_change_by_hand_alone_and_push_takes_it_along(box: Place, team: Team) -> None:
    laptop = await team.machine("laptop")
    await box.edit(FIRST.replace("first-value", "box-value"))
    await box.repo.push()
    by_hand = FIRST.replace("second-value", "hand-value")
    laptop.paths.secrets_file.write_text(by_hand)
    assert (await refused(laptop.repo.sync())).code == "conflict"
    assert laptop.text == by_hand
    await laptop.repo.push()
    both = parse_secrets(laptop.text).titles()
    assert both == {"ONE": "box-value", "TWO": "hand-value"}
    await box.repo.sync()
    assert box.text == laptop.text


async def test_changes_of_different_secrets_on_two_machines_are_put_together(box: Place, team: Team) -> None:
    laptop = await team.machine("laptop")
    await box.edit(FIRST.replace("first-value", "box-value"))
    await laptop.edit(FIRST.replace("second-value", "laptop-value"))
    await box.repo.push()
    assert (await refused(laptop.repo.sync())).code == "conflict"
    assert (await laptop.repo.push()).unpushed == 0
    assert parse_secrets(laptop.text).titles() == {"ONE": "box-value", "TWO": "laptop-value"}


async def test_a_change_of_the_same_secret_is_told_by_name_and_chosen_in_the_next_edit(
    box: Place, team: Team
) -> None:
    laptop = await team.machine("laptop")
    await box.edit(FIRST.replace("first-value", "box-value"))
    await laptop.edit(FIRST.replace("first-value", "laptop-value"))
    await box.repo.push()
    error = await refused(laptop.repo.push())
    assert (error.code, error.data["secrets"]) == ("conflict", ["ONE"])
    assert "box" in error.message
    assert "laptop-value" in laptop.text
    shown = await laptop.draft_text()
    assert "<<<<<<< yours\n" in shown
    assert ">>>>>>> theirs\n" in shown
    assert "box-value" in shown
    assert "laptop-value" in shown
    assert (await refused(laptop.edit(shown))).code == "invalid_file"
    await laptop.edit(FIRST.replace("first-value", "chosen-value"))
    assert (await laptop.repo.push()).unpushed == 0
    await box.repo.sync()
    assert parse_secrets(box.text).titles()["ONE"] == "chosen-value"


async def test_what_only_together_is_no_valid_file_is_not_pushed(box: Place, team: Team) -> None:
    laptop = await team.machine("laptop")
    await box.edit(FIRST.replace("[secrets]\n", '[secrets]\nNEW = "box-value"\n'))
    await laptop.edit(FIRST + 'NEW = "laptop-value"\n')
    await box.repo.push()
    error = await refused(laptop.repo.push())
    assert (error.code, error.data["secrets"]) == ("conflict", ["NEW"])
    await laptop.edit(FIRST + 'NEW = "laptop-value"\n')
    await laptop.repo.push()
    assert parse_secrets(laptop.text).titles()["NEW"] == "laptop-value"


async def test_an_edit_during_which_the_files_moved_is_joined_or_becomes_a_choice(box: Place, team: Team) -> None:
    laptop = await team.machine("laptop")
    draft, _ = await laptop.repo.begin_edit()
    await box.edit(FIRST.replace("second-value", "box-value"))
    await box.repo.push()
    await laptop.repo.sync()
    draft.file.write_text(FIRST.replace("first-value", "slow-value"))
    assert (await laptop.repo.finish_edit(draft)).changed
    assert parse_secrets(laptop.text).titles() == {"ONE": "slow-value", "TWO": "box-value"}

    draft, _ = await laptop.repo.begin_edit()
    draft.file.write_text(laptop.text.replace("box-value", "slower-value"))
    laptop.paths.secrets_file.write_text(laptop.text.replace("box-value", "hand-value"))
    await laptop.repo.push()
    error = await refused(laptop.repo.finish_edit(draft))
    assert error.data["secrets"] == ["TWO"]
    shown = await laptop.draft_text()
    assert "slower-value" in shown
    assert "hand-value" in shown


async def test_an_open_edit_is_not_overwritten_by_a_push_that_collides(box: Place, team: Team) -> None:
    laptop = await team.machine("laptop")
    await box.edit(FIRST.replace("first-value", "box-value"))
    await laptop.edit(FIRST.replace("first-value", "laptop-value"))
    await box.repo.push()
    draft, _ = await laptop.repo.begin_edit()
    draft.file.write_text(FIRST.replace("first-value", "open-value"))
    assert "finish the edit" in (await refused(laptop.repo.push())).hint
    assert "open-value" in await laptop.draft_text()


async def test_another_file_that_collides_is_named(box: Place, team: Team) -> None:
    laptop = await team.machine("laptop")
    for place in (box, laptop):
        (place.paths.secrets / "note.txt").write_text(f"of {place.paths.root}")
    await box.repo.push()
    error = await refused(laptop.repo.push())
    assert "note.txt" in error.message
    assert "git -C" in error.hint


async def test_many_machines_that_push_at_once_lose_nothing(box: Place, team: Team) -> None:
    places = [await team.machine(f"m{number}") for number in range(3)]
    for number, place in enumerate(places):
        await place.edit(FIRST + f'\n[service.hero_{number}]\nOWN = "own-value"\n' if not number else FIRST)
        (place.paths.secrets / f"file{number}").write_text("x")
    await asyncio.gather(*(place.repo.push() for place in places))
    await box.repo.sync()
    names = {path.name for path in box.paths.secrets.iterdir()} - {".git"}
    assert names == {"secrets.toml", "file0", "file1", "file2"}
    assert parse_secrets(box.text).of("hero_0")["OWN"] == "own-value"


async def test_a_repository_that_nobody_made_is_told_and_made_only_where_asked(tmp_path: Path) -> None:
    team = Team(tmp_path)
    await team.forge.create_repository("lhumina_code/other")
    paths = SlotPaths(tmp_path / "box" / "hero")
    paths.root.mkdir(parents=True)
    repo = SecretsRepo(paths, team.forge, REPO, "alice", Drafts(tmp_path / "run" / "d"))
    assert (await refused(repo.clone())).code == "not_found"
    assert not paths.secrets.exists()
    assert await repo.clone(make=True)
    assert not await repo.clone()


async def test_a_folder_that_is_no_clone_is_not_touched(tmp_path: Path) -> None:
    team = Team(tmp_path)
    await team.forge.create_repository(REPO)
    paths = SlotPaths(tmp_path / "box" / "hero")
    paths.secrets.mkdir(parents=True)
    paths.secrets_file.write_text(FIRST)
    repo = SecretsRepo(paths, team.forge, REPO, "alice", Drafts(tmp_path / "run" / "d"))
    assert (await refused(repo.clone())).code == "conflict"
    assert paths.secrets_file.read_text() == FIRST


async def test_a_link_in_the_repository_leads_nowhere(box: Place, team: Team) -> None:
    (box.paths.secrets / "out").symlink_to("/etc/passwd")
    await box.repo.push()
    laptop = await team.machine("laptop")
    assert not (laptop.paths.secrets / "out").is_symlink()


async def test_a_service_gets_what_it_asks_for_and_its_own_goes_first(box: Place) -> None:
    await box.edit(FIRST + '\n[service.hero_x]\nONE = "own-value"\n')
    assert await secrets_for(box.paths, "hero_x", {"ONE", "TWO"}) == {"ONE": "own-value", "TWO": "second-value"}
    assert await secrets_for(box.paths, "hero_y", {"ONE"}) == {"ONE": "first-value"}
    assert await secrets_for(box.paths, "hero_y", ()) == {}


async def test_secrets_that_there_are_not_are_named(box: Place) -> None:
    error = await refused(secrets_for(box.paths, "hero_y", {"ONE", "TOW", "THREE"}))
    assert (error.code, error.data["secrets"]) == ("not_found", ["THREE", "TOW"])
    assert "did you mean TWO" in (await refused(secrets_for(box.paths, "hero_y", {"TOW"}))).message
    box.paths.secrets_file.unlink()
    assert (await refused(secrets_for(box.paths, "hero_y", {"ONE"}))).code == "not_found"


async def test_a_file_that_others_can_read_is_not_used(box: Place) -> None:
    box.paths.secrets_file.chmod(0o640)
    assert read_secrets(box.paths).titles()
    box.paths.secrets.chmod(0o750)
    assert (await refused(secrets_for(box.paths, "hero_y", {"ONE"}))).code == "denied"


async def test_a_link_or_a_pipe_in_the_files_place_is_refused(box: Place, tmp_path: Path) -> None:
    box.paths.secrets_file.rename(tmp_path / "elsewhere")
    box.paths.secrets_file.symlink_to(tmp_path / "elsewhere")
    assert (await refused(secrets_for(box.paths, "hero_y", {"ONE"}))).code == "failed"
