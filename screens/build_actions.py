"""What a person can do to a build on a screen: read its log, stop it, have it again, copy what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from backends.model.errors import HeroError
from backends.model.forge_calls import ReleaseListParams, ReleaseListResult
from backends.model.state import Build
from screens.build_feed import BuildFeed
from screens.desk import Desk
from screens.question import Question
from screens.widgets.build_model import is_open
from screens.widgets.celltext import clean, first_of, fit, fit_middle

_CHANGING = frozenset({"build_again", "build_publish", "build_cancel"})
_LINE = 58
"""Cells of a line of a question at most: it is not broken in the dialog."""
_NAME = 16
"""Cells of a name in it at most: none hides the others."""


class BuildActions:
    """The actions of one screen."""

    def __init__(self, desk: Desk, feed: BuildFeed):
        self._desk = desk
        self._feed = feed

    def enabled(self, action: str, build: Build | None, chosen: Sequence[Build]) -> bool:
        """Whether the screen's `action` can do something to `build`, or one of several to any `chosen`."""
        if action in _CHANGING and self._desk.read_only:
            return False
        match action:
            case "build_cancel":
                return any(is_open(one) for one in chosen)
            case "build_log":
                return build is not None and build.started_at is not None
            case "build_link":
                return build is not None and bool(build.tag)
            case "build_again" | "build_copy":
                return bool(chosen)
            case "build_open" | "build_publish" | "build_mark" | "build_sort":
                return build is not None
        return True

    def log(self, build: Build) -> None:
        """The whole log, on the whole screen."""
        if build.started_at:
            self._desk.ways.show_logs(build.slot, (), build.id)
        else:
            self._desk.tell("It has not begun yet." if is_open(build) else "It never began, so it has no log.")

    def cancel(self, builds: Sequence[Build], done: Callable[[], None]) -> None:
        """Take those that are open out of the queue, or stop them; `done` is called once that was agreed to."""
        stopped = [build for build in builds if is_open(build)]
        if not stopped:
            return

        def do() -> None:
            still = [build for build in stopped if is_open(self._feed.newest(build))]
            for build in still:
                self._desk.cancel_build(build.id)
            if len(still) < len(stopped):
                self._desk.tell("What has ended meanwhile is left alone.")
            done()

        self._confirm("builds.cancel", stopped, "Stop the build of", "Stop", "Stop it", do)

    def again(self, builds: Sequence[Build], done: Callable[[], None]) -> None:
        """The same slots, services and branches again, each once; `done` is called once that was agreed to."""
        wanted: dict[tuple[str, str, str], Build] = {}
        for build in builds:
            wanted.setdefault((build.slot, build.service, build.branch), build)
        if not wanted:
            return
        begin = self._desk.begin_build

        def do() -> None:
            for slot, service, branch in wanted:
                begin(slot, service, branch, False)
            done()

        self._confirm("builds.again", list(wanted.values()), "Build", "Build", "Build", do)

    def publish(self, build: Build) -> None:
        """The same slot, service and branch again, and publish what it makes."""
        begin, words = self._desk.begin_build, "Build and publish"

        def do() -> None:
            begin(build.slot, build.service, build.branch, True)

        self._confirm("builds.publish", [build], words, words, words, do)

    def _confirm(
        self, action: str, builds: Sequence[Build], one: str, many: str, button: str, do: Callable[[], None]
    ) -> None:
        first, count, me = builds[0], len(builds), self._desk.me
        others = sorted({build.slot for build in builds if build.slot != me})
        if count == 1:
            title, name = f"{one} {first.service} in the slot of {first.slot}?", first.service
            lines = [f"{first.branch} · {first.state}"]
            lines += [f"It is the slot of {first.slot}, not yours."] if others else []
        else:
            title, name, button = f"{many} {count} builds?", f"{count} builds", f"{many} {count}"
            lines = first_of([_named(build) for build in builds])
            lines += [_cut(f"Not your slot: {', '.join(others)}.")] if others else []
        lines += ["What is published, everybody can follow."] if action == "builds.publish" else []
        question = Question(title, name, tuple(lines), button)
        self._desk.confirm(action, question, do, user=others[0] if others else me)

    def copy(self, builds: Sequence[Build]) -> None:
        """Have the person choose what to copy; of several, a line each."""
        if len(builds) > 1:
            self._desk.copy_one(_copied(builds))
            return
        for build in builds:
            self._desk.copy_one(
                {
                    "id": build.id,
                    "commit": build.commit,
                    "tag": build.tag,
                    "branch": build.branch,
                    "error": build.error,
                }
            )

    async def link(self, build: Build) -> None:
        """Ask where its release is, and copy that."""
        try:
            params = ReleaseListParams(service=build.service, branch=build.branch)
            page = await self._desk.ask_box("release.list", params, ReleaseListResult)
        except HeroError as error:
            self._desk.tell(f"{error.message} {error.hint}".strip(), failed=True)
            return
        url = next((one.url for one in page.releases if one.tag == build.tag), "")
        if url:
            self._desk.copy(url, f"the link of {build.tag}")
        else:
            self._desk.tell(f"The forge tells no link of {build.tag}.", failed=True)


def _cut(text: str) -> str:
    return fit(text, _LINE).rstrip()


def _named(build: Build) -> str:
    whose = " · ".join(fit_middle(one, _NAME).rstrip() for one in (build.service, build.slot))
    branch = fit_middle(build.branch, _LINE - cell_len(f"{whose} ·  · {build.state}")).rstrip()
    return f"{whose} · {branch} · {build.state}"


def _copied(builds: Sequence[Build]) -> dict[str, str]:
    """What can be copied of several builds: a line each, which no name can break into two."""
    values = {
        "ids": [build.id for build in builds],
        "commits": [build.commit for build in builds],
        "tags": [build.tag for build in builds],
        "branches": [build.branch for build in builds],
        "errors": [f"{build.service} of {build.slot}: {build.error}" for build in builds if build.error],
    }
    return {name: "\n".join(clean(one) for one in lines if one) for name, lines in values.items()}
