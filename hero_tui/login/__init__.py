"""The way into a slot: the first steps of a new user, and the tmux session that a login lands in."""
