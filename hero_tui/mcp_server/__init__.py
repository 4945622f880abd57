"""The tools that an agent has on its slot, as an MCP server on standard input and output."""
