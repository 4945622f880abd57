"""Plain text for the command line: replies of the daemons as lines, cut to the terminal's width."""
