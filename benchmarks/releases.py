"""The releases screen on a repository of 5,000 releases: from the forge's answer to the first page painted.

Run it with `python -m benchmarks.releases [--count N]`. The forge's answer goes the way that it goes in a box: its
releases to models, to JSON, back to models, to the screen. The baseline of the same run is Textual's DataTable in
the same cockpit with the whole list, as a screen would do that asks for everything, and with that one page.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from textual.app import App, ComposeResult
from textual.widgets import DataTable

from backends.box.releases import list_releases
from backends.forge.base import Asset, Page, Release
from backends.model.forge_calls import ReleaseListParams, ReleaseListResult
from backends.model.state import CatalogueEntry
from screens.widgets.linelist import LineList
from tests.hero_tui.fleets import NOW, Cockpit
from tests.hero_tui.releases import gate, gates

REPO = "lhumina_code/hero_router"
CATALOGUE = (CatalogueEntry(name="hero_router", repo=REPO),)
SIZE = (200, 50)
REPEATS = 7
TARGET_MS = 300


class CannedForge:
    """A forge that has answered already: `releases` takes no time but that of cutting a page."""

    def __init__(self, count: int) -> None:
        self._all = [_release(number) for number in range(count)]

    async def releases(self, repo: str, *, branch: str | None, page: int, limit: int) -> Page[Release]:
        """One page, newest first."""
        part = self._all[(page - 1) * limit : page * limit]
        return Page(tuple(part), page + 1 if len(self._all) > page * limit else None)


def _release(number: int) -> Release:
    commit = f"{number + 1:08x}" * 5
    branch = "development" if number % 3 else "development_mik"
    names = [f"hero_router-{platform}.tar.gz" for platform in ("linux-x86_64", "linux-musl-aarch64")]
    assets = tuple(
        Asset(name, 8_000_000 + number, None, f"https://forge.example/{name}", number)
        for name in (*names, "SHA256SUMS")
    )
    when = NOW - timedelta(minutes=17 * number)
    subject = f"Change number {number} of the router's tables"
    tag = f"{branch}-{commit[:8]}"
    return Release(str(number), REPO, tag, commit, subject, "", "mik", False, when, when, assets, number)


async def over_the_wire(forge: CannedForge, asked: dict[str, Any]) -> ReleaseListResult:
    """The box's answer as the cockpit gets it."""
    answer = await list_releases(forge, CATALOGUE, ReleaseListParams.model_validate(asked))  # type: ignore[arg-type]
    return ReleaseListResult.model_validate(json.loads(json.dumps(answer.model_dump(mode="json", by_alias=True))))


async def screen(count: int) -> tuple[float, int]:
    """Milliseconds from the forge's answer to the painted first page, and how many releases were asked for."""
    forge, cockpit = CannedForge(count), Cockpit()
    async with cockpit.running(SIZE) as pilot:
        first: asyncio.Future[ReleaseListResult] = asyncio.get_running_loop().create_future()
        second = await over_the_wire(forge, {"service": "hero_router", "limit": 50, "page": 2})
        answers = {1: first, 2: second}
        cockpit.line.answers |= {
            "release.list": lambda _, asked: answers[asked["page"]],
            "gate.list": gates(gate()),
        }
        await cockpit.press(pilot, "right", "5")
        lines = cockpit.app.screen.query_one(LineList)
        gc.collect()
        begun = time.perf_counter()
        first.set_result(await over_the_wire(forge, {"service": "hero_router", "limit": 50}))
        await _painted(cockpit.app, lambda: bool(lines.rows))
        taken = (time.perf_counter() - begun) * 1000
        await cockpit.settle(pilot)
        return taken, len(lines.rows)


async def _painted(app: App[Any], there: Callable[[], bool]) -> None:
    """Until `there`, and all that follows from it is painted."""
    async with asyncio.timeout(60):
        while not there():
            await asyncio.sleep(0)
    done = asyncio.Event()
    app.screen.call_after_refresh(done.set)
    await done.wait()


class Stock(App[None]):
    """A DataTable of releases."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        """The table."""
        self.table: DataTable[str] = DataTable()
        yield self.table

    def fill(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Show all of them."""
        self.table.add_columns("tag", "commit", "author", "age", "platforms", "size", "downloads", "subject")
        self.table.add_rows(rows)


async def stock(count: int, limit: int) -> float:
    """Milliseconds from the same answer, in pages of `limit`, until a DataTable has painted all that was told."""
    forge, app = CannedForge(count), Stock()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        gc.collect()
        begun = time.perf_counter()
        answer = await over_the_wire(forge, {"service": "hero_router", "limit": limit})
        app.fill(
            [
                (one.tag, one.commit[:8], one.author, "1h", one.platforms[0], str(one.size), "3", one.subject)
                for one in answer.releases
            ]
        )
        await _painted(app, lambda: app.table.row_count == len(answer.releases))
        return (time.perf_counter() - begun) * 1000


async def measure(count: int) -> None:
    """All three in turn, so that what else the machine does meets them alike."""
    ours, page, whole, told = [], [], [], 0
    for _ in range(REPEATS):
        ms, told = await screen(count)
        ours.append(ms)
        page.append(await stock(count, 50))
        whole.append(await stock(count, count))
    mine, one, every = map(statistics.median, (ours, page, whole))
    print(f"{count:,} releases, {SIZE[0]}x{SIZE[1]}, medians of {REPEATS}; the forge's answer to its frame")
    print(f"{'releases screen, first page':36} {mine:8.1f} ms   {told} of {count:,} releases asked for")
    print(f"{'DataTable, the same page':36} {one:8.1f} ms   ours / this {mine / one:.2f}")
    print(f"{'DataTable, all at once':36} {every:8.1f} ms   ours / this {mine / every:.3f}")
    print(f"reach: {TARGET_MS} ms: {'held' if mine <= TARGET_MS else 'MISSED'}, slowest {max(ours):.1f} ms")


def main() -> None:
    """Print a table of all and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000, help="releases of the repository")
    asyncio.run(measure(parser.parse_args().count))


if __name__ == "__main__":
    main()
