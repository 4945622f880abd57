"""What a person can do to a release on a screen: run it, follow its branch, copy what it is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from backends.model.forge import ReleaseInfo
from backends.model.slot_calls import InstallParams, PlanParams, SwitchParams
from screens.desk import Desk
from screens.doings import Asked
from screens.widgets.release_model import refusal
from screens.widgets.release_text import Version, compared

_CHANGING = frozenset({"release_install", "release_follow"})
_OF_ONE = frozenset({"release_mark", "release_compare", "release_copy"})


class ReleaseActions:
    """The actions of one screen; what changes a slot changes mine."""

    def __init__(self, desk: Desk, service: str):
        self._desk = desk
        self._service = service

    def enabled(self, action: str, release: ReleaseInfo | None) -> bool:
        """Whether the screen's `action` can do something with `release`."""
        if action in _CHANGING:
            followed = action != "release_follow" or (release is not None and bool(release.branch))
            return release is not None and followed and self._desk.may_change(self._desk.me)
        if action == "release_link":
            return release is not None and bool(release.url)
        return release is not None or action not in _OF_ONE

    def install(self, release: ReleaseInfo) -> None:
        """Run exactly this one in my slot, after a look at what that takes."""
        if why := refusal(release):
            self._desk.tell(why, failed=True)
            return
        params = InstallParams(service=self._service, branch=release.branch or None, tag=release.tag)
        plan = PlanParams.model_validate(
            {
                "action": "switch",
                "service": self._service,
                "branch": release.branch or None,
                "from": "hash",
                "hash": release.commit,
            }
        )
        title = f"install {self._service} {release.tag}"
        asked = Asked(self._desk.me, "slot.install", params, title, (self._service,), "installing")
        self._desk.ask(asked, plan, "releases.install")

    def follow(self, release: ReleaseInfo) -> None:
        """Run the newest release of its branch in my slot from now on."""
        wanted = {"service": self._service, "branch": release.branch or None, "from": "release"}
        params = SwitchParams.model_validate(wanted)
        plan = PlanParams.model_validate({"action": "switch", **wanted})
        title = f"switch {self._service} to the releases of {release.branch}"
        asked = Asked(self._desk.me, "slot.switch", params, title, (self._service,), "switching")
        self._desk.ask(asked, plan, "releases.follow")

    def pair(
        self, release: ReleaseInfo, mark: ReleaseInfo | None, known: Sequence[ReleaseInfo]
    ) -> tuple[Version, Version] | None:
        """The older and the newer one to compare: it and the mark, else it and mine; None once told why not."""
        pair = compared(release, mark, self._desk.fleet.cell(self._desk.me, self._service), known)
        if not isinstance(pair, str):
            return pair
        self._desk.tell(f"{pair} {self._desk.key('releases.mark')} marks another one.", failed=True)
        return None

    def copy(self, release: ReleaseInfo) -> None:
        """Have the person choose what to copy."""
        values = {
            "tag": release.tag,
            "commit": release.commit,
            "branch": release.branch,
            "link": release.url,
            "install command": f"hero_dev install {self._service} --tag {shlex.quote(release.tag)}",
        }
        self._desk.copy_one(values | {archive.name: archive.url for archive in release.archives})

    def link(self, release: ReleaseInfo) -> None:
        """Copy where it is."""
        self._desk.copy(release.url, f"the link of {release.tag}")
