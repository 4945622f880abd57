"""Tests of the bootstrap and what it puts on a machine."""
