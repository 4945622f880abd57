"""Contexts for the doctor's tests: a folder that looks like a box, and a machine's places below another folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from backends.doctor.context import Context, Machine
from backends.doctor.examination import run_check
from backends.doctor.found import Check, Found
from backends.model.boxfile import BoxFile
from backends.model.paths import BoxPaths
from backends.model.team_files import ForgeAddress

BOXFILE = BoxFile(name="test", created=datetime(2026, 11, 20, tzinfo=UTC))


def context_in(folder: Path, *, user: str = "alice", forge: str = "", system: bool = False) -> Context:
    """A box in `folder` with a slot of `user`'s; `forge` is the address of one that speaks HTTP."""
    box = BoxPaths(folder / "box")
    box.slot(user).root.mkdir(parents=True, exist_ok=True)
    file = BOXFILE
    if forge:
        address = ForgeAddress(kind="forgejo", url=forge)
        file = file.model_copy(update={"forge": address})
    machine = Machine(run=folder / "run", lingering=folder / "linger", software=folder / "current", tmp=folder)
    return replace(
        Context(box=box, file=file, users=(user,), user=user, system=system, machine=machine), patience=10.0
    )


def check_of(checks: Sequence[Check], id_: str) -> Check:
    """The check called so."""
    return next(check for check in checks if check.id == id_)


async def found_by(checks: Sequence[Check], id_: str, context: Context) -> Sequence[Found]:
    """What that check finds."""
    return await run_check(check_of(checks, id_), context)
