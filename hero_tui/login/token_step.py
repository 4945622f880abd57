"""The first step: the person's own token for the forge, verified there, kept for them alone."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess

from backends.forge.credential import read_token
from backends.model.errors import HeroError
from backends.slot.files import write_atomically
from hero_tui.login.place import Place
from hero_tui.login.talk import Skipped, ask, ask_hidden, say, say_error
from hero_tui.render.text import clean
from hero_tui.verbs.noting import note

SCOPES = ("read:user", "write:repository", "write:issue")
_RESTART_SECONDS = 30.0


def needed(place: Place, again: bool) -> bool:
    """Whether the forge wants to know who asks, and nobody has told it yet."""
    if place.boxfile.forge.kind == "folder":
        return False
    if again:
        return True
    if not place.is_system and place.where.box.forge_token.exists():
        return False
    try:
        return not read_token(place.paths.forge_token)
    except HeroError:
        return True


def take(place: Place) -> None:
    """Ask for the token until one is good. Raises Skipped, Ended, HeroError."""
    from backends.forge.forgejo import Forgejo

    url = place.boxfile.forge.url
    say(
        f"  hero fetches, builds and publishes on {clean(url)} as you. Make a token there:",
        f"    {clean(Forgejo(url).tokens_page)}",
        f"  with the scopes {', '.join(SCOPES)}, and paste it here. It is not shown.",
    )
    while True:
        typed = ask_hidden("  Token (enter or s: skip):")
        if not typed:
            raise Skipped
        if _is_good(place, typed):
            break
    write_atomically(place.paths.forge_token, f"{typed}\n".encode(), mode=0o600)
    note(place.where, place.login, "forge.token", url, done=True, detail="kept at the first login")
    say(f"  Kept in {place.shown(place.paths.forge_token)}, for you alone.")
    _tell_daemon(place)


def _is_good(place: Place, token: str) -> bool:
    try:
        login, lacks = asyncio.run(_verify(place, token))
    except HeroError as error:
        say_error(error)
        if error.code != "unreachable":
            return False
        return ask("  Keep it without having asked the forge? y, n >", ("y", "n")) == "y"
    expected = _forge_user(place)
    say(f"  The forge knows it: {clean(login)}.")
    if login.lower() != expected.lower():
        say(f"  But the team repo says that you are {clean(expected)} there.")
        return ask("  Keep it all the same? y, n >", ("y", "n")) == "y"
    for sentence in lacks:
        say(f"  {clean(sentence, 1000)}")
    return not lacks or ask("  Keep it all the same? y, n >", ("y", "n")) == "y"


async def _verify(place: Place, token: str) -> tuple[str, list[str]]:
    """Whose token it is, and what it may not. Raises HeroError."""
    from backends.forge.forgejo import Forgejo

    forge = Forgejo(place.boxfile.forge.url, token)
    try:
        login = (await forge.user()).login
        with contextlib.suppress(HeroError):  # a repository that is not made yet tells nothing of the token
            await forge.clone_url(place.secrets_repo)
            return login, await forge.check(place.secrets_repo, owner_too=False)
        return login, []
    finally:
        await forge.aclose()


def _forge_user(place: Place) -> str:
    user = place.team.users.get(place.login)
    return (user.forge_user if user else None) or place.login


def _tell_daemon(place: Place) -> None:
    """The slot's daemon reads the token when it starts; services run on meanwhile."""
    if not place.is_system:
        return
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        command = ["systemctl", "--user", "--no-block", "try-restart", "hero_slotd.service"]
        subprocess.run(command, capture_output=True, timeout=_RESTART_SECONDS, check=False)
