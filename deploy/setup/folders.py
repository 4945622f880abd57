"""The steps that make the box's folders and put its unit files and settings in place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploy.setup.machine import is_file, is_folder, make_folder, point, points_to, run, write_file
from deploy.setup.places import BROKER, CHECKOUT, LOG, ROOT, RUN, SYSTEMD, WEB
from deploy.setup.step import Step


@dataclass(frozen=True)
class Folder:
    path: Path
    mode: int
    owner: str = "root"
    group: str = "root"


FOLDERS = (
    Folder(ROOT, 0o755),
    Folder(ROOT / "cache", 0o755),
    Folder(ROOT / "cache" / "archives", 0o2770, "hero", "hero-team"),
    Folder(ROOT / "secrets", 0o700, "hero", "hero"),
    Folder(ROOT / "var", 0o750, "hero", "hero"),
    Folder(ROOT / "team", 0o750, "root", "hero-team"),
    Folder(ROOT / "team_sync", 0o700),
    Folder(LOG, 0o755),
    Folder(BROKER, 0o700, "hero-broker", "hero-broker"),
    Folder(BROKER / "keys", 0o700, "hero-broker", "hero-broker"),
    Folder(WEB, 0o700, "hero-web", "hero-web"),
    Folder(Path("/var/log/journal"), 0o2755, "root", "systemd-journal"),
    Folder(Path("/etc/hero"), 0o755),
    Folder(Path("/etc/hero/router.d"), 0o755),
)
LINKS = {ROOT / "home": "/home", ROOT / "run": str(RUN / "box")}

FILES = {
    "etc/tmpfiles-hero.conf": Path("/etc/tmpfiles.d/hero.conf"),
    "etc/dbus-hero.conf": Path("/etc/dbus-1/system.d/hero-hide-processes.conf"),
    "etc/journald-hero.conf": Path("/etc/systemd/journald.conf.d/hero.conf"),
    "etc/profile-hero.sh": Path("/etc/profile.d/hero.sh"),
    "systemd/hero_aibroker.service": SYSTEMD / "hero_aibroker.service",
    "systemd/hero_boxd.service": SYSTEMD / "hero_boxd.service",
    "systemd/hero_team_sync.service": SYSTEMD / "hero_team_sync.service",
    "systemd/hero_router.service": SYSTEMD / "hero_router.service",
    "systemd/hero_webd.service": SYSTEMD / "hero_webd.service",
    "systemd/hero_slotd.service": Path("/etc/systemd/user/hero_slotd.service"),
    "router/Caddyfile": Path("/etc/hero/Caddyfile"),
}
"""Files of deploy/ and where they go."""


def folders() -> Step:
    """The box's folders below /var, and the links that lead from there."""
    return Step("folders", _missing_folders, _make_folders)


def files() -> Step:
    """Unit files and settings."""
    return Step("units and settings", _missing_files, _put_files)


def _missing_folders() -> list[str]:
    found = [f"make {one.path} ({one.mode:o}, {one.owner}:{one.group})" for one in FOLDERS if not _is_there(one)]
    return found + [f"link {link} to {target}" for link, target in LINKS.items() if not points_to(link, target)]


def _is_there(one: Folder) -> bool:
    return is_folder(one.path, one.mode, one.owner, one.group)


def _make_folders() -> None:
    for one in FOLDERS:
        if not _is_there(one):
            make_folder(one.path, one.mode, one.owner, one.group)
    for link, target in LINKS.items():
        point(link, target)


def _missing_files() -> list[str]:
    found = [f"write {target}" for source, target in FILES.items() if not is_file(target, _content(source), 0o644)]
    return found + [f"make {RUN} and its folders" for _ in [0] if not (RUN / "slots").is_dir()]


def _content(source: str) -> bytes:
    return (CHECKOUT / "deploy" / source).read_bytes()


def _put_files() -> None:
    for source, target in FILES.items():
        if not is_file(target, _content(source), 0o644):
            write_file(target, _content(source), 0o644)
    run("systemd-tmpfiles", "--create", str(FILES["etc/tmpfiles-hero.conf"]))
    run("systemctl", "daemon-reload")
    run("systemctl", "reload", "dbus")
    run("systemctl", "restart", "systemd-journald")
