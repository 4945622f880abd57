"""How git gets the forge's token: from a file that only its owner reads, for that one forge."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from backends.forge.folder_files import disk_errors
from backends.forge.forgejo_redact import check_token
from backends.model.errors import HeroError
from backends.model.text import safe_line

HELPER = Path(__file__).with_name("credential_helper.sh")

_TOKEN_LIMIT = 4096


def read_token(path: Path) -> str:
    """The token in the file at `path`. Raises HeroError: denied if others can read it, usage if it holds none."""
    shown = safe_line(str(path))
    with disk_errors("read the forge's token"), path.open("rb") as file:
        if mode := os.fstat(file.fileno()).st_mode & 0o077:
            raise HeroError(
                "denied",
                f"The forge's token in {shown} can be read by others (mode {mode | 0o600:o}).",
                hint=f"chmod 600 {shlex.quote(shown)}; if others may have read it, make a new token.",
            )
        content = file.read(_TOKEN_LIMIT)
    try:
        return check_token(content.decode("ascii").strip())
    except ValueError:
        raise HeroError(
            "usage", f"There is no token in {shown}.", hint="Put the token in it, one line and nothing else."
        ) from None


def git_variables(base: str, token_file: Path | None) -> Mapping[str, str]:
    """Variables by which git asks for the token of the forge at `base` when it needs it; they hold no secret.

    Helpers that the user configured are left out, so that none of them stores it.
    """
    if token_file is None:
        return {}
    parts = urlsplit(base)
    words = ["sh", str(HELPER), parts.scheme, parts.netloc, str(token_file.absolute())]
    settings = (
        ("credential.helper", ""),
        (f"credential.{base}.helper", "!" + " ".join(shlex.quote(word) for word in words)),
        (f"credential.{base}.useHttpPath", "false"),
    )
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables
