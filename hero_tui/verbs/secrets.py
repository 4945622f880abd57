"""`hero_dev secrets`: the private secrets repository, brought up to date, edited, pushed; never printed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backends.model.errors import HeroError
from hero_tui.render.text import clean
from hero_tui.verbs.exits import DONE, NOTHING_TO_DO
from hero_tui.verbs.parsing import one_of
from hero_tui.verbs.session import Session

if TYPE_CHECKING:
    from backends.slot.secrets_repo import Outcome
    from hero_tui.login.place import Place

ACTIONS = ("sync", "edit", "push")


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("action", metavar="sync|edit|push", type=one_of(*ACTIONS))


def run(session: Session, asked: argparse.Namespace) -> int:
    """Do it. Raises HeroError, which never shows a secret."""
    from hero_tui.login.place import place_of

    place = place_of(session.where())
    with place.drafts.held():
        cloned = clone(place)
        try:
            outcome = _done(place, asked.action)
        except HeroError as error:
            if error.code != "usage":
                note_secrets(place, asked.action, error=error)
            raise
    if outcome is None:
        raise HeroError("cancelled", "The edit is not finished.", hint="`hero_dev secrets edit` goes on with it.")
    if outcome.changed:
        note_secrets(place, asked.action, commit=outcome.commit)
    changed = outcome.changed or cloned
    if session.json:
        told = {"action": asked.action, "repo": place.secrets_repo, "changed": changed}
        session.answer({**told, "commit": outcome.commit, "unpushed": outcome.unpushed})
    else:
        session.confirm(_told(place, asked.action, changed, outcome))
    return DONE if changed else NOTHING_TO_DO


def clone(place: Place) -> bool:
    """Have the clone; tells whether it was made now. Raises HeroError, which says who makes the repository."""
    try:
        if made := place.on_secrets(lambda repo: repo.clone(make=place.nobody_makes_it)):
            note_secrets(place, "clone")
        return made
    except HeroError as error:
        if error.code != "not_found":
            raise
    raise HeroError(
        "not_found",
        f"The forge has no repository {place.secrets_repo} that you may see.",
        hint=f"hero_team_sync makes it soon after users/{place.login}.toml is in the team repo. Is your token in "
        f"place (`hero_dev login --wizard`)? Else ask {place.admins}.",
    )


def note_secrets(place: Place, action: str, *, commit: str = "", error: HeroError | None = None) -> None:
    """Have what became of `secrets ACTION` in the audit log: a commit's hash, or a sentence; never a secret."""
    from hero_tui.verbs.noting import note

    detail = error.message if error else commit[:8]
    note(place.where, place.login, f"secrets.{action}", place.secrets_repo, done=error is None, detail=detail)


def _done(place: Place, action: str) -> Outcome | None:
    if action == "sync":
        return place.on_secrets(lambda repo: repo.sync())
    if action == "push":
        return place.on_secrets(lambda repo: repo.push())
    from hero_tui.login.editing import edit_secrets

    return edit_secrets(place)


def _told(place: Place, action: str, changed: bool, outcome: Outcome) -> list[str]:
    repo = clean(place.secrets_repo)
    if action == "push":
        return [f"Pushed to {repo}." if changed else f"{repo} has everything."]
    lines = [f"{place.shown(place.paths.secrets_file)} is {'up to date now' if changed else 'unchanged'}."]
    if changed:
        lines.append("Services take it at their next start: `hero_dev restart SERVICE`.")
    if outcome.unpushed:
        lines.append(f"`hero_dev secrets push` sends it to {repo}.")
    return lines
