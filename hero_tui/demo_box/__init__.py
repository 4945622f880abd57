"""The demo's box: its team, its services and their histories, and how it is made."""
