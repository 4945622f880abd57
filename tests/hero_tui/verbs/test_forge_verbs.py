"""`releases`, `gates`, `hooks`, `fork` and one service's `status` against daemons of canned answers."""

from __future__ import annotations

from typing import Any

from backends.model.errors import HeroError
from backends.model.forge import CommitInfo, Gate, HookState, ReleaseInfo
from backends.model.forge_calls import CompareResult, GatesResult, HooksResult, ReleaseListResult
from backends.model.slot_calls import OperationRef
from backends.model.state import Operation
from tests.hero_tui.render.replies import NOW, ago, service, slot
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line

HOOK = {"repo": "lhumina_code/hero_web", "url": "https://box/hooks/forge"}


def hooks(*states: str) -> HooksResult:
    found = [
        HookState.model_validate({**HOOK, "repo": f"lhumina_code/s{n}", "state": s}) for n, s in enumerate(states)
    ]
    return HooksResult(hooks=tuple(found), url=HOOK["url"])


def gate(**fields: Any) -> Gate:
    given = {"service": "hero_web", "repo": "a/b", "branch": "development", "commit": "1c487cb1" * 5}
    well = {"builds": "pass", "archives": "pass", "healthy": "pass"}
    return Gate.model_validate({**given, **well, **fields})


def test_a_release_is_told_with_its_address_in_json(box: Canned, hero_dev: Line) -> None:
    release = ReleaseInfo(
        tag="development-1", branch="development", commit="1c", url="https://forge/r/1", downloads=3
    )
    box.answers["release.list"] = ReleaseListResult(releases=(release,), next_page=3)
    told = hero_dev.says("releases", "hero_web", "--page", "2")
    assert "development-1" in told
    assert told.endswith("There are older ones: --page 3.\n")
    assert hero_dev.answers("releases", "hero_web")["releases"][0]["url"] == "https://forge/r/1"


def test_two_releases_are_compared_by_their_commits(box: Canned, hero_dev: Line) -> None:
    commit = CommitInfo(commit="ab" * 20, author="mik", time=ago(60), subject="Mend it")
    box.answers["release.compare"] = CompareResult(commits=(commit,))
    told = hero_dev.says("releases", "hero_web", "--compare", "development-1", "development-2", "--limit", "1000")
    assert told.splitlines()[1].split()[0] == "abababab"
    asked = box.params("release.compare")
    assert (asked.base, asked.head, asked.limit) == ("development-1", "development-2", 200)
    box.answers["release.compare"] = CompareResult(commits=())
    told = hero_dev.says("releases", "hero_web", "--compare", "a", "b")
    assert told == "b has no commits that a has not.\n"
    assert "does not go with" in hero_dev.says("releases", "hero_web", "x", "--compare", "a", "b", code=2)


def test_a_gate_that_fails_ends_with_1(box: Canned, hero_dev: Line) -> None:
    box.answers["gate.list"] = GatesResult(gates=(gate(), gate(healthy="wait")))
    assert "✓ pass" in hero_dev.says("gates")
    assert not box.params("gate.list").fresh
    box.answers["gate.list"] = GatesResult(gates=(gate(), gate(archives="fail", missing=("linux-x86_64",))))
    assert "✗ linux-x86_64" in hero_dev.says("gates", "hero_web", "--fresh", code=1)
    assert (box.params("gate.list").service, box.params("gate.list").fresh) == ("hero_web", True)
    assert len(hero_dev.answers("gates", code=1)["gates"]) == 2


def test_hooks_are_shown_of_all_or_of_some_repositories(box: Canned, hero_dev: Line) -> None:
    box.answers["hooks.status"] = hooks("installed", "missing")
    for words in ((), ("status",)):
        assert "✗ missing" in hero_dev.says("hooks", *words)
        assert box.params("hooks.status").repos == ()
    hero_dev.says("hooks", "lhumina_code/a", "lhumina_code/b", "--url", "https://x")
    assert box.params("hooks.status").repos == ("lhumina_code/a", "lhumina_code/b")
    assert box.params("hooks.status").url == "https://x"


def test_installing_hooks_tells_by_its_code_how_it_went(box: Canned, hero_dev: Line) -> None:
    box.answers |= {
        "hooks.status": hooks("missing", "installed"),
        "hooks.install": hooks("installed", "installed"),
    }
    hero_dev.says("hooks", "install")
    box.answers["hooks.status"] = hooks("installed", "not_needed")
    hero_dev.says("hooks", "install", code=3)
    hero_dev.says("hooks", "install", "lhumina_code/a", "--rotate")
    asked = box.params("hooks.install")
    assert (asked.rotate, asked.repos) == (True, ("lhumina_code/a",))
    box.answers["hooks.install"] = hooks("installed", "error")
    assert hero_dev.answers("hooks", "install", code=1)["hooks"][1]["state"] == "error"


def test_words_that_are_no_repositories_are_refused(hero_dev: Line) -> None:
    assert "Did you mean `install`?" in hero_dev.says("hooks", "instal", code=2)
    assert "written ORG/NAME" in hero_dev.says("hooks", "install", "hero_web", code=2)
    assert "--rotate does not go with" in hero_dev.says("hooks", "--rotate", code=2)


def test_a_fork_is_an_operation_of_the_slot(box: Canned, hero_dev: Line) -> None:
    result = {"service": "hero_router", "branch": "development_alice"}
    ended = Operation(
        id="o1",
        kind="fork",
        service="hero_router",
        state="succeeded",
        started_at=ago(1),
        finished_at=NOW,
        result=result,
    )
    box.answers |= {
        "slot.fork": OperationRef(operation="o1"),
        "operation.wait": ended,
        "slot.status": slot(service(branch="development_alice")),
    }
    assert "hero_router runs development_alice" in hero_dev.says("fork", "hero_router")
    assert box.params("slot.fork").branch is None
    assert hero_dev.answers("fork", "hero_router", "--branch", "mine")["kind"] == "fork"
    assert box.params("slot.fork").branch == "mine"


def test_a_status_of_one_service_is_all_that_is_known_of_it(box: Canned, hero_dev: Line) -> None:
    box.answers["slot.status"] = slot(service(), service("hero_db"))
    assert "  branch     development\n" in hero_dev.says("status", "hero_db")
    assert hero_dev.answers("status", "hero_db")["service"] == "hero_db"
    assert "`hero_db`" in hero_dev.says("status", "hero_dc", code=2)
    assert "does not go with" in hero_dev.says("status", "hero_db", "--all", code=2)


def test_a_box_that_refuses_is_told_in_its_words(box: Canned, hero_dev: Line) -> None:
    box.answers["gate.list"] = HeroError("denied", "The token lacks a scope.", hint="Make another one.")
    assert hero_dev.says("gates", code=1) == "hero_dev: The token lacks a scope.\n  Make another one.\n"
