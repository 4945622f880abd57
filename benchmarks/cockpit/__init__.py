"""What the cockpit costs at a terminal, a module a row of docs/benchmarks.md, each against its baseline."""
