"""What keys and commands do to a cell: which are offered where, and the call that each one makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from backends.model.errors import HeroError
from screens.desk import Target
from screens.doings import Asked
from screens.question import Question

if TYPE_CHECKING:
    from backends.model.agents import Agent
    from backends.model.frozen import Frozen
    from backends.model.state import ServiceStatus
    from hero_tui.app import HeroApp
    from screens.widgets.picker_model import PickerItem

_CHANGING = frozenset({"switch", "restart", "build", "pull", "stop", "cancel", "edit", "shell", "attach"})
_STOPPED = ("stopped", "crashed", "unknown")


class CellActions:
    """The actions of one app."""

    def __init__(self, app: HeroApp):
        self._app = app
        self._desk = app.desk
        self._table: dict[str, Callable[[Target], None]] = {
            "logs": self._logs,
            "switch": self._switch,
            "restart": self._restart,
            "build": self._build,
            "pull": self._pull,
            "stop": self._stop,
            "cancel": self._cancel,
            "url": self._url,
            "copy": self._copy,
            "manifest": self._manifest,
            "edit": self._edit,
            "shell": self._shell,
            "builds": self._builds,
            "agent": self._agent,
            "attach": self._attach,
            "answer": self._answer,
        }

    # -- which are offered ------------------------------------------------------------------------

    def enabled(self, name: str, target: Target | None) -> bool:
        """Whether the verb can do something to `target` now."""
        if target is None:
            return False
        if name in _CHANGING and not self._desk.may_change(target.user):
            return False
        if name in ("agent", "answer"):
            return bool(self._desk.me) and not self._desk.read_only
        cell = self._desk.fleet.cell(target.user, target.service)
        match name:
            case "attach":
                return bool(self._attachable(target))
            case "switch" | "builds":
                return bool(target.service)
            case "edit" | "manifest":
                return target.user == self._desk.me
            case "logs":
                return cell is not None or bool(target.marked)
            case "url":
                return cell is not None and bool(cell.url or cell.socket)
            case "shell":
                return cell is not None and bool(cell.worktree)
            case "cancel":
                return bool(self._running_on(target))
            case "restart" | "stop":
                return cell is not None or bool(target.marked)
        return cell is not None

    def run(self, name: str, target: Target) -> None:
        """Do it, if it is offered."""
        if self.enabled(name, target):
            self._table[name](target)

    def _cell(self, target: Target) -> ServiceStatus:
        cell = self._desk.fleet.cell(target.user, target.service)
        assert cell is not None  # `enabled` has looked
        return cell

    # -- the verbs --------------------------------------------------------------------------------

    def _logs(self, target: Target) -> None:
        self._app.places.show_logs(target.user, target.marked or (target.service,))

    def _switch(self, target: Target) -> None:
        self._app.places.show_switch(target.user, target.service)

    def _builds(self, target: Target) -> None:
        self._app.places.show_builds(target.service)

    def _agent(self, target: Target) -> None:
        self._desk.ways.show_agent_form(target.service)

    def _answer(self, target: Target) -> None:
        self._desk.ways.show_inbox()

    def _attachable(self, target: Target) -> list[Agent]:
        """The live agents of the cell, or where it has none, of the slot."""
        slot = self._desk.fleet.slots.get(target.user)
        live = [agent for agent in slot.agents.values() if agent.state != "gone"] if slot else []
        return [agent for agent in live if agent.service == target.service] or live

    def _attach(self, target: Target) -> None:
        agents = self._attachable(target)
        if len(agents) == 1:
            self._attach_to(agents[0].id)
            return
        from screens.widgets.picker_model import PickerItem

        items = [PickerItem(agent.id, agent.name, agent.title, agent.says) for agent in agents]
        self.choose("attach", items, self._attach_to)

    def _attach_to(self, agent: str) -> None:
        self._app.run_worker(self._bring(agent), group="attach", exclusive=True)

    async def _bring(self, agent: str) -> None:
        try:
            await self._desk.attach(agent)
        except HeroError as error:
            self._desk.tell(str(error), failed=True)

    def _restart(self, target: Target) -> None:
        services = target.marked or (target.service,)
        cells = [self._desk.fleet.cell(target.user, service) for service in services]
        stopped = all(cell is not None and cell.health in _STOPPED for cell in cells)
        self.services("start" if stopped else "restart", target.user, services)

    def services(self, what: str, user: str, services: tuple[str, ...]) -> None:
        """start, stop or restart: `services`, or with none all of the slot."""
        from backends.model.slot_calls import PlanParams, ServicesParams

        slot = self._desk.fleet.slots.get(user)
        held = services or (tuple(slot.cells) if slot else ())
        title = f"{what} {' '.join(services)}".strip()
        word = {"start": "starting", "stop": "stopping", "restart": "restarting"}[what]
        asked = Asked(user, f"slot.{what}", ServicesParams(services=services), title, held, word)
        if what != "stop":
            self._desk.doings.begin(asked)
        elif len(services) == 1:
            self._desk.ask(asked, PlanParams(action="stop", service=services[0]), "cell.stop")
        else:
            question = Question(f"Stop {len(held)} services?", user, held, "Stop")
            self._desk.confirm("cell.stop", question, lambda: self._desk.doings.begin(asked))

    def _build(self, target: Target) -> None:
        from backends.model.slot_calls import RebuildParams

        self._plan("rebuild", target, RebuildParams(service=target.service), "building", "cell.build")

    def _pull(self, target: Target) -> None:
        from backends.model.slot_calls import PullParams

        self._plan("pull", target, PullParams(service=target.service), "pulling", "cell.pull")

    def _plan(self, action: str, target: Target, params: Frozen, word: str, id: str) -> None:
        from backends.model.slot_calls import PlanParams

        service = target.service
        asked = Asked(target.user, f"slot.{action}", params, f"{action} {service}", (service,), word)
        self._desk.ask(asked, PlanParams.model_validate({"action": action, "service": service}), id)

    def _stop(self, target: Target) -> None:
        self.services("stop", target.user, target.marked or (target.service,))

    def _running_on(self, target: Target) -> str:
        from hero_tui.store import services_of

        slot = self._desk.fleet.slots.get(target.user)
        for operation in slot.operations.values() if slot else ():
            if slot and target.service in services_of(operation, slot):
                return operation.id
        cell = self._desk.fleet.cell(target.user, target.service)
        return cell.operation.id if cell and cell.operation else ""

    def _cancel(self, target: Target) -> None:
        self._desk.doings.cancel(target.user, self._running_on(target))

    def _url(self, target: Target) -> None:
        cell = self._cell(target)
        copied = cell.url or _curl(cell.socket)
        self._put(copied, "")
        self._desk.tell(f"copied: {copied}")

    def _copy(self, target: Target) -> None:
        cell = self._cell(target)
        values = {
            "hash": cell.hash,
            "tag": cell.tag,
            "branch": cell.branch,
            "url": cell.url,
            "socket": cell.socket,
            "curl": _curl(cell.socket) if cell.socket else "",
            "worktree": cell.worktree,
            "reason": cell.reason,
            "last log line": cell.last_log,
        }
        self.copy_one(values)

    def copy_one(self, values: Mapping[str, str]) -> None:
        """Have the person choose one of these values to copy."""
        from screens.widgets.picker_model import PickerItem, in_columns

        items = [PickerItem(name, name, value) for name, value in values.items() if value]
        self.choose("copy", in_columns(items), lambda name: self._put(values[name], name))

    def _put(self, text: str, what: str) -> None:
        if what:
            self._desk.copy(text, what)
        else:
            self._app.copy_to_clipboard(text)

    def _manifest(self, target: Target) -> None:
        self._app.run_worker(self._show_manifest(target.user), group="manifest", exclusive=True)

    async def _show_manifest(self, user: str) -> None:
        from screens.manifest import ManifestDialog

        try:
            path = self._app.where.slot(user).manifest
            text = await asyncio.to_thread(path.read_text, encoding="utf-8", errors="replace")
        except OSError as error:
            self._desk.tell(f"{path} cannot be read: {error.strerror}", failed=True)
            return
        except HeroError as error:
            self._desk.tell(str(error), failed=True)
            return
        self._app.push_screen(ManifestDialog(str(path), text))

    def _edit(self, target: Target) -> None:
        self._app.run_worker(self._hand_over_editor(target.user), group="editor", exclusive=True)

    async def _hand_over_editor(self, user: str) -> None:
        from hero_tui import terminal

        try:
            path = self._app.where.slot(user).manifest
            await terminal.hand_over(self._app, terminal.editor_argv(path), path.parent, f"{user} manifest")
        except HeroError as error:
            self._desk.tell(str(error), failed=True)

    def _shell(self, target: Target) -> None:
        self._app.run_worker(self._hand_over_shell(self._cell(target)), group="shell", exclusive=True)

    async def _hand_over_shell(self, cell: ServiceStatus) -> None:
        from pathlib import Path

        from hero_tui import terminal

        folder = Path(cell.worktree)
        if not folder.is_dir():
            key = self._desk.key("cell.build")
            self._desk.tell(f"There is no worktree of {cell.branch} yet; {key} builds and makes it.", failed=True)
            return
        try:
            await terminal.hand_over(self._app, terminal.shell_argv(), folder, f"{cell.service} {cell.branch}")
        except HeroError as error:
            self._desk.tell(str(error), failed=True)

    def choose(self, title: str, items: Sequence[PickerItem], chosen: Callable[[str], None]) -> None:
        """Have the person choose one of `items`; `chosen` gets its key."""
        from screens.choose import ChooseDialog

        def answered(key: str | None) -> None:
            if key is not None:
                chosen(key)

        self._app.push_screen(ChooseDialog(title, items, close=self._desk.key("picker.cancel")), answered)


def _curl(socket: str) -> str:
    """The command that asks the service there."""
    import shlex

    return f"curl --unix-socket {shlex.quote(socket)} http://localhost/"
