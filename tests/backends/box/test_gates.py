"""Gates: what they say of each way in which a trunk can be fit or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends.box.fleet import Fleet
from backends.box.gates import Gates, Seen, judge
from backends.forge.base import Asset, Release
from backends.forge.folder import FolderForge
from backends.model.box_calls import ReportParams
from backends.model.errors import HeroError
from backends.model.forge import Gate
from backends.model.forge_calls import GatesParams
from backends.model.state import Build, CatalogueEntry, ServiceStatus, SlotStatus
from tests.backends.forge.repositories import new_repository, run_git

HEAD = "a" * 40
OTHER = "b" * 40
TAG = f"development-{HEAD[:8]}"
REPO = "lhumina_code/hero_web"
ENTRY = CatalogueEntry(name="hero_web", repo=REPO)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
GATE = Gate(service="hero_web", repo=REPO, branch="development")


def release(*platforms: str, complete: bool = True) -> Release:
    names = [f"hero_web-{platform}.tar.gz" for platform in platforms] + (["SHA256SUMS"] if complete else [])
    assets = tuple(Asset(name, 10, None, "") for name in names)
    return Release("1", REPO, TAG, HEAD, "", "", "mik", False, NOON, NOON, assets, 0)


def build(state: str, error: str = "") -> Build:
    return Build.model_validate(
        {"id": "b1", "service": "hero_web", "branch": "development", "state": state, "error": error}
    )


def cell(commit: str = HEAD, health: str = "healthy", reason: str = "") -> ServiceStatus:
    return ServiceStatus.model_validate(
        {
            "service": "hero_web", "repo": REPO, "branch": "development", "from": "build",
            "hash": commit, "health": health, "reason": reason,
        }
    )  # fmt: skip


GOOD = Seen(HEAD, release("linux-any"), "success", at=NOON)


def judged(seen: Seen, made: Build | None, there: ServiceStatus | None, *platforms: str) -> Gate:
    return judge(GATE, ENTRY.model_copy(update={"platforms": platforms}), seen, made, there)


def test_a_trunk_that_builds_is_published_and_runs_healthy_passes() -> None:
    gate = judged(GOOD, build("succeeded"), cell())
    assert gate.passes
    assert (gate.commit, gate.tag, gate.reason) == (HEAD, TAG, "")


def test_a_trunk_that_does_not_build_says_why() -> None:
    gate = judged(Seen(HEAD, at=NOON), build("failed", "error[E0308]: mismatched types\nmore"), cell(OTHER))
    assert (gate.builds, gate.archives, gate.healthy) == ("fail", "fail", "wait")
    assert gate.reason == "aaaaaaaa does not build: error[E0308]: mismatched types"


def test_while_it_is_built_the_gate_waits() -> None:
    gate = judged(Seen(HEAD, at=NOON), build("running"), cell(OTHER))
    assert (gate.builds, gate.archives) == ("wait", "wait")


def test_every_required_platform_needs_its_archive() -> None:
    gate = judged(GOOD, build("succeeded"), cell(), "linux-any", "linux-musl-aarch64")
    assert gate.archives == "fail"
    assert gate.missing == ("linux-musl-aarch64",)
    assert gate.reason == f"{TAG} has no archive for linux-musl-aarch64."


def test_an_archive_that_does_not_run_here_is_not_enough_where_nothing_is_required() -> None:
    assert judged(replace(GOOD, release=release("linux-sparc64")), None, cell()).archives == "fail"


def test_a_release_without_digests_is_not_complete() -> None:
    gate = judged(Seen(HEAD, release("linux-any", complete=False), at=NOON), build("succeeded"), cell())
    assert gate.archives == "fail"
    assert "SHA256SUMS" in gate.reason


def test_a_commit_that_the_forge_says_builds_passes_without_a_build_of_ours() -> None:
    assert judged(Seen(HEAD, status="success", at=NOON), None, cell()).builds == "pass"
    assert judged(Seen(HEAD, status="failure", at=NOON), None, cell()).builds == "fail"
    assert judged(Seen(HEAD, at=NOON), None, cell()).builds == "unknown"


@pytest.mark.parametrize(
    ("there", "state", "words"),
    [
        (cell(health="crashed", reason="exit 101"), "fail", "crashed in the integration slot: exit 101"),
        (cell(OTHER), "wait", "runs bbbbbbbb, not aaaaaaaa"),
        (cell(health="starting"), "wait", "starts"),
        (cell(health="stopped"), "fail", "stopped"),
        (None, "unknown", "does not run it"),
    ],
)
def test_what_the_integration_slot_runs_is_told(there: ServiceStatus | None, state: str, words: str) -> None:
    gate = judged(GOOD, build("succeeded"), there)
    assert gate.healthy == state
    assert words in gate.reason


@dataclass
class Team:
    catalogue: tuple[CatalogueEntry, ...] = (ENTRY,)
    trunk: str = "development"


class NoBuilds:
    async def of_commit(self, slot: str, service: str, branch: str, commit: str) -> Sequence[Build]:
        return []


async def test_the_forge_is_asked_once_until_something_changes(tmp_path: Path) -> None:
    forge = FolderForge(tmp_path / "forge")
    bare = await forge.create_repository(REPO)
    work = new_repository(tmp_path / "work")
    run_git(work, "push", "--quiet", str(bare), "development")
    head = run_git(work, "rev-parse", "HEAD")
    fleet = Fleet("b")
    status = SlotStatus(box="b", slot="integration", services=(cell(head),), seen_at=NOON)
    fleet.apply(ReportParams(slot="integration", status=status), NOON)
    clock = [NOON]
    gates = Gates(forge, Team(), fleet, NoBuilds(), lambda: clock[0])
    (gate,) = (await gates.answer(GatesParams())).gates
    assert (gate.commit, gate.builds, gate.healthy) == (head, "unknown", "pass")
    await forge.set_status(REPO, head, "success", context="hero/build")
    assert (await gates.answer(GatesParams())).gates[0].builds == "unknown"
    gates.forge_changed(REPO)
    assert (await gates.answer(GatesParams())).gates[0].builds == "pass"
    await forge.set_status(REPO, head, "failure", context="hero/build")
    clock[0] += timedelta(seconds=61)
    assert (await gates.answer(GatesParams(service="hero_web"))).gates[0].builds == "fail"


async def test_a_forge_that_does_not_answer_is_told_in_the_gate(tmp_path: Path) -> None:
    gates = Gates(FolderForge(tmp_path / "none"), Team(), Fleet("b"), NoBuilds(), lambda: NOON)
    (gate,) = (await gates.answer(GatesParams())).gates
    assert (gate.builds, gate.archives, gate.healthy) == ("unknown", "unknown", "unknown")
    assert gate.reason
    with pytest.raises(HeroError, match="hero_wbe"):
        await gates.answer(GatesParams(service="hero_wbe"))
