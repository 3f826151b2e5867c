"""Palette: the colours, strokes and type sizes of every picture, each under the role it plays.

Colour is never alone: row, shape, dash, arrow direction and the letter d say the same again.
Contrast of text (4.5 : 1) and strokes (2.8 : 1) on their own fill is tested.  Knows nothing of
what is drawn.
"""

from typing import NamedTuple

INK, GREY = "#1B2733", "#5B6B7B"
FONT = "Arial"  # exactly this name: a list makes some engines fall back to the metrics of Times
FONTS_IN_SVG = "Arial,Helvetica,Liberation Sans,sans-serif"


class Role(NamedTuple):
    """How a kind of box is drawn."""

    stroke: str
    fill: str
    text: str


ROLES = {
    "forward": Role("#0B5FA5", "#E6F1FB", "#0B5FA5"),
    "value": Role("#0B5FA5", "#FFFFFF", "#0B5FA5"),
    "backward": Role("#B3202A", "#FCEBEC", "#B3202A"),
    "gradient": Role("#B3202A", "#FFFFFF", "#B3202A"),
    "parameter": Role("#CC8400", "#FFF3D6", "#7A4F00"),
    "cache": Role("#00A078", "#E0F5EE", "#006B50"),
    "cost": Role("#AA3377", "#F8E8F1", "#8A1F5E"),
    "data": Role("#5B6B7B", "#FFFFFF", "#3C4855"),
    "fold": Role("#5B6B7B", "#F1F4F7", "#3C4855"),
    "failed": Role("#B3202A", "#FFEBCC", "#8F1018"),
    "plain": Role("#FFFFFF", "#FFFFFF", "#5B6B7B"),
}

BAND = Role("#D5DDE5", "#FAFBFC", INK)
FOLDED_BAND = Role("#8593A1", "#F1F4F7", INK)


RED = "#B3202A"


class Theme(NamedTuple):
    """All colours of a picture: of the page behind it, of roles, and of text that has its own."""

    paper: str
    roles: dict[str, Role]
    inks: dict[str, str]


LIGHT = Theme(
    "#FFFFFF",
    {**ROLES, "band": BAND, "folded-band": FOLDED_BAND},
    {"ink": INK, "grey": GREY, "slope": RED},
)
DARK = Theme(
    "#10161D",
    {
        "forward": Role("#5B8DF5", "#12304A", "#9CCBF5"),
        "value": Role("#5B8DF5", "#10161D", "#9CCBF5"),
        "backward": Role("#ED5153", "#43191D", "#FFA9AE"),
        "gradient": Role("#ED5153", "#10161D", "#FFA9AE"),
        "parameter": Role("#DFA52F", "#3B2C0C", "#F5CE85"),
        "cache": Role("#2ADAA8", "#0C342B", "#86E0C8"),
        "cost": Role("#B8499A", "#3F1730", "#F0A6D1"),
        "data": Role("#8B9AA9", "#10161D", "#C6D0DA"),
        "fold": Role("#8B9AA9", "#1E2832", "#C6D0DA"),
        "failed": Role("#FF7F87", "#5A2A08", "#FFC4C7"),
        "plain": Role("#10161D", "#10161D", "#9AA8B6"),
        "band": Role("#2B3743", "#161D25", "#E6ECF2"),
        "folded-band": Role("#6B7A89", "#1E2832", "#E6ECF2"),
    },
    {"ink": "#E6ECF2", "grey": "#A3B0BD", "slope": "#FFA9AE"},
)


class Style(NamedTuple):
    """A kind of text; ``colour`` None takes that of the box's role."""

    size: float
    bold: bool = False
    colour: str | None = None


STYLES = {
    "name": Style(14),
    "title": Style(12, bold=True),
    "heading": Style(13, bold=True, colour=INK),
    "equation": Style(12, colour=INK),
    "shape": Style(10, colour=GREY),
    "gradient": Style(10, colour=RED),
    "slope": Style(12, colour=RED),
    "clash": Style(14, bold=True, colour=RED),
    "label": Style(11),
    "note": Style(10, colour=GREY),
}
LEADING = 1.3  # height of a line in units of its type size
