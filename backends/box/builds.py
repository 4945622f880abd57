"""What a build request leaves out: taken from the slot's binding, else from the catalogue and the trunk."""

from __future__ import annotations

from collections.abc import Iterable

from backends.model.build_calls import BuildSubmitParams
from backends.model.errors import HeroError, unknown_name
from backends.model.state import CatalogueEntry, ServiceStatus, SlotStatus


def completed(
    params: BuildSubmitParams, slot: SlotStatus | None, catalogue: Iterable[CatalogueEntry], trunk: str
) -> BuildSubmitParams:
    """`params` with the repository and branch of the slot's binding, or else of the catalogue and the trunk.

    Raises HeroError `not_found` for a slot or a service that nobody knows.
    """
    if slot is None:
        raise HeroError(
            "not_found",
            f"There is no slot of {params.user!r} on this box.",
            hint="`hero_dev status --all` lists them.",
        )
    cell = next((one for one in slot.services if one.service == params.service), None)
    repo = params.repo or _repo_of(params.service, cell, catalogue)
    branch = params.branch or (cell.branch if cell else trunk)
    return params.model_copy(update={"repo": repo, "branch": branch})


def _repo_of(service: str, cell: ServiceStatus | None, catalogue: Iterable[CatalogueEntry]) -> str:
    repos = {entry.name: entry.repo for entry in catalogue}
    if cell and cell.repo:
        return cell.repo
    if service in repos:
        return repos[service]
    raise unknown_name("service", service, repos)
