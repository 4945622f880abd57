"""The bootstrap of a system box: steps that look, do what is missing, and look again. Standard library only."""
