"""Releases of the made-up fleet, what the box answers about them, and its news."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from backends.model.forge import ArchiveInfo, CommitInfo, Gate, ReleaseInfo
from backends.model.forge_calls import CompareResult, GatesResult, ReleaseListResult
from backends.model.state import Event
from tests.hero_tui.fleets import NOW, cell

RUNS = cell("hero_router").hash
"""The commit of hero_router that the made-up fleet runs."""
_PEOPLE = ("thabet", "mik", "alice", "integration")
_SUBJECTS = (
    "Refuse paths with two dots",
    "Weighted routes, with a canary",
    "Keep websockets open over a change",
    "Count requests by status",
)


def release(commit: str = RUNS, branch: str = "development", **fields: Any) -> ReleaseInfo:
    """A complete release of hero_router for any Linux, but for `fields`."""
    platforms = tuple(fields.pop("platforms", ("linux-any",)))
    size = int(fields.pop("size", 8_430_000))
    tag = f"{branch}-{commit[:8]}"
    known: dict[str, Any] = {
        "tag": tag,
        "branch": branch,
        "commit": commit,
        "author": "thabet",
        "published_at": NOW - timedelta(hours=2),
        "platforms": platforms,
        "size": size * len(platforms),
        "subject": _SUBJECTS[0],
        "url": f"https://forge.example/lhumina_code/hero_router/releases/tag/{tag}",
        "downloads": 12,
        "archives": tuple(
            ArchiveInfo(
                name=f"hero_router-{platform}.tar.gz",
                platform=platform,
                size=size,
                downloads=12 // len(platforms),
                url=f"https://forge.example/attachments/{commit[:8]}-{platform}",
            )
            for platform in platforms
        ),
    }
    return ReleaseInfo.model_validate(known | fields)


def some_releases() -> list[ReleaseInfo]:
    """Newest first: a new one, one without its sums, the one that runs, one for another system, older ones."""
    fresh = release("9f3c21ab" * 5, published_at=NOW - timedelta(minutes=3), downloads=0, subject=_SUBJECTS[3])
    cut_off = release(
        "5b07d9e2" * 5,
        "development_mik",
        author="mik",
        published_at=NOW - timedelta(minutes=31),
        complete=False,
        downloads=0,
        subject=_SUBJECTS[1],
    )
    both = release(platforms=("darwin-arm64", "linux-any"), downloads=137)
    other = release(
        "c40e8812" * 5,
        "feature/router-metrics",
        author="alice",
        published_at=NOW - timedelta(hours=5),
        platforms=("darwin-arm64",),
        subject=_SUBJECTS[2],
    )
    return [fresh, cut_off, both, other, *history(6)]


def history(count: int, *, begin: int = 1) -> list[ReleaseInfo]:
    """Older releases of two branches, the newest first."""
    return [
        release(
            f"{number:08x}" * 5,
            "development" if number % 3 else "development_mik",
            author=_PEOPLE[number % 4],
            published_at=NOW - timedelta(hours=6 + 3 * number),
            size=8_000_000 + 31_337 * number,
            downloads=number * 7,
            subject=_SUBJECTS[number % 4],
        )
        for number in range(begin, begin + count)
    ]


def page_of(releases: Sequence[ReleaseInfo]) -> Callable[[str, dict[str, Any]], ReleaseListResult]:
    """The box's answers about `releases`: any page, of any branch."""

    def answer(_: str, asked: dict[str, Any]) -> ReleaseListResult:
        branch, page, limit = asked.get("branch"), asked["page"], asked["limit"]
        wanted = [one for one in releases if branch in (None, one.branch)]
        part = wanted[(page - 1) * limit : page * limit]
        return ReleaseListResult(releases=tuple(part), next_page=page + 1 if len(wanted) > page * limit else None)

    return answer


def gate(**fields: Any) -> Gate:
    """A trunk that is fit for everybody, but for `fields`."""
    known: dict[str, Any] = {
        "service": "hero_router",
        "repo": "lhumina_code/hero_router",
        "branch": "development",
        "commit": RUNS,
        "builds": "pass",
        "archives": "pass",
        "healthy": "pass",
        "tag": f"development-{RUNS[:8]}",
        "platforms": ("linux-any",),
        "running": RUNS,
        "checked_at": NOW,
    }
    return Gate.model_validate(known | fields)


def waiting_gate() -> Gate:
    """One whose head was built and lacks an archive, and does not run yet."""
    return gate(
        commit="9f3c21ab" * 5,
        archives="fail",
        healthy="wait",
        platforms=("linux-any", "linux-musl-aarch64"),
        missing=("linux-musl-aarch64",),
        reason="development-9f3c21ab has no archive for linux-musl-aarch64.",
    )


def gates(one: Gate) -> GatesResult:
    """The box's answer."""
    return GatesResult(gates=(one,))


def published(seq: int, one: ReleaseInfo, service: str = "hero_router") -> Event:
    """The box's event of a new release."""
    data = {
        "repo": f"lhumina_code/{service}",
        "services": [service],
        "release": one.model_dump(mode="json", by_alias=True),
    }
    return Event(seq=seq, time=NOW, box="demo", slot="", kind="release.published", subject=one.tag, data=data)


def commits(count: int, *, begin: int = 0) -> CompareResult:
    """The commits between two versions, the newest first."""
    return CompareResult(
        commits=tuple(
            CommitInfo(
                commit=f"{0xA0000000 + number:08x}" * 5,
                author=_PEOPLE[number % 3],
                time=NOW - timedelta(hours=3 * number + 1),
                subject=_SUBJECTS[number % 4],
            )
            for number in range(begin, begin + count)
        )
    )
