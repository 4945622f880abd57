"""From what a service could run to the lines of the switch dialog, each with what choosing it asks for; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backends.model.forge import ReleaseInfo
from backends.model.plan import Candidate
from backends.model.slot_calls import SwitchParams
from screens.widgets.cells import ago
from screens.widgets.celltext import byte_count
from screens.widgets.picker_model import PickerItem
from screens.widgets.release_model import refusal, short_platforms, why_not

BACK_SECTION = "what ran before"
NEWEST, OLDER, REFUSED = (
    "releases · newest of each branch",
    "older releases · pinned",
    "releases that do not run here",
)
BRANCHES, INSTALLED = "branches · compiled here", "installed here"
SECTIONS = (NEWEST, BACK_SECTION, BRANCHES, INSTALLED, OLDER, REFUSED)


@dataclass(frozen=True, slots=True)
class Choice:
    """What choosing an item asks for, and how it is listed; `refused` says why it cannot be chosen."""

    item: PickerItem
    params: SwitchParams
    refused: str = ""


@dataclass
class Choices:
    """The choices of one service, of which `current` is the commit that runs, as they become known.

    Releases come newest first: the first of a branch is the one that `from = "release"` runs.
    """

    service: str
    current: str
    newest: dict[str, str] = field(default_factory=dict)
    installed: set[str] = field(default_factory=set)

    def of_candidate(self, one: Candidate, now: datetime) -> Choice:
        """Of what a slot tells."""
        key = f"{one.kind} {one.branch} {one.commit}"
        if one.kind == "release":
            newest = self.newest.setdefault(one.branch, key) == key
            section, source = (NEWEST, "release") if newest else (OLDER, "hash")
        elif one.kind == "pinned":
            section, source = INSTALLED, "hash"
        else:
            section, source = BRANCHES, "build"
        item = PickerItem(key, _title(one.branch, one.commit), _detail(one), _note(one, now), section)
        return Choice(item, self._params(one.branch, one.commit, source))

    def of_release(self, one: ReleaseInfo, now: datetime) -> Choice:
        """Of what the forge has: what cannot run here stands by itself, quietly, and says why."""
        key = f"release {one.branch} {one.commit}"
        why = why_not(one)
        newest = not why and self.newest.setdefault(one.branch, key) == key
        section, source = (NEWEST, "release") if newest else (REFUSED if why else OLDER, "hash")
        told = (one.subject, one.author, short_platforms(one.platforms))
        item = PickerItem(
            key,
            _title(one.branch or one.tag, one.commit),
            " · ".join(part for part in told if part),
            why or self._release_note(one, now),
            section,
            off=bool(why),
        )
        return Choice(item, self._params(one.branch, one.commit, source), refusal(one))

    def _release_note(self, one: ReleaseInfo, now: datetime) -> str:
        if self.current and one.commit == self.current:
            return "runs now"
        here = "installed" if one.commit[:8] in self.installed else byte_count(one.size) if one.size else ""
        parts = (here, f"{one.downloads} dl", _age(one.published_at, now))
        return " · ".join(part for part in parts if part)

    def _params(self, branch: str, commit: str, source: str) -> SwitchParams:
        hash_ = commit[:8] if source == "hash" else None
        asked = {"service": self.service, "branch": branch or None, "from": source, "hash": hash_}
        return SwitchParams.model_validate(asked)


def back_choice(service: str, text: str) -> Choice:
    """What ran before."""
    return Choice(PickerItem("back", text, "↶ back", "B", BACK_SECTION), SwitchParams(service=service, back=True))


def _title(branch: str, commit: str) -> str:
    return f"{branch}  {commit[:8]}" if commit else branch


def _detail(one: Candidate) -> str:
    return " · ".join(part for part in (one.subject, one.author) if part)


def _note(one: Candidate, now: datetime) -> str:
    if one.current:
        return "runs now"
    size = byte_count(one.size) if one.size else ""
    here = "installed" if one.installed and one.kind == "release" else ""
    return " · ".join(part for part in (here or size, _age(one.time, now)) if part)


def _age(then: datetime | None, now: datetime) -> str:
    return ago(then, now).removesuffix(" ago")
