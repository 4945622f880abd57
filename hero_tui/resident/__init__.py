"""A cockpit that lies ready: its start is quick because it has happened before. See docs/resident.md."""
