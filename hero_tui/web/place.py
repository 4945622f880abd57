"""Where the cockpit in the browser keeps what is for it alone: passwords' hashes, the secret from the forge."""

from __future__ import annotations

from pathlib import Path

from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.system_box import WEB_STATE


def state_of(box: BoxPaths, boxfile: BoxFile) -> Path:
    """The folder of the daemon's user alone."""
    return WEB_STATE if boxfile.kind == "system" else box.web


def secret_path(box: BoxPaths, boxfile: BoxFile) -> Path:
    """The file of the secret that the forge gave with the client id; none for a public application."""
    return state_of(box, boxfile) / "oauth_secret"


def read_secret(path: Path) -> str:
    """What is in it; "" without one. Raises HeroError where others can read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise HeroError("denied", f"{path} is not for its owner alone.", hint=f"`chmod 600 {path}`")
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError("failed", f"{path} cannot be read: {error}.") from error
