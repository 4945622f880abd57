"""Whether people can sign in to the cockpit in the browser by the forge: it knows the box, the box its secret."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backends.doctor.asking import in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, passed_over, well
from backends.model.errors import HeroError
from backends.system_box import WEB_SECRET, has_web_secret

if TYPE_CHECKING:
    from backends.forge.oauth import Standing

_WHY = "Nobody can sign in to the cockpit in the browser."


async def _sign_in(context: Context) -> Sequence[Found]:
    if context.file is None:
        return [passed_over("box.toml cannot be used, so nobody knows which forge is meant")]
    if context.file.forge.kind == "folder":
        return [passed_over("a folder is the forge: people sign in by password")]
    if not context.file.web.oauth_client:
        return [passed_over("the cockpit in the browser is not set up: `hero_dev web register`")]
    from backends.forge.oauth import ForgeOAuth

    try:
        standing = await ForgeOAuth(context.file.forge.url, context.file.web.oauth_client).standing()
    except HeroError as error:
        return [passed_over(f"the forge does not say whether it knows this box: {error.message}")]
    secret = await in_thread(lambda: has_web_secret(_place(context)))
    return [judge(standing, secret, f"{context.as_root}hero_dev web register")]


def judge(standing: Standing, secret: bool | None, mend: str) -> Found:
    """What the forge's word means, and whether there is a secret here (None: not for this user to see)."""
    if standing == "unknown":
        return Found("bad", "The forge does not know the application that box.toml names.", _WHY, mend)
    if standing == "wants_secret" and secret is None:
        return passed_over("only root sees whether the secret that the forge wants is there")
    if standing == "wants_secret" and not secret:
        return Found("bad", "The forge wants a secret of this box, and there is none.", _WHY, mend)
    return well("The forge knows this box.")


def _place(context: Context) -> Path:
    return (context.machine.web if context.system else context.box.web) / WEB_SECRET


CHECKS = (Check("web.sign_in", "sign-in by the forge", _sign_in, seconds=4.0),)
