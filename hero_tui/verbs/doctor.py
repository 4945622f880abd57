"""`hero_dev doctor`: what is wrong with this box and slot, why it matters, what mends it."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from hero_tui.verbs.exits import DONE, FAILED
from hero_tui.verbs.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backends.client.locate import Where
    from backends.doctor.examination import Told
    from backends.model.health_report import HealthFinding, HealthMend, HealthReport
    from hero_tui.verbs.noting import Complain


def configure(_: str, parser: argparse.ArgumentParser) -> None:
    """Add the verb's own options."""
    parser.add_argument("--fix", action="store_true", help="mend what can be mended without touching work")


def run(session: Session, asked: argparse.Namespace) -> int:
    """Look, mend if asked to, and tell; 1 where something is bad. Raises HeroError."""
    import asyncio

    from hero_tui.render.health import mend_lines, part_lines, summary_lines

    terminal = session.terminal()

    def told(heading: str, findings: Sequence[HealthFinding]) -> None:
        if not session.json and not session.quiet:
            session.show([*part_lines(heading, findings, terminal), ""])

    where = session.where()
    report = asyncio.run(_examine(session, where, told, fix=asked.fix))
    note_mends(where, report.mends, system=report.kind == "system")
    if session.json:
        session.answer(report.model_dump(mode="json"))
    else:
        if asked.fix:
            session.show([*mend_lines(report.mends, terminal), ""])
        session.show(summary_lines(report, terminal, fixed=asked.fix))
    return FAILED if report.of("bad") else DONE


async def _examine(session: Session, where: Where, told: Told, *, fix: bool) -> HealthReport:
    from backends.doctor.as_owner import Owners
    from backends.doctor.examination import examine
    from backends.doctor.opening import open_context

    context = open_context(where.box, where.users())
    slots = slots_to_look_at(where, session.slot, system=context.system)
    away = Owners() if context.system and context.is_root and slots else None
    return await examine(context, slots, told, fix=fix, away=away)


def note_mends(
    where: Where, mends: Iterable[HealthMend], *, system: bool, complain: Complain | None = None
) -> None:
    """Have every mend in the audit log: in the slot of who mends, or root's on a system box in the box's."""
    from hero_tui.verbs.noting import note, note_on_box, on_stderr

    away = system and os.geteuid() == 0
    tell = note_on_box if away else note
    for mend in mends:
        user = mend.slot or ("" if away else where.user or next(iter(where.users()), ""))
        done, said = mend.done, complain or on_stderr
        tell(where, user, "doctor.mend", mend.id, done=done, detail=mend.what, complain=said)


def slots_to_look_at(where: Where, named: str, *, system: bool) -> list[str]:
    """Whose slots are looked at: the one that is named, all that this user may look into, or the user's own.

    Raises HeroError `denied` for somebody else's on a system box.
    """
    from backends.model.errors import HeroError
    from backends.system_box import login_of

    if not system or os.geteuid() == 0:
        return [named] if named else where.users()
    login = login_of(os.geteuid())
    if named and named != login:
        raise HeroError(
            "denied",
            f"{login} may not look into {named}'s slot.",
            hint=f"`hero_dev peek {named}` shows what may be seen; root's doctor looks at all slots.",
        )
    return [login] if login in where.users() else []
