"""Every check that there is, in the order in which a person reads them."""

from __future__ import annotations

from backends.doctor import (
    accounts,
    box_state,
    clock,
    disks,
    forge,
    identity,
    limits,
    locks,
    router,
    slot_state,
    sockets,
    stale_sockets,
    terminal,
    units,
    versions,
    web,
    worktrees,
)
from backends.doctor.found import Check

CHECKS: tuple[Check, ...] = (
    *box_state.CHECKS,
    *accounts.CHECKS,
    *units.CHECKS,
    *sockets.CHECKS,
    *stale_sockets.CHECKS,
    *disks.CHECKS,
    *clock.CHECKS,
    *forge.CHECKS,
    *router.CHECKS,
    *web.CHECKS,
    *limits.CHECKS,
    *versions.CHECKS,
    *slot_state.CHECKS,
    *identity.CHECKS,
    *worktrees.CHECKS,
    *locks.CHECKS,
    *terminal.CHECKS,
)

OF_BOX = tuple(check for check in CHECKS if check.scope == "box")
OF_SLOT = tuple(check for check in CHECKS if check.scope == "slot")
