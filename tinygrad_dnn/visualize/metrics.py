"""Metrics: how wide a line of text is, so that boxes of fixed size hold their labels everywhere.

Widths (thousandths of the type size) are those of Arial or of DejaVu Sans, which stands in where
there is no Arial, whichever is wider, so they are the same on every machine; a character outside
the table counts as a full square.  Knows no engine and asks for no font.
"""

from collections.abc import Iterable

from tinygrad_dnn.visualize.palette import LEADING, STYLES
from tinygrad_dnn.visualize.scene import Box, Column, Line
from tinygrad_dnn.visualize.words import CONTINUED

_GROUPS = {
    230: "′",
    280: "'ijl",
    300: "I",
    320: " ,.·",
    340: "/:;\\|",
    360: "f",
    370: "-",
    390: "ᵀ",
    400: "()[]t",
    410: "!²",
    420: "r",
    460: '"',
    500: "*J`°",
    530: "sz⁻∂",
    550: "cε",
    560: "?L_–",
    580: "k",
    600: "vxyγ",
    620: "FTaeo",
    640: "$0123456789bdghnpqu{}βησ√∘",
    670: "EKPSYŶΣα",
    690: "ABVXZ∑",
    730: "CR",
    760: "HNU",
    790: "&DGOQ",
    820: "w",
    840: "#+<=>^~×÷−≠≤≥",
    870: "M",
    980: "m%",
    990: "W",
}
WIDTHS = {character: width for width, group in _GROUPS.items() for character in group}
EQUALS_GAP = 6  # points before the equals sign of an aligned equation
BOLDER = 1.12  # bold type is about this much wider


def natural(text: str) -> float:
    """Return the width of ``text`` in units of the type size."""
    return sum(WIDTHS.get(character, 1000) for character in text) / 1000


def width(line: Line) -> float:
    """Return the width of ``line`` in points.

    >>> from tinygrad_dnn.visualize.scene import Line
    >>> width(Line("W[1]", "name"))
    34.02
    """
    style = STYLES[line.style]
    return round(natural(line.text) * style.size * (BOLDER if style.bold else 1), 3)


def height(column: Column) -> float:
    """Return the height of lines set below one another, in points."""
    return sum(STYLES[line.style].size * LEADING for line in column)


def sides(text: str) -> tuple[str, str] | None:
    """Return an equation as what stands left of its equals sign, and the rest.

    >>> sides("A[1] = ReLU(Z[1])"), sides("= (A[3] − Y) / m"), sides("Layer 1")
    (('A[1]', '= ReLU(Z[1])'), ('', '= (A[3] − Y) / m'), None)
    """
    left, equals, right = text.partition(" = ")
    if text.startswith(CONTINUED):
        return "", text
    return (left, f"= {right}") if equals else None


def aligned(column: Column) -> tuple[float, float, float]:
    """Return how wide equations are left and right of where they are aligned; and other lines."""
    left = right = other = 0.0
    for line in column:
        if line.style != "equation" or not (pair := sides(line.text)):
            other = max(other, width(line))
            continue
        a, b = (width(Line(text)) for text in pair)
        left, right = max(left, a), max(right, b)
    return left, right, other


def extent_of(box: Box) -> tuple[float, float]:
    """Return width and height of all that is written in a box."""
    if not box.aligned:
        return extent(box.columns)
    left, right, other = aligned(box.columns[0])
    return max(left + EQUALS_GAP + right, other), height(box.columns[0])


def extent(columns: Iterable[Column], gap: float = 12) -> tuple[float, float]:
    """Return width and height of columns set side by side, ``gap`` points between them."""
    columns = list(columns)
    widths = [max((width(line) for line in column), default=0.0) for column in columns]
    return (
        sum(widths) + gap * (len(widths) - 1),
        max((height(column) for column in columns), default=0.0),
    )
