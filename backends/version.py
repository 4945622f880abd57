"""The version of this program, which every daemon tells and every client compares."""

__version__ = VERSION = "0.1.0"
