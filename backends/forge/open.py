"""From the address of a forge in box.toml or team.toml to the forge itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backends.forge.base import Forge
from backends.forge.folder import FolderForge
from backends.model.paths import BoxPaths
from backends.model.team_files import ForgeAddress


def open_forge(box: BoxPaths, address: ForgeAddress, token_files: Sequence[Path] = ()) -> Forge:
    """The forge at `address`, which is the box's own folder for a folder forge.

    The first of `token_files` that exists holds the token; without one only what is public is seen. Nothing is
    asked of the forge yet. Raises HeroError: denied if others can read that file, usage if it holds no token.
    """
    if address.kind == "folder":
        return FolderForge(box.forge)

    # A tenth of a second to load, which a box without a Forgejo never pays.
    from backends.forge.credential import read_token
    from backends.forge.forgejo import Forgejo

    token_file = next((path for path in token_files if path.exists()), None)
    token = read_token(token_file) if token_file else ""
    return Forgejo(address.url, token, token_file=token_file)
