"""The main flow on a real box: switch, back, build, publish; and what must be refused, with nothing lost."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backends.forge.folder import FolderForge
from tests.acceptance.small_box import SmallBox, manifest_text, small_box

pytestmark = pytest.mark.slow

WEB = "hero_web"
TRUNK = "development"


@pytest.fixture(scope="module")
def made() -> Iterator[SmallBox]:
    with small_box("a box with späces") as box:
        box.start_slotd()
        box.done("slot.start")
        yield box


@pytest.fixture
def box(made: SmallBox) -> SmallBox:
    """The box with hero_web on the trunk's newest release, healthy."""
    made.done("slot.switch", {"service": WEB, "branch": TRUNK, "from": "release"})
    return made


def git(worktree: Path, *args: str) -> None:
    identity = ["-c", "user.name=Alice", "-c", "user.email=alice@hero.example"]
    subprocess.run(["git", "-C", str(worktree), *identity, *args], check=True, capture_output=True)


def manifest(box: SmallBox) -> str:
    return box.slot.manifest.read_text()


def test_status_tells_drift_health_and_hash_of_every_binding(box: SmallBox) -> None:
    status = box.call("slot.status")
    assert {one["service"] for one in status["services"]} == {"hero_web", "hero_db", "hero_api"}
    for one in status["services"]:
        assert (one["drift"], one["health"]) == ("current", "healthy")
        assert one["hash"] == box.commit(one["service"], TRUNK)


def test_a_teammates_archive_runs_without_compiling_and_back_returns(box: SmallBox) -> None:
    plan = box.call("slot.plan", {"action": "switch", "service": WEB, "branch": "development_mik"})
    assert (plan["compiles"], plan["restarts"], plan["nothing_to_do"]) == (False, [WEB], False)
    before = manifest(box)
    assert before == manifest(box), "a plan changes nothing"
    result = box.done("slot.switch", {"service": WEB, "branch": "development_mik"})
    assert result["compiled"] is False
    assert box.ask(WEB)["page"] == "mik"
    assert not list(box.slot.build_log.glob(f"{WEB}-*"))
    back = box.done("slot.switch", {"service": WEB, "back": True})
    assert back["branch"] == TRUNK
    assert box.ask(WEB)["page"] == 2
    again = box.done("slot.switch", {"service": WEB, "back": True})
    assert again["branch"] == "development_mik"


def test_a_switch_to_what_runs_already_restarts_nothing(box: SmallBox) -> None:
    pid = box.cell(WEB)["pid"]
    assert box.done("slot.switch", {"service": WEB, "branch": TRUNK})["nothing_to_do"] is True
    assert box.cell(WEB)["pid"] == pid


def test_a_branch_with_a_slash_is_a_branch_like_any_other(box: SmallBox) -> None:
    box.done("slot.switch", {"service": WEB, "branch": "feature/a-slash"})
    assert box.ask(WEB)["page"] == 5


def test_a_pinned_hash_stays_pinned(box: SmallBox) -> None:
    oldest = box.commit(WEB, TRUNK, 0)
    box.done("slot.switch", {"service": WEB, "branch": TRUNK, "from": "hash", "hash": oldest[:8]})
    cell = box.cell(WEB)
    assert (cell["drift"], cell["hash"]) == ("pinned", oldest)
    assert box.ask(WEB)["page"] == 1


def test_a_service_that_never_gets_healthy_leaves_the_old_version_running(box: SmallBox) -> None:
    before = manifest(box)
    path = box.slot.worktree(WEB, "never_ready")
    ended = box.run("slot.switch", {"service": WEB, "branch": "never_ready"})
    assert ended["state"] == "failed"
    assert ended["error"]["code"] == "unhealthy"
    assert "in force again and healthy" in ended["error"]["message"]
    assert box.ask(WEB)["page"] == 2
    assert box.cell(WEB)["health"] == "healthy"
    assert manifest(box) == before
    assert not path.exists()


def test_a_cancelled_switch_leaves_the_old_version_running(box: SmallBox) -> None:
    before = manifest(box)
    operation = box.begin("slot.switch", {"service": WEB, "branch": "never_ready"})
    box.until(
        lambda: box.call("operation.get", {"operation": operation})["phase"] == "health check", "the health check"
    )
    box.call("operation.cancel", {"operation": operation})
    ended = box.call("operation.wait", {"operation": operation})
    assert ended["state"] == "cancelled"
    assert box.ask(WEB)["page"] == 2
    assert manifest(box) == before


