"""Claude Code as a program: where it is, how it is started, what it says of itself."""
