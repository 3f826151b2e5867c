"""Metrics: how wide a line of text is, so that boxes of fixed size hold their labels everywhere.

Widths are those of Arial (thousandths of the type size), the same on every machine; a character
outside the table counts as a full square.  Knows no engine and asks for no font.
"""

from collections.abc import Iterable

from tinygrad_dnn.visualize.palette import LEADING, STYLES
from tinygrad_dnn.visualize.scene import Column, Line

_GROUPS = {
    222: "ijl'",
    278: " !,./:;[]\\ftI·²",
    333: "()-`rᵀ",
    355: '"',
    389: "*",
    469: "^",
    500: "ckvxyzJs",
    556: "0123456789abdeghnopquL?#$_–",
    584: "+<=>~×÷−",
    611: "FTZ",
    667: "ABEKPSVXYŶ&Σ",
    722: "CDHNRUwσ",
    778: "GOQ",
    833: "mM",
    889: "%",
    944: "W",
    1000: "→←…—",
}
WIDTHS = {character: width for width, group in _GROUPS.items() for character in group}
BOLDER = 1.08  # bold Arial is about this much wider


def natural(text: str) -> float:
    """Return the width of ``text`` in units of the type size."""
    return sum(WIDTHS.get(character, 1000) for character in text) / 1000


def width(line: Line) -> float:
    """Return the width of ``line`` in points.

    >>> from tinygrad_dnn.visualize.scene import Line
    >>> width(Line("W[1]", "name"))
    28.784
    """
    style = STYLES[line.style]
    return round(natural(line.text) * style.size * (BOLDER if style.bold else 1), 3)


def height(column: Column) -> float:
    """Return the height of lines set below one another, in points."""
    return sum(STYLES[line.style].size * LEADING for line in column)


def extent(columns: Iterable[Column], gap: float = 12) -> tuple[float, float]:
    """Return width and height of columns set side by side, ``gap`` points between them."""
    columns = list(columns)
    widths = [max((width(line) for line in column), default=0.0) for column in columns]
    return (
        sum(widths) + gap * (len(widths) - 1),
        max((height(column) for column in columns), default=0.0),
    )
