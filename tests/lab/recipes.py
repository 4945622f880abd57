"""What images are made from: their packages, and what the host knows about reaching package servers."""

from __future__ import annotations

import configparser
import hashlib
import io
import json
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
STOCK_PACKAGES = Path(__file__).with_name("stock.txt")
BOX_PACKAGES = REPOSITORY / "deploy/packages.txt"
"""What deploy/bootstrap.sh installs."""
WHEELS = "/var/cache/hero-wheels"
"""Where an image has the wheels of every locked Python package."""

_UBUNTU = ("noble",)
_ETC = Path("/etc")
_AUTHORITIES = Path("/usr/local/share/ca-certificates")
_APT_REACH = re.compile(r"^\s*Acquire::(?:https?|ftp|Retries|Check-|Max-)", re.M | re.I)
_LOGIN_IN_URL = re.compile(r"(\b[a-z+]+://)[^/\s@]+@")


@dataclass(frozen=True)
class Suite:
    """A release of a distribution, and where its packages are; no mirror means what debootstrap knows itself."""

    name: str
    mirror: str | None

    @classmethod
    def wanted(cls) -> Suite:
        """Debian 12 as the host's apt has it, or what HERO_TEST_LAB_SUITE and HERO_TEST_LAB_MIRROR name."""
        name = os.environ.get("HERO_TEST_LAB_SUITE") or "bookworm"
        return cls(name, os.environ.get("HERO_TEST_LAB_MIRROR") or _mirror_of(name))

    def options(self) -> list[str]:
        """What debootstrap is told besides the packages."""
        # Where it knows no keys of a suite, it would only warn; then https has to vouch for what root unpacks.
        https = (self.mirror or "").startswith("https://")
        components = ["--components=main,universe"] if self.name in _UBUNTU else []
        return ["--variant=minbase", *([] if https else ["--force-check-gpg"]), *components]

    def source(self) -> list[str]:
        """Debootstrap's last words; it has one script for all Ubuntus, but may not know the latest one's name."""
        script = ["gutsy"] if self.name in _UBUNTU else []
        return [self.mirror, *script] if self.mirror else []


def _apt_sources(suite: str) -> dict[str, str]:
    """The host's files that name `suite`, if any, without the logins in their URLs."""
    folder = _ETC / "apt/sources.list.d"
    paths = [_ETC / "apt/sources.list", *sorted(folder.glob("*.list")), *sorted(folder.glob("*.sources"))]
    texts = {str(path): path.read_text() for path in paths if path.is_file()}
    named = re.compile(rf"\b{re.escape(suite)}\b")
    return {path: without_login(text) for path, text in texts.items() if named.search(text) and " main" in text}


def _mirror_of(suite: str) -> str | None:
    word = re.escape(suite)
    for text in _apt_sources(suite).values():
        for stanza in re.split(r"\n\s*\n", text):
            url = re.search(r"^URIs:\s*(\S+)", stanza, re.M)
            if url and re.search(rf"^Suites:.*(?<=\s){word}(?=\s|$)", stanza, re.M):
                return url[1]
        if line := re.search(rf"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+{word}\s", text, re.M):
            return line[1]
    return None


def without_login(text: str) -> str:
    """`text` with no user or password in any URL: an image may be kept, a credential is not."""
    return _LOGIN_IN_URL.sub(r"\1", text)


def host_files(suite: Suite) -> dict[str, str]:
    """Path and text of each file that an image takes from the host, to reach what the host reaches."""
    found = _apt_sources(suite.name) if suite.mirror == _mirror_of(suite.name) else {}
    for path in sorted((_ETC / "apt/apt.conf.d").iterdir()):
        text = path.read_text()
        if _APT_REACH.search(text):
            found[str(path)] = without_login(text)
    authorities = {str(path): path.read_text() for path in sorted(_AUTHORITIES.glob("*.crt"))}
    if authorities:  # what brings authorities of its own has to be told of the system's
        variables = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        found["/etc/environment"] = "".join(f"{name}={CA_BUNDLE}\n" for name in variables)
    resolv_conf = {"/etc/resolv.conf": (_ETC / "resolv.conf").read_text()}
    return found | authorities | resolv_conf | {"/etc/pip.conf": pip_conf()}


def pip_conf() -> str:
    """The host's, with the image's wheels to be found, and, unless PIP_NO_INDEX=0, nothing else asked.

    pip prefers an index that has the same, and without a network waits for it for minutes.
    """
    config = configparser.RawConfigParser()
    config.read(_ETC / "pip.conf")
    if not config.has_section("global"):
        config.add_section("global")
    for option in ("index-url", "extra-index-url"):
        if value := os.environ.get(f"PIP_{option.upper().replace('-', '_')}"):
            config.set("global", option, value)
    config.set("global", "find-links", WHEELS)
    config.set("global", "no-index", "true")
    written = io.StringIO()
    config.write(written)
    return without_login(written.getvalue())


def packages(path: Path) -> list[str]:
    """Names of Debian packages, one a line of a file that may have `#` comments."""
    lines = path.read_text().splitlines()
    return [name for line in lines if (name := line.partition("#")[0].strip())]


def locks() -> dict[str, str]:
    """The files that lock Python packages, by name."""
    folder = REPOSITORY / "requirements"
    return {name: (folder / name).read_text() for name in ("run.lock", "dev.lock")}


def digest(kind: str, *made_from: object) -> str:
    """The name of an image: another one as soon as anything that it is made from is."""
    how = [Path(__file__).with_name(name).read_text() for name in ("recipes.py", "images.py")]
    text = json.dumps([kind, platform.machine(), how, made_from], sort_keys=True, default=str)
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
