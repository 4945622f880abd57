"""How well colours can be read and told apart: WCAG's contrast, and what three kinds of colour blindness see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from textual.color import Color

from styles.theme_file import ThemeFile

Sight = Literal["usual", "protan", "deutan", "tritan"]

GROUNDS = ("background", "surface", "stripe", "pinned", "cursor", "cursor-blurred")
"""What text stands on."""
FURNITURE = frozenset(
    {"rule", "faint", "stripe", "pinned", "cursor", "cursor-blurred", "match-ground", "drift-current"}
)
"""Names of the domain that are no text, or text that says nothing which is missed."""
READABLE = 4.5
"""WCAG AA for text."""
READABLE_BOLD = 3.5
"""In the cell under the cursor text is bold, and its state is told by the sign, too."""

_SIGHTS: Mapping[Sight, tuple[tuple[float, float, float], ...]] = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""Machado, Oliveira and Fernandes 2009, of full severity, on linear RGB."""


def contrast(text: Color, ground: Color) -> float:
    """WCAG's ratio, 1 to 21."""
    high, low = sorted((luminance(text), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Color) -> float:
    """WCAG's relative luminance, 0 to 1."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def distance(one: Color, other: Color, sight: Sight = "usual") -> float:
    """How different two colours look (CIE76): below about 10 they are taken for each other in small signs."""
    first, second = _lab(_seen(one, sight)), _lab(_seen(other, sight))
    return float(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5)


def poor(theme: ThemeFile) -> Iterator[tuple[str, str, float]]:
    """Text, ground and contrast of what cannot be read well; nothing of a theme in the terminal's own colours."""
    if theme.ansi:
        return
    known = {**theme.base, **theme.domain}
    for name in (*(set(theme.domain) - FURNITURE), "foreground", "primary", "warning", "error", "success"):
        for ground in ("match-ground",) if name == "match" else GROUNDS:
            ratio = contrast(Color.parse(known[name]), Color.parse(known[ground]))
            if ratio < (READABLE_BOLD if ground.startswith("cursor") else READABLE):
                yield name, ground, round(ratio, 2)


def _linear(colour: Color) -> tuple[float, float, float]:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return parts[0], parts[1], parts[2]


def _seen(colour: Color, sight: Sight) -> tuple[float, float, float]:
    red, green, blue = _linear(colour)
    seen = [max(0.0, min(1.0, a * red + b * green + c * blue)) for a, b, c in _SIGHTS[sight]]
    return seen[0], seen[1], seen[2]


def _lab(linear: tuple[float, float, float]) -> tuple[float, float, float]:
    red, green, blue = linear
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)
