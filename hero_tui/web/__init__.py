"""The cockpit in the browser: read-only, one process a tab, for people of the team alone (docs/web.md)."""
