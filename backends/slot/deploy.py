"""Put an installed version in force: swap, restart, check; and back again when it does not get healthy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from backends.failpoints import failpoint
from backends.model.errors import HeroError
from backends.model.manifest import Binding, InstalledState
from backends.model.manifest_edit import set_binding, set_state
from backends.model.paths import SlotPaths
from backends.slot.board import Board, derive_health, now
from backends.slot.files import link_target, remove_file, swap_link
from backends.slot.installs import Installed, Installs
from backends.slot.journal import Intent, Outcome, clear_intent, read_intents, write_intent
from backends.slot.manifest_file import ManifestFile
from backends.slot.operations import Progress
from backends.slot.services import Services


@dataclass(frozen=True)
class Deployed:
    """What runs now, and what ran before."""

    installed: Installed
    before: Installed | None


class Deployer:
    """Steps 5 to 10 of a switch; steps 1 to 4 are the caller's (docs/architecture.md)."""

    def __init__(
        self,
        paths: SlotPaths,
        installs: Installs,
        services: Services,
        manifest: ManifestFile,
        board: Board,
        repos: dict[str, str],
    ):
        self._paths = paths
        self._installs = installs
        self._services = services
        self._manifest = manifest
        self._board = board
        self._repos = repos

    async def deploy(
        self, binding: Binding, installed: Installed, progress: Progress, *, start: bool = True
    ) -> Deployed:
        """Make `installed` what `binding` runs, and with `start` run it.

        Raises HeroError `unhealthy` (or what went wrong) after the old version runs again; a cancel likewise.
        """
        service = binding.service
        before = self._installs.current(service)
        self._board.expect(binding, installed.repo)
        intent = Intent(
            service=service,
            old=before.folder if before else "",
            new=installed.folder,
            version=installed.version,
            was_running=await self._services.running(service),
        )
        was_good = self._ran_well(service)
        write_intent(self._paths, intent)
        failpoint("switch.5.intended")
        try:
            await self._run_new(binding.service, installed, progress, start=start)
            progress.commit()
            await self._commit(binding, installed, before, was_good=was_good)
        except BaseException as error:
            await asyncio.shield(asyncio.ensure_future(self._roll_back(intent, installed, error, progress)))
            raise
        finally:
            self._board.decided(service)
            self._board.reload(self._manifest.load().manifest, self._repos)
        failpoint("switch.9.committed")
        clear_intent(self._paths, service)
        failpoint("switch.10.cleared")
        return Deployed(installed, before)

    async def recover(self) -> list[Outcome]:
        """Finish what a kill cut off: the new version where the manifest says so, else the old one."""
        return [await self._recover(intent) for intent in read_intents(self._paths)]

    async def _run_new(self, service: str, installed: Installed, progress: Progress, *, start: bool) -> None:
        progress.tell("swap")
        self._swap(service, installed.folder)
        failpoint("switch.6.swapped")
        if not start:
            return
        progress.tell("restart")
        await self._services.start(service)
        failpoint("switch.7.restarted")
        progress.tell("health check")
        checked = await self._services.healthy(service)
        if not checked.ok:
            raise HeroError(
                "unhealthy",
                f"{service} {installed.tag or installed.version[:8]} did not get healthy: {checked.detail}.",
                hint=f"`hero_dev logs {service}` shows what it said.",
            )
        failpoint("switch.8.healthy")

    def _ran_well(self, service: str) -> bool:
        facts = self._board.facts(service)
        return facts is not None and derive_health(facts)[0] in ("healthy", "starting", "stopped")

    async def _commit(
        self, binding: Binding, installed: Installed, before: Installed | None, *, was_good: bool
    ) -> None:
        facts = self._board.facts(binding.service)
        known = facts.installed if facts else None
        state = state_after(installed, before, facts.binding if facts else None, known, was_good=was_good)
        await self._manifest.edit(
            lambda text: set_binding(text, binding),
            lambda text: set_state(text, binding.service, state),
        )

    async def _roll_back(
        self, intent: Intent, failed: Installed, error: BaseException, progress: Progress
    ) -> None:
        """The old version in force again, and running if it ran; the error tells how that went."""
        service = intent.service
        progress.tell("roll back")
        if not intent.old:
            await self._services.stop(service)
            remove_file(self._paths.current(service))
            clear_intent(self._paths, service)
            return
        self._swap(service, intent.old)
        told = f"{intent.old} is in force again"
        if intent.was_running:
            try:
                await self._services.start(service)
                checked = await self._services.healthy(service)
                told += " and healthy" if checked.ok else f", but not healthy: {checked.detail}"
            except HeroError as second:
                told += f", but did not start: {second.message}"
        clear_intent(self._paths, service)
        if isinstance(error, HeroError):
            error.message = f"{error.message} {told[0].upper()}{told[1:]}."
            error.data = {**error.data, "rolled_back_to": intent.old, "refused": failed.version}

    async def _recover(self, intent: Intent) -> Outcome:
        service = intent.service
        state = self._manifest.load().manifest.state.get(service)
        target = link_target(self._paths.current(service))
        in_force = target.name if target else ""
        finished = state is not None and state.hash == intent.version and in_force == intent.new
        if finished or not intent.old:
            folder, side = (intent.new, "new") if finished else ("", "old")
        else:
            folder, side = intent.old, "old"
        sentence = await self._put_right(intent, folder, in_force, restart=intent.was_running and not finished)
        clear_intent(self._paths, service)
        return Outcome(
            service=service,
            side="new" if side == "new" else "old",
            version=folder,
            sentence=f"A switch of {service} to {intent.new} was cut off: {sentence}.",
        )

    async def _put_right(self, intent: Intent, folder: str, in_force: str, *, restart: bool) -> str:
        service = intent.service
        if not folder:
            await self._services.stop(service)
            remove_file(self._paths.current(service))
            return "nothing ran before, nothing runs now"
        if in_force != folder:
            self._swap(service, folder)
        if restart:
            try:
                await self._services.start(service)
            except HeroError as error:
                return f"{folder} is in force, but did not start: {error.message}"
        return f"{folder} is in force"

    def _swap(self, service: str, folder: str) -> None:
        swap_link(self._paths.current(service), self._paths.opt / service / folder)


def state_after(
    installed: Installed,
    before: Installed | None,
    old_binding: Binding | None,
    known: InstalledState | None,
    *,
    was_good: bool = True,
) -> InstalledState:
    """The `[state]` once `installed` runs; `previous…` is what ran before it, or stays where that is the same.

    `was_good`: what ran before was not broken when it was replaced, so that it is the last good one.
    """
    fields: dict[str, object] = {}
    if before is not None and before.sha256 != installed.sha256:
        fields = {
            "previous": before.version,
            "previous_branch": old_binding.branch if old_binding else before.branch,
            "previous_source": old_binding.source if old_binding else before.source,
            "previous_tag": before.tag or None,
            "previous_sha256": before.sha256,
            "last_good": before.version if was_good else known.last_good if known else None,
        }
    elif known is not None:
        kept = ("previous", "last_good")
        fields = {name: value for name, value in known.model_dump().items() if name.startswith(kept)}
    return InstalledState.model_validate(
        {
            "hash": installed.version,
            "tag": installed.tag or None,
            "source": installed.source,
            "sha256": installed.sha256,
            "installed_at": now(),
            **fields,
        }
    )
