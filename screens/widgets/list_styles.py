"""The styles that a line of a list can have: what its parts are, how well a service is, how a build stands."""

from __future__ import annotations

_PARTS = (
    *("head", "name", "text", "quiet", "off", "mine", "tag", "busy", "bar", "left", "spark"),
    *("mark", "marked", "cursor", "cursor-blurred"),
)
_HEALTHS = ("healthy", "starting", "unhealthy", "crashed", "stopped", "unknown")
_BUILDS = ("queued", "running", "succeeded", "failed", "cancelled", "superseded")

LINE_STYLES: frozenset[str] = frozenset(
    (
        *(f"list--{part}" for part in _PARTS),
        *(f"health--{health}" for health in _HEALTHS),
        *(f"build--{state}" for state in _BUILDS),
    )
)
"""Names of component classes."""
