"""Claude Code sessions of one slot: begun in tmux windows, watched, spoken to, brought back after a reboot."""
