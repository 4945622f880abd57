"""The first steps after the token: the secrets repository, its `secrets.toml`, and what agents run on."""

from __future__ import annotations

import asyncio

from backends.model.errors import HeroError
from backends.model.manifest_edit import Preference, set_preference
from backends.slot.manifest_file import ManifestFile
from backends.slot.secrets_file import read_secrets
from hero_tui.login.editing import edit_secrets, editor_argv
from hero_tui.login.place import Place
from hero_tui.login.talk import Skipped, ask, say
from hero_tui.verbs.noting import note
from hero_tui.verbs.secrets import clone as clone_secrets
from hero_tui.verbs.secrets import note_secrets

NO_SECRETS = "integration"
"""The slot of nobody, which builds the trunk: it has no repository for secrets."""

_PREFERENCES: dict[str, Preference] = {"": "auto", "a": "auto", "p": "personal", "o": "org"}


def is_settled(place: Place, step: str) -> bool:
    """Whether a step that is not needed now will not be needed later either."""
    return step != "secrets" or place.login == NO_SECRETS or _is_cloned(place)


def clone_needed(place: Place, _: bool) -> bool:
    """Whether the user has a repository for secrets and no clone of it."""
    return place.login != NO_SECRETS and not _is_cloned(place)


def clone(place: Place) -> None:
    """Clone the repository. Raises Skipped, Ended, HeroError."""
    say(f"  {place.secrets_repo} holds what your services need to know and nobody else may.")
    ask(f"  enter: clone it into {place.shown(place.paths.secrets)}, s: skip >", ("",))
    with place.drafts.held():
        clone_secrets(place)
    say("  Cloned.")


def secrets_needed(place: Place, again: bool) -> bool:
    """Whether there is a clone without a usable secret in it."""
    if not _is_cloned(place) or again:
        return _is_cloned(place)
    try:
        return not read_secrets(place.paths).titles()
    except HeroError:
        return True


def secrets(place: Place) -> None:
    """Edit and push. Raises Skipped, Ended, HeroError."""
    editor = editor_argv(place.paths.secrets_file)[0]
    say('  NAME = "value" below [secrets]; a service asks for it by {secret:NAME}.')
    ask(f"  enter: write secrets.toml in {editor}, s: skip >", ("",))
    with place.drafts.held():
        outcome = edit_secrets(place)
        if outcome is None:
            raise Skipped
        if not outcome.commit:
            say("  Nothing written, nothing pushed.")
            raise Skipped
        note_secrets(place, "edit", commit=outcome.commit)
        place.on_secrets(lambda repo: repo.push())
        note_secrets(place, "push", commit=outcome.commit)
    say("  Pushed.")


def claude_needed(_: Place, __: bool) -> bool:
    """Once asked, the record knows."""
    return True


def claude(place: Place) -> None:
    """Ask for the preference and write it into the manifest. Raises Skipped, Ended, HeroError."""
    manifest = ManifestFile(place.paths)
    loaded = manifest.load()
    if loaded.problem:
        raise loaded.problem
    now = loaded.manifest.claude.preference
    say(
        "  a  auto      your own subscription or key where you have one, else the organisation's",
        "  p  personal  only your own",
        "  o  org       only the organisation's",
    )
    answer = ask(f"  Which? (enter: {now}) >", _PREFERENCES)
    chosen = _PREFERENCES[answer] if answer else now
    if chosen != now:
        asyncio.run(manifest.edit(lambda text: set_preference(text, chosen)))
        note(place.where, place.login, "claude.use", chosen, done=True, detail=f"{now} before; at the first login")
    say(f"  {chosen}; `[claude]` in {place.shown(place.paths.manifest)} says so.")


def _is_cloned(place: Place) -> bool:
    return (place.paths.secrets / ".git").is_dir()
