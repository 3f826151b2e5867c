"""SVG: what an engine wrote, made fit for pages and notebooks.

The picture shrinks with its container, ids get a prefix (two pictures on one page must share none),
fonts get substitutes, the layer number of the course's symbols is raised, and titles say what a box
is.  Knows nothing of networks or engines.
"""

import re
from collections.abc import Mapping
from html import escape

from tinygrad_dnn.visualize.metrics import natural
from tinygrad_dnn.visualize.palette import FONTS_IN_SVG
from tinygrad_dnn.visualize.words import CONTINUED, clean

SYMBOL = re.compile(r"\b(dW|db|dZ|dA|W|b|Z|A|n|Ŷ)(\[\d+\])(ᵀ?)")
TEXT = re.compile(r'<text ([^>]*)font-size="([\d.]+)"([^>]*)>([^<]*)</text>')
X = re.compile(r'\bx="([-\d.]+)"')
USUAL = 0.93  # of the widths that ``metrics`` has room for
RISE, SMALLER = 0.38, 0.72  # of a superscript, in units of the type size


def finish(svg: str, prefix: str, tips: Mapping[str, str]) -> str:
    """Return the SVG of an engine for publication; ``tips`` describe boxes by id.

    >>> finish('<svg width="10pt" height="5pt"><g id="node1"></g></svg>', "p", {})
    '<svg width="100%" style="max-width:10pt;height:auto" role="img"><g id="p-node1"></g></svg>'
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(
        r'<svg width="([\d.]+)(pt|px)?" height="[\d.]+(?:pt|px)?"',
        r'<svg width="100%" style="max-width:\1pt;height:auto" role="img"',
        svg,
        count=1,
    )
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(\burl\(#|href="#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r'font-family="[^"]*"', f'font-family="{FONTS_IN_SVG}"', svg)
    svg = re.sub(r"<title>([^<]*)</title>", lambda found: _title(found[1], tips), svg)
    return TEXT.sub(_raised, svg)


def _title(id: str, tips: Mapping[str, str]) -> str:
    return f"<title>{escape(clean(tips[id]), quote=False)}</title>" if tips.get(id) else ""


def _raised(found: re.Match[str]) -> str:
    """Write W[1]ᵀ with its number (and T) as a superscript; the text flows, in every browser."""
    before, size, after, text = found.groups()
    flush = text.startswith(CONTINUED)  # aligned with the lines above and below
    if 'text-anchor="start"' in before and not flush:  # keep the line where its middle was
        raised = sum(natural("".join(match.groups()[1:])) for match in SYMBOL.finditer(text))
        saved = raised * float(size) * (1 - SMALLER)
        before = X.sub(lambda x: f'x="{float(x[1]) + saved / 2:.2f}"', before)
    return f'<text {before}font-size="{size}"{after}>{superscripts(text, float(size))}</text>'


def drawn_width(text: str, size: float) -> float:
    """Return about how wide a line is once its layer numbers are raised, in a usual font."""
    raised = sum(natural("".join(match.groups()[1:])) for match in SYMBOL.finditer(text))
    return (natural(text) - raised * (1 - SMALLER)) * size * USUAL


def superscripts(text: str, size: float) -> str:
    r"""Return the text of an SVG line with every layer number (and T) raised.

    >>> superscripts("dZ[1]", 10)
    'dZ<tspan dy="-3.8" font-size="7.2">[1]</tspan><tspan dy="3.8">\u200b</tspan>'
    """
    up, small = round(size * RISE, 2), round(size * SMALLER, 2)

    def symbol(match: re.Match[str]) -> str:
        letter, number, transposed = match.groups()
        raised = number + ("T" if transposed else "")
        return (
            f'{letter}<tspan dy="-{up}" font-size="{small}">{raised}</tspan>'
            f'<tspan dy="{up}">\u200b</tspan>'
        )

    return SYMBOL.sub(symbol, text)