def test_a_build_that_fails_changes_nothing_and_its_log_is_readable(box: SmallBox) -> None:
    before = manifest(box)
    ended = box.run("slot.switch", {"service": WEB, "branch": "does_not_build", "from": "build"})
    assert ended["error"]["code"] == "build_failed"
    assert "could not compile hero_web" in ended["error"]["message"]
    cell = box.cell(WEB)
    assert (cell["build"]["state"], cell["health"]) == ("failed", "healthy")
    lines = box.call("slot.logs", {"build": cell["build"]["id"]})["lines"]
    assert any("invalid syntax" in line["text"] for line in lines)
    assert box.ask(WEB)["page"] == 2
    assert manifest(box) == before


def test_two_switches_of_one_service_at_once_do_not_mix(box: SmallBox) -> None:
    def one(branch: str) -> str:
        try:
            return str(box.run("slot.switch", {"service": WEB, "branch": branch})["state"])
        except Exception as error:
            return str(getattr(error, "code", error))

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(one, ("development_mik", "feature/a-slash")))
    assert ends in (["busy", "succeeded"], ["succeeded", "succeeded"])
    cell = box.cell(WEB)
    assert box.ask(WEB)["branch"] == cell["branch"]
    assert cell["health"] == "healthy"


@pytest.mark.parametrize(
    ("params", "code", "said"),
    [
        ({"service": "hero_wep"}, "not_found", "hero_web"),
        ({"service": WEB, "branch": "development_mikk"}, "not_found", "development_mik"),
        ({"service": WEB, "branch": "does_not_build"}, "not_found", "--from build"),
        ({"service": WEB, "from": "hash", "hash": "0123456789"}, "not_found", ""),
        ({"service": WEB, "branch": "../../etc"}, "usage", ""),
        ({"service": WEB, "branch": "-x"}, "usage", ""),
        ({"service": WEB, "branch": "a\x1b[31mb"}, "usage", ""),
        ({"service": WEB, "from": "hash"}, "usage", ""),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint_and_changes_nothing(
    box: SmallBox, params: dict[str, str], code: str, said: str
) -> None:
    before, pid = manifest(box), box.cell(WEB)["pid"]
    ended = box.run("slot.switch", params)
    assert (ended["state"], ended["error"]["code"]) == ("failed", code)
    assert said in ended["error"]["message"] + ended["error"]["hint"]
    assert "\x1b" not in ended["error"]["message"]
    assert (manifest(box), box.cell(WEB)["pid"]) == (before, pid)


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("\n[[bind]\n", 2),
        ('\n[[bind]]\nservice = "x"\nbrnch = "y"\nfrom = "release"\n', 4),
        ('\n[[bind]]\nservice = "hero_web"\nbranch = "development"\nfrom = "release"\n', 3),
    ],
)
def test_a_broken_manifest_is_reported_and_the_last_good_one_stays_in_force(
    box: SmallBox, broken: str, line: int
) -> None:
    good = manifest(box)
    box.slot.manifest.write_text(good + broken)
    try:
        box.until(lambda: box.call("slot.status")["problems"], "the report of the problem")
        status = box.call("slot.status")
        assert any(f":{good.count(chr(10)) + line}:" in one for one in status["problems"])
        assert {one["service"] for one in status["services"]} == {"hero_web", "hero_db", "hero_api"}
        refused = box.run("slot.switch", {"service": WEB, "branch": "development_mik"})
        assert refused["error"]["code"] == "invalid_file"
        assert manifest(box) == good + broken
        assert box.ask(WEB)["page"] == 2
    finally:
        box.slot.manifest.write_text(good)
    box.until(lambda: not box.call("slot.status")["problems"], "the mended manifest")


def test_an_edit_by_hand_shows_as_drift_and_a_pull_follows_it(box: SmallBox) -> None:
    changed = manifest(box).replace('"development"', '"development_mik"', 1)
    box.slot.manifest.write_text(changed)
    box.until(lambda: box.cell(WEB)["drift"] == "behind", "the drift")
    assert box.done("slot.pull", {"service": WEB})["pulled"] == [WEB]
    assert box.ask(WEB)["page"] == "mik"


