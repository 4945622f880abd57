"""The table of every JSON-RPC method, put together from its families (contracts: docs/rpc.md)."""

from __future__ import annotations

from backends.model.agent_calls import AGENT_METHODS
from backends.model.audit_calls import AUDIT_METHODS
from backends.model.box_calls import BOX_METHODS
from backends.model.broker_calls import BROKER_METHODS
from backends.model.build_calls import BUILD_METHODS
from backends.model.forge_calls import FORGE_METHODS
from backends.model.host_calls import HOST_METHODS
from backends.model.inbox_calls import INBOX_METHODS
from backends.model.method import Method
from backends.model.slot_calls import SLOT_METHODS
from backends.model.team_calls import TEAM_METHODS

METHODS: tuple[Method, ...] = (
    *SLOT_METHODS,
    *BOX_METHODS,
    *FORGE_METHODS,
    *BUILD_METHODS,
    *TEAM_METHODS,
    *AUDIT_METHODS,
    *AGENT_METHODS,
    *INBOX_METHODS,
    *BROKER_METHODS,
    *HOST_METHODS,
)
"""The table that servers register from, clients call by and docs/openrpc.json is made of."""

BY_NAME: dict[str, Method] = {method.name: method for method in METHODS}
