"""`service_<svc>` and its kin: what they mean today, as words and as links."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends.model.slot_calls import OperationRef
from backends.model.state import CatalogueEntry, FleetSnapshot, Operation
from hero_tui.verbs import aliases
from hero_tui.verbs.old_names import names_of, service_called
from tests.hero_tui.render.replies import NOW, ago, service, slot
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line

ROOT = Path(__file__).parents[3]
CATALOGUE = (
    CatalogueEntry(name="hero_router", repo="a/hero_router", short="rt"),
    CatalogueEntry(name="hero_db", repo="a/hero_db", short="db"),
    CatalogueEntry(name="hero_complete", repo="a/hero_complete", short="complete"),
)


def ended(kind: str, **result: object) -> Operation:
    return Operation(
        id="o1", kind=kind, state="succeeded", started_at=ago(1), finished_at=NOW, result=dict(result)
    )


@pytest.fixture
def team(box: Canned) -> Canned:
    box.answers |= {
        "fleet.snapshot": FleetSnapshot(box="b", seq=1, trunk="development", catalogue=CATALOGUE, time=NOW),
        "slot.status": slot(service(), service("hero_db")),
        **{
            f"slot.{verb}": OperationRef(operation="o1")
            for verb in ("install", "start", "stop", "restart", "pull")
        },
    }
    return box


@pytest.mark.parametrize("name", ["router", "hero_router", "rt"])
def test_a_service_is_installed_by_any_of_its_names(team: Canned, hero_dev: Line, name: str) -> None:
    team.answers["operation.wait"] = ended("install", service="hero_router")
    told = hero_dev.says(f"service_{name}", "install", "--download", "--reset")
    assert told.endswith(f"hero_dev: `service_{name} install` is `hero_dev install hero_router` now.\n")
    asked = team.params("slot.install")
    assert (asked.service, asked.reset) == ("hero_router", True)


def test_the_other_verbs_of_a_service_lead_to_ours(team: Canned, hero_dev: Line) -> None:
    team.answers["operation.wait"] = ended("restart", started=["hero_db"])
    for verb in ("start", "stop", "restart"):
        hero_dev.says("service_db", verb, "-q")
        assert team.params(f"slot.{verb}").services == ("hero_db",)
    assert "  branch     development\n" in hero_dev.says("service_db", "status")
    assert hero_dev.answers("service_db", "status", "-q")["service"] == "hero_db"


def test_a_name_that_nobody_knows_gets_the_nearest(team: Canned, hero_dev: Line) -> None:
    assert "`router`" in hero_dev.says("service_ruter", "start", code=2)
    assert "Did you mean `install`?" in hero_dev.says("service_db", "instal", code=2)
    assert "What should `service_db` do?" in hero_dev.says("service_db", code=2)
    assert "--nope" in hero_dev.says("service_db", "install", "--nope", code=2)
    assert "usage: service_db install|start" in hero_dev.says("service_db", "--help")


def test_a_name_of_its_own_wins_over_one_without_hero_and_over_a_short_one() -> None:
    entries = [
        {"name": "hero_x", "short": "a"},
        {"name": "x", "short": "b"},
        {"name": "hero_a", "short": "c"},
    ]
    assert [service_called(name, entries) for name in ("x", "a", "b", "hero_x", "y")] == [
        "x", "hero_a", "x", "hero_x", "",
    ]  # fmt: skip


def test_the_whole_slot_is_started_and_with_update_pulled_first(team: Canned, hero_dev: Line) -> None:
    team.answers["operation.wait"] = ended("start", started=["hero_db"])
    assert "`service_complete` is `hero_dev start` now" in hero_dev.says("service_complete")
    assert team.params("slot.start").services == ()
    team.asked.clear()
    team.answers["operation.wait"] = [ended("pull", nothing_to_do=True), ended("start", started=["hero_db"])]
    assert hero_dev.answers("service_complete", "--update")["kind"] == "start"
    assert [name for name, _ in team.asked if name in ("slot.pull", "slot.start")] == ["slot.pull", "slot.start"]
    team.answers["operation.wait"] = ended("start", nothing_to_do=True)
    hero_dev.says("service_complete", "--update", code=3)
    assert "about the whole slot" in hero_dev.says("service_complete", "hero_db", code=2)


def test_links_of_the_old_names_are_made_once_and_nothing_is_overwritten(
    team: Canned, hero_dev: Line, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "bin"
    told = hero_dev.says("aliases", "--dir", str(folder))
    names = "service_router, service_rt, service_db, service_complete"
    assert told == f"Made in {folder}: {names}.\n{folder} is not in PATH.\n"
    assert (folder / "service_db").readlink() == aliases.program()
    assert hero_dev.answers("aliases", "--dir", str(folder), code=3)["there"] == names.split(", ")
    (folder / "service_db").unlink()
    (folder / "service_db").write_text("mine")
    (folder / "service_rt").unlink()
    (folder / "service_rt").symlink_to("/elsewhere/hero_dev")  # ours, of another installation
    answer = hero_dev.answers("aliases", "--dir", str(folder), code=1)
    assert (answer["made"], answer["in_the_way"]) == (["service_rt"], ["service_db"])
    assert (folder / "service_db").read_text() == "mine"
    assert "is something else, and stays" in hero_dev.says("aliases", "--dir", str(folder), code=1)


def test_no_link_takes_the_name_of_the_whole_slot() -> None:
    assert names_of({"name": "hero_complete", "short": "complete"}) == []


def test_a_folder_that_cannot_be_made_is_a_sentence(team: Canned, hero_dev: Line, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "No links can be made in" in hero_dev.says("aliases", "--dir", str(tmp_path / "file" / "bin"), code=1)


def test_the_program_called_by_a_link_does_what_its_name_says(team: Canned, tmp_path: Path) -> None:
    link = tmp_path / "service_db"
    link.symlink_to(ROOT / "hero_tui" / "cli.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HERO_BOX": str(team.root), "HERO_SLOT": "alice"}
    argv = [sys.executable, str(link), "status", "--json"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert '"service": "hero_db"' in done.stdout
    assert done.stderr == "hero_dev: `service_db status` is `hero_dev status hero_db` now.\n"
