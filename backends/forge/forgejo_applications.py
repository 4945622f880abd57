"""The OAuth2 applications of whoever the token belongs to, on a Forgejo or Gitea: seen, made, renewed, removed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Mapping

from backends.forge.forgejo_api import ForgejoApi
from backends.forge.forgejo_errors import Site, status_of
from backends.forge.forgejo_http import ForgejoHttp
from backends.forge.forgejo_records import RawApplication, User, read, read_all
from backends.forge.forgejo_redact import Redactor, check_token
from backends.model.errors import HeroError

_PATH = "/user/applications/oauth2"
_PAGES = 20
"""Pages of applications that are looked through; nobody has a thousand."""
_LIMIT = 64 << 10
"""Bytes of an answer about one of them."""
_SECRET = re.compile(r"[\x21-\x7e]{8,500}")


class Applications:
    """Methods raise HeroError, in which there is neither token nor secret."""

    def __init__(self, api: ForgejoApi) -> None:
        self._api = api

    async def owner(self) -> str:
        """Whose they are."""
        return read(User, await self._api.json("GET", "/user"), self._api.site, "GET /user").login

    async def all(self) -> tuple[RawApplication, ...]:
        """Without their secrets, which the forge does not keep."""
        found: list[RawApplication] = []
        async for raw in self._api.every(_PATH, pages=_PAGES):
            found += read_all(RawApplication, [raw])
        return tuple(found)

    async def check_may_change(self) -> None:
        """Raises HeroError `denied` for a token that may only look: one without a name is never made."""
        try:
            await self._api.json("POST", _PATH, body={})
        except HeroError as error:
            if status_of(error) != 422:
                raise

    async def create(self, name: str, redirect: str) -> RawApplication:
        """A new one, which can keep a secret, with that secret."""
        body = {"name": name, "redirect_uris": [redirect], "confidential_client": True}
        return await self._told("POST", _PATH, body, redirect)

    async def renew(self, application: RawApplication, redirect: str) -> RawApplication:
        """`application` with another secret; the one that it had is good for nothing from then on.

        It comes back to `redirect`; other addresses stay only beside that one.
        """
        addresses = application.redirect_uris if redirect in application.redirect_uris else (redirect,)
        body = {
            "name": application.name,
            "redirect_uris": list(addresses),
            "confidential_client": True,
            "skip_secondary_authorization": application.skip_secondary_authorization,
        }
        found = await self._told("PATCH", f"{_PATH}/{application.id}", body, redirect)
        if found.client_id != application.client_id:
            raise self._api.site.no_forge(f"PATCH {_PATH}", "it tells of another application")
        return found

    async def remove(self, application: RawApplication) -> None:
        """Take it away; one that is gone already is."""
        try:
            await self._api.json("DELETE", f"{_PATH}/{application.id}")
        except HeroError as error:
            if status_of(error) != 404:
                raise

    async def _told(self, method: str, path: str, body: Mapping[str, object], redirect: str) -> RawApplication:
        """The application that the forge answers with. Raises HeroError `failed` where it would not do."""
        request = f"{method} {_PATH}"
        reply = await self._api.reply(method, path, body=body, limit=_LIMIT)
        found = read(RawApplication, self._api.parsed(reply, request), self._api.site, request)
        if not _SECRET.fullmatch(found.client_secret):
            raise self._api.site.no_forge(request, "there is no secret in it")
        if redirect not in found.redirect_uris:
            raise self._api.site.no_forge(request, "the application does not come back to this box")
        return found


@contextlib.asynccontextmanager
async def applications_of(url: str, token: str) -> AsyncIterator[Applications]:
    """Those on the forge at `url` of whoever `token` belongs to. Raises HeroError `usage` for what is no token."""
    site = Site(url.rstrip("/"), True, Redactor(check_token(token)))
    http = ForgejoHttp(site, token)
    try:
        yield Applications(ForgejoApi(http))
    finally:
        await http.aclose()
