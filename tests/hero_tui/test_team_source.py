"""The team behind its screen: a real checkout, a reconciler of canned answers on a real socket, or none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from hero_tui import team_source
from hero_tui.team_source import BoxTeam
from tests.hero_tui.teams import COMMIT, DIFF, FILES, PLAN, some_look
from tests.hero_tui.verbs.canned import Canned, canned_box


@pytest.fixture
def box() -> Iterator[Canned]:
    with canned_box() as found:
        checkout = BoxPaths(found.root).team
        for name, text in FILES.items():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            (checkout / name).write_text(text)
        yield found


@pytest.fixture
def reconciler(box: Canned, monkeypatch: pytest.MonkeyPatch) -> Canned:
    """A system box, the canned box's socket as its reconciler's."""
    monkeypatch.setattr(team_source, "is_system", lambda _: True)
    monkeypatch.setattr(BoxTeam, "_socket", BoxPaths(box.root).rpc_socket)
    (BoxPaths(box.root).team / "COMMIT").write_text(f"{COMMIT}\n")
    return box


def team_of(box: Canned) -> BoxTeam:
    return BoxTeam(Where(BoxPaths(box.root), "alice"))


async def test_the_checkout_is_read_with_the_lines_around_what_is_wrong(box: Canned) -> None:
    look = await team_of(box).look()
    assert set(look.repo.users) == {"alice", "integration", "mik", "zoe"}
    assert [problem.file for problem in look.problems] == ["services.toml", "users/thabet.toml"]
    assert look.excerpts["users/thabet.toml"][3] == 'role = "developper"'
    assert (look.reconciled, look.status, look.slots) == (False, None, ("alice", "mik"))


async def test_a_line_whose_value_nobody_should_read_again_is_not_shown(box: Canned) -> None:
    path = BoxPaths(box.root).team / "users" / "mik.toml"
    path.write_text(FILES["users/mik.toml"] + '[claude_org_key]\nenabled = true\nkey_secret_name = "sk-ant-x"\n')
    look = await team_of(box).look()
    assert any(problem.file == "users/mik.toml" for problem in look.problems)
    assert "sk-ant-x" not in str(look.excerpts) + str(look.problems)


async def test_a_file_that_is_a_link_is_not_followed(box: Canned) -> None:
    path = BoxPaths(box.root).team / "users" / "thabet.toml"
    path.unlink()
    path.symlink_to("/etc/passwd")
    look = await team_of(box).look()
    assert "root:" not in str(look)


async def test_what_the_reconciler_tells_is_beside_it(reconciler: Canned) -> None:
    status = some_look().status
    assert status
    reconciler.answers |= {"team.status": status, "team.plan": PLAN, "team.diff": DIFF}
    team = team_of(reconciler)
    look = await team.look()
    assert (look.reconciled, look.status, look.commit) == (True, status, COMMIT)
    assert await team.plan() == PLAN
    assert await team.diff() == DIFF


async def test_one_that_does_not_answer_leaves_the_files(
    reconciler: Canned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(BoxTeam, "_socket", tmp_path / "none.sock")
    look = await team_of(reconciler).look()
    assert look.status is None
    assert "The reconciler" in look.trouble
    assert "alice" in look.repo.users


async def test_a_rootless_box_has_no_plan_and_says_so(box: Canned) -> None:
    with pytest.raises(HeroError) as caught:
        await team_of(box).plan()
    assert caught.value.message == "A rootless box has no reconciler, and so no plan."


async def test_the_diff_of_a_rootless_box_is_of_files_and_slots(box: Canned) -> None:
    BoxPaths(box.root).slot("guest").root.mkdir(parents=True)
    found = {one.user: (one.there, one.wanted) for one in (await team_of(box).diff()).differences}
    assert found == {
        "guest": (("slot: there",), ("slot: none",)),
        "integration": (("slot: none",), ("slot: there",)),
        "zoe": (("slot: none",), ("slot: there",)),
    }


async def test_before_there_is_a_checkout_nobody_is_there_but_the_slots(tmp_path: Path) -> None:
    look = await BoxTeam(Where(BoxPaths(tmp_path))).look()
    assert (look.repo.users, look.slots) == ({}, ())
