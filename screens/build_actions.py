"""What a person can do to a build on a screen: read its log, stop it, have it again, copy what it is."""

from __future__ import annotations

from collections.abc import Callable

from backends.model.calls import ReleaseListParams, ReleaseListResult
from backends.model.errors import HeroError
from backends.model.state import Build
from screens.desk import Desk
from screens.question import Question
from screens.widgets.build_model import is_open

_CHANGING = frozenset({"build_again", "build_publish", "build_cancel"})


class BuildActions:
    """The actions of one screen."""

    def __init__(self, desk: Desk):
        self._desk = desk

    def enabled(self, action: str, build: Build | None) -> bool:
        """Whether the screen's `action` can do something to `build`."""
        if action in _CHANGING and self._desk.read_only:
            return False
        match action:
            case "build_cancel":
                return build is not None and is_open(build)
            case "build_log":
                return build is not None and build.started_at is not None
            case "build_link":
                return build is not None and bool(build.tag)
            case "build_again" | "build_publish" | "build_copy":
                return build is not None
        return True

    def log(self, build: Build) -> None:
        """The whole log, on the whole screen."""
        if build.started_at:
            self._desk.show_logs(build.slot, (), build.id)
        else:
            self._desk.tell("It has not begun yet." if is_open(build) else "It never began, so it has no log.")

    def cancel(self, build: Build) -> None:
        """Take it out of the queue, or stop it."""
        question = f"Stop the build of {build.service} in the slot of {build.slot}?"
        self._confirm("builds.cancel", build, question, "Stop it", lambda: self._desk.cancel_build(build.id))

    def build(self, build: Build, *, publish: bool) -> None:
        """The same slot, service and branch again."""
        words = "Build and publish" if publish else "Build"
        question = f"{words} {build.service} in the slot of {build.slot}?"
        begin, action = self._desk.begin_build, "builds.publish" if publish else "builds.again"

        def do() -> None:
            begin(build.slot, build.service, build.branch, publish)

        self._confirm(action, build, question, words, do)

    def _confirm(self, action: str, build: Build, title: str, button: str, do: Callable[[], None]) -> None:
        lines = [f"{build.branch} · {build.state}"]
        lines += [f"It is the slot of {build.slot}, not yours."] if build.slot != self._desk.me else []
        lines += ["What is published, everybody can follow."] if action == "builds.publish" else []
        question = Question(title, build.service, tuple(lines), button)
        self._desk.confirm(action, question, do, user=build.slot)

    def copy(self, build: Build) -> None:
        """Have the person choose what to copy."""
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
