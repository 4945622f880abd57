"""Whether the router answers, its configuration holds, and its certificate lasts."""

from __future__ import annotations

import asyncio
import shlex
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backends.doctor.asking import ask, in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, passed_over, well
from backends.doctor.systemctl import parse_show
from backends.system_box import ROUTER_GROUP

DAYS = 86_400.0
_SOON, _VERY_SOON = 21.0, 7.0
"""Days. A certificate that renews itself is renewed a month before its end."""
_UNIT = "hero_router.service"
_PATIENCE = 1.5
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_WHY_CERTIFICATE = "Browsers, git and webhooks refuse an address whose certificate they cannot trust."
_WHY = "Without the router no service answers at its address, and no webhook arrives."


def judge_days(host: str, days: float, trusted: str) -> Found:
    """What it means that the certificate of `host` ends in `days`; `trusted`: why this machine does not, or ""."""
    renew = "journalctl -u hero_router | grep -i certificate (Caddy renews by itself where port 80 is open)"
    ends = f"The certificate of {host} ends in {days:.0f} days."
    if days <= 0:
        return Found("bad", f"The certificate of {host} has expired.", _WHY_CERTIFICATE, renew)
    if days < _VERY_SOON:
        return Found("bad", ends, _WHY_CERTIFICATE, renew)
    if trusted:
        return Found(
            "warn", f"This machine does not trust the certificate of {host}: {trusted}.", _WHY_CERTIFICATE, renew
        )
    return Found("warn", ends, _WHY_CERTIFICATE, renew) if days < _SOON else well(ends)


async def certificate(address: str, port: int, host: str) -> tuple[float, str]:
    """When the certificate that is shown to who asks for `host` ends (epoch), and why it is not trusted, or "".

    Raises OSError where nobody shows one.
    """
    try:
        return await _handshake(address, port, host, ssl.create_default_context()), ""
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == _EXPIRED:
            return 0.0, "it has expired"
        why = error.verify_message
    # What it says of its end is read on another connection, which trusts just this one certificate.
    shown = await _shown(address, port, host)
    trusting = ssl.create_default_context(cadata=shown)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        return await _handshake(address, port, host, trusting), why
    except ssl.SSLCertVerificationError as error:
        return (0.0, why) if error.verify_code == _EXPIRED else (time.time() + 365 * DAYS, why)


async def _handshake(address: str, port: int, host: str, context: ssl.SSLContext) -> float:
    found = await _peer(address, port, host, context)
    told: dict[str, Any] = found.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(told["notAfter"])))


async def _shown(address: str, port: int, host: str) -> bytes:
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    found = await _peer(address, port, host, anybody)
    return found.getpeercert(binary_form=True) or b""


async def _peer(address: str, port: int, host: str, context: ssl.SSLContext) -> ssl.SSLObject:
    async with asyncio.timeout(_PATIENCE):
        _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    return tls


async def _certificate(context: Context) -> Sequence[Found]:
    host, port = _https(context)
    if not host:
        return [passed_over("this box has no https address of its own")]
    try:
        ends, why = await certificate("127.0.0.1", port, host)
    except TimeoutError:
        return [_nobody(f"Nobody shows a certificate for {host} within {_PATIENCE:g} s.", context)]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [_nobody(f"Nobody shows a certificate for {host} at port {port}: {reason}.", context)]
    return [judge_days(host, (ends - time.time()) / DAYS, why)]


def _nobody(what: str, context: Context) -> Found:
    return Found("bad", what, _WHY_CERTIFICATE, f"{context.as_root}journalctl -u hero_router -e")


def _https(context: Context) -> tuple[str, int]:
    """The host and port of the box's https address; "" for none."""
    urls = [context.file.router.url, context.file.edge.url] if context.file else []
    for parts in map(urlsplit, urls):
        if parts.scheme == "https" and parts.hostname:
            return parts.hostname, parts.port or 443
    return "", 0


async def _up(context: Context) -> Sequence[Found]:
    if not context.system:
        return [passed_over("a rootless box has no router")]
    host, port = _https(context)
    port = port or 80
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.abort()
    except (OSError, TimeoutError):
        what = f"Nobody listens at port {port} of this machine."
        return [Found("bad", what, _WHY, f"{context.as_root}systemctl restart hero_router")]
    return [well(f"The router listens at port {port}{f' for {host}' if host else ''}.")]


async def _valid(context: Context) -> Sequence[Found]:
    file = context.machine.router
    if not context.system:
        return [passed_over("a rootless box has no router")]
    if not file.is_file():
        mend = f"{context.as_root}deploy/bootstrap.sh (it writes the file)"
        return [Found("bad", f"There is no {file}.", _WHY, mend)]
    if not context.is_root:
        return [passed_over("only root can look at the configuration as the router sees it")]
    settings = await _settings(context)
    # As the router's own user: as root it would make the router's log, and then the router could not write to it.
    drop = ("setpriv", f"--reuid={ROUTER_GROUP}", f"--regid={ROUTER_GROUP}", "--init-groups", "--")
    command = ("caddy", "validate", "--adapter", "caddyfile", "--config", str(file))
    answer = await ask(
        *drop, *command, env={**context.environment, "HOME": "/var/lib/caddy", **settings}, seconds=4
    )
    if answer.missing or answer.code == 127:
        return [Found("bad", "There is no caddy.", _WHY, f"{context.as_root}apt-get install caddy")]
    if answer.code:
        why = answer.complaint.removeprefix("Error: ")
        return [
            Found("bad", f"{file} is not valid: {why}", _WHY, f"edit {file}, then caddy validate --config {file}")
        ]
    return [well(f"{file} is valid.")]


async def _settings(context: Context) -> dict[str, str]:
    """The variables that the router's unit sets."""
    answer = await ask(
        "systemctl", "show", "--property=Environment,EnvironmentFiles", _UNIT, env=context.environment
    )
    told = next(iter(parse_show(answer.out)), {})
    settings = variables(told.get("Environment", ""))
    for name in told.get("EnvironmentFiles", "").split(" (")[:1]:
        settings |= await in_thread(lambda name=name: _from_file(Path(name)))  # type: ignore[misc]
    return settings


def variables(text: str) -> dict[str, str]:
    """`A=1 "B=two words"` as variables; nothing for what is none."""
    try:
        words = shlex.split(text)
    except ValueError:
        return {}
    return dict(word.partition("=")[::2] for word in words if "=" in word)


def _from_file(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    plain = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", ";"))]
    return {name: value for line in plain for name, value in variables(line).items()}


CHECKS = (
    Check("router.up", "router", _up),
    Check("router.configuration", "router's configuration", _valid, seconds=5.0),
    Check("router.certificate", "certificate", _certificate, seconds=5.0),
)