def test_unbind_and_bind_leave_the_rest_of_the_manifest_alone(box: SmallBox) -> None:
    box.done("slot.unbind", {"service": "hero_api"})
    assert "hero_api" not in [one["service"] for one in box.call("slot.status")["services"]]
    assert manifest(box).startswith(manifest_text().split("[[bind]]")[0])
    box.done("slot.bind", {"service": "hero_api"})
    assert box.cell("hero_api")["health"] == "healthy"


def test_stop_and_start_go_by_what_services_depend_on(box: SmallBox) -> None:
    plan = box.call("slot.plan", {"action": "stop", "service": ""})
    order = [step["subject"] for step in plan["steps"]]
    assert order.index("hero_api") < order.index("hero_db")
    assert set(box.done("slot.stop")["stopped"]) == {"hero_api", "hero_db", WEB}
    assert box.done("slot.stop")["nothing_to_do"] is True
    started = box.done("slot.start")["started"]
    assert started.index("hero_db") < started.index("hero_api")


def test_a_repository_that_is_gone_or_corrupt_is_told_and_the_slot_goes_on(box: SmallBox) -> None:
    repository = box.where.box.forge / "lhumina_code" / "hero_db.git"
    aside = repository.with_name("aside.git")
    asked = {"service": "hero_db", "branch": TRUNK, "from": "build"}
    repository.rename(aside)
    try:
        gone = box.run("slot.switch", asked)
        repository.mkdir()
        (repository / "HEAD").write_bytes(b"\x00garbage")
        corrupt = box.run("slot.switch", asked)
        (repository / "HEAD").unlink()
        repository.rmdir()
    finally:
        aside.rename(repository)
    for ended in (gone, corrupt):
        assert ended["state"] == "failed"
        assert ended["error"]["code"] != "internal"
        assert "hero_db" in ended["error"]["message"]
    assert box.cell("hero_db")["health"] == "healthy"
    box.done("slot.switch", asked)
    assert box.cell("hero_db")["drift"] == "current"


def test_a_damaged_archive_in_the_cache_is_set_aside_and_fetched_again(box: SmallBox) -> None:
    box.done("slot.switch", {"service": WEB, "branch": "development_mik"})
    digest: str = box.cell(WEB)["sha256"]
    box.done("slot.switch", {"service": WEB, "branch": TRUNK})
    cached = box.where.box.cache / "sha256" / digest[:2] / digest
    cached.chmod(0o644)
    cached.write_bytes(b"rotten" + cached.read_bytes()[6:])
    for folder in (box.slot.opt / WEB).glob(f"{box.commit(WEB, 'development_mik')[:8]}*"):
        folder.rename(box.root / "aside-version")
    box.done("slot.switch", {"service": WEB, "branch": "development_mik"})
    assert box.ask(WEB)["page"] == "mik"


def test_a_commit_in_the_worktree_and_a_rebuild_change_what_is_answered(box: SmallBox) -> None:
    box.done("slot.switch", {"service": WEB, "branch": TRUNK, "from": "build"})
    worktree = box.slot.worktree(WEB, TRUNK)
    app = worktree / "app.py"
    app.write_text(app.read_text().replace('{"page": 2}', '{"page": "edited"}'))
    assert box.cell(WEB)["drift"] == "modified"
    dirty = box.done("slot.rebuild", {"service": WEB})
    assert dirty["dirty"] is True
    assert box.ask(WEB)["page"] == "edited"
    refused = box.run("slot.rebuild", {"service": WEB, "publish": True})
    assert "uncommitted changes" in refused["error"]["message"]
    git(worktree, "commit", "-qam", "Edit the page")
    clean = box.done("slot.rebuild", {"service": WEB})
    assert clean["dirty"] is False
    assert clean["hash"] != dirty["hash"]
    unpushed = box.run("slot.rebuild", {"service": WEB, "publish": True})
    assert unpushed["state"] == "failed"
    assert "push" in unpushed["error"]["hint"].lower()
    git(worktree, "push", "-q", "origin", f"HEAD:{TRUNK}")
    published = box.done("slot.rebuild", {"service": WEB, "publish": True})
    release = asyncio.run(FolderForge(box.where.box.forge).release(f"lhumina_code/{WEB}", published["tag"]))
    assert release.commit == clean["hash"]
    box.done("slot.switch", {"service": WEB, "branch": TRUNK, "from": "release"})
    assert box.ask(WEB)["page"] == "edited"
