"""One release in full: its commit, each of its archives, who runs it, where it is; pure."""

from __future__ import annotations

from collections.abc import Iterator

from backends.model.forge import ArchiveInfo, ReleaseInfo
from backends.model.release import platform_runs_here
from screens.widgets.cells import ago
from screens.widgets.celltext import byte_count, clean
from screens.widgets.detail import DetailView, Fact
from screens.widgets.one_line import Part
from screens.widgets.release_cells import INTEGRATION, ReleaseTable
from screens.widgets.release_model import refusal


def release_detail(release: ReleaseInfo, table: ReleaseTable) -> DetailView:
    """All that a person may want to know of one release, the most important first."""
    return DetailView(tuple(_facts(release, table)))


def _facts(release: ReleaseInfo, table: ReleaseTable) -> Iterator[Fact]:
    if why := refusal(release, table.machine):
        yield Fact("but", ((clean(why), "build--failed"),), urgent=True)
    yield Fact("commit", tuple(_version(release, table)))
    if release.subject:
        yield Fact("subject", ((clean(release.subject), "detail--text"),))
    yield Fact("run by", tuple(_runners(release, table)))
    for number, archive in enumerate(release.archives):
        label = ("archives" if len(release.archives) > 1 else "archive") if number == 0 else ""
        yield Fact(label, tuple(_archive(archive, table)))
    if release.url:
        yield Fact("link", ((clean(release.url, 1000), "detail--quiet"),))


def _version(release: ReleaseInfo, table: ReleaseTable) -> Iterator[Part]:
    yield clean(release.commit[:8]) or "unknown", "detail--strong"
    yield f"  {clean(release.branch)}" if release.branch else "", "detail--text"
    yield f"  by {clean(release.author)}" if release.author else "", "detail--text"
    yield f"  {ago(release.published_at, table.now)}" if release.published_at else "  not dated", "detail--quiet"


def _runners(release: ReleaseInfo, table: ReleaseTable) -> Iterator[Part]:
    users = table.runners.of(release)
    if not users:
        yield "nobody", "detail--quiet"
        return
    if INTEGRATION in users:
        cell = table.runners.cells[INTEGRATION]
        sign = table.glyphs.health.get(cell.health, "?")
        yield f"{sign} integration ({cell.health})  ", f"health--{cell.health}"
    if table.me in users:
        yield f"{table.mine} me  ", "detail--busy"
    others = [user for user in users if user not in (INTEGRATION, table.me)]
    yield clean(", ".join(others)), "detail--text"


def _archive(archive: ArchiveInfo, table: ReleaseTable) -> Iterator[Part]:
    runs = platform_runs_here(archive.platform, table.machine)
    yield clean(archive.platform), "detail--strong" if runs else "detail--quiet"
    times = f"{archive.downloads} download{'s' * (archive.downloads != 1)}"
    yield f"  {byte_count(archive.size)}  {times}", "detail--text" if runs else "detail--quiet"
    yield "" if runs else "  not for this machine", "detail--quiet"
