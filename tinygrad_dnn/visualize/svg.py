"""SVG: what an engine wrote, made fit for pages and notebooks.

The picture shrinks with its container, ids get a prefix (two pictures on one page must share none),
fonts get substitutes, lines are centred for every font, the layer number of the course's symbols is
raised, and titles say what a box is.  Knows nothing of networks or engines.
"""

import re
from collections.abc import Mapping
from html import escape, unescape

from tinygrad_dnn.visualize.metrics import BOLDER, EQUALS_GAP, natural
from tinygrad_dnn.visualize.palette import FONTS_IN_SVG
from tinygrad_dnn.visualize.words import CONTINUED, clean

SYMBOL = re.compile(r"\b(d?[WUbZA]|n|Ŷ)(\[\d+\])(ᵀ?)")
NODE = re.compile(r'class="node">\s*<title>([^<]*)</title>.*?(?=<!--|</svg>)', re.DOTALL)
CLUSTER = re.compile(r'class="cluster">.*?(?=<!--|</svg>)', re.DOTALL)
OUTLINE = re.compile(r'<(?:path|polygon|ellipse)[^>]*? (?:d|points|cx)="([^"]*)"')
TEXT = re.compile(r'<text ([^>]*)font-size="([\d.]+)"([^>]*)>([^<]*)</text>')
ANCHOR = re.compile(r'text-anchor="start" x="([-\d.]+)"')
USUAL = 0.93  # of the widths that ``metrics`` has room for
RISE, SMALLER = 0.38, 0.72  # of a superscript, in units of the type size
GAP = 8  # between the heading of a cluster and what stands after it


def finish(svg: str, prefix: str, tips: Mapping[str, str], columns: Mapping[str, int]) -> str:
    """Return the SVG of an engine for publication; ``tips`` describe boxes by id.

    ``columns`` says of boxes how many columns of centred text they have, 0 where it is equations
    aligned at their signs: engines place it for the font they know, the reader's may be another.

    >>> finish('<svg width="10pt" height="5pt"><g id="node1"></g></svg>', "p", {}, {})
    '<svg width="100%" style="max-width:10pt;height:auto" role="img"><g id="p-node1"></g></svg>'
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(
        r'<svg width="([\d.]+)(pt|px)?" height="[\d.]+(?:pt|px)?"',
        r'<svg width="100%" style="max-width:\1pt;height:auto" role="img"',
        svg,
        count=1,
    )
    svg = NODE.sub(lambda found: _placed(found[0], columns.get(unescape(found[1]))), svg)
    svg = CLUSTER.sub(lambda found: _apart(found[0]), svg)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(\burl\(#|href="#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r'font-family="[^"]*"', f'font-family="{FONTS_IN_SVG}"', svg)
    svg = re.sub(r"<title>([^<]*)</title>", lambda found: _title(found[1], tips), svg)
    return TEXT.sub(_raised, svg)


def _title(id: str, tips: Mapping[str, str]) -> str:
    return f"<title>{escape(clean(tips[id]), quote=False)}</title>" if tips.get(id) else ""


def _placed(node: str, columns: int | None) -> str:
    """Return a node whose lines stand where the engine wanted them, in any font."""
    if columns is None:
        return node
    outline = OUTLINE.search(node)
    xs = [float(x) for x in re.findall(r"(-?[\d.]+)(?:,-?[\d.]+|$)", outline[1])] if outline else []
    middle = (min(xs) + max(xs)) / 2 if xs else None
    if columns == 0 and middle is not None:
        return _aligned(node, middle)

    def anchored(found: re.Match[str]) -> str:
        before, size, _, text = found.groups()
        wide = natural(unescape(text)) * float(size) * (BOLDER if "bold" in before else 1) * USUAL
        at = ANCHOR.search(before)
        x = float(at[1]) + wide / 2 if at else middle
        return _anchored(found, "middle", middle if columns == 1 and middle is not None else x)

    return TEXT.sub(anchored, node)


def _aligned(node: str, middle: float) -> str:
    """Return a node whose equations are aligned at their signs, all of them in its middle."""
    left = right = 0.0
    for before, size, _, text in TEXT.findall(node):
        wide = drawn_width(unescape(text), float(size))
        if text.startswith(CONTINUED):
            right = max(right, wide)
        elif "bold" not in before:
            left = max(left, wide)
    at = middle - (left + EQUALS_GAP + right) / 2 + left

    def anchored(found: re.Match[str]) -> str:
        if "bold" in found[1]:
            return _anchored(found, "middle", middle)
        if found[4].startswith(CONTINUED):
            return _anchored(found, "start", at + EQUALS_GAP)
        return _anchored(found, "end", at)

    return TEXT.sub(anchored, node)


def _anchored(found: re.Match[str], anchor: str, x: float | None) -> str:
    """Return a text that begins, ends or has its middle at x."""
    before, size, after, text = found.groups()
    before = ANCHOR.sub(f'text-anchor="{anchor}" x="{x:.2f}"', before)
    return f'<text {before}font-size="{size}"{after}>{text}</text>'


def _apart(cluster: str) -> str:
    """Return a cluster whose second text begins where the first one, its heading, has ended."""
    texts = list(TEXT.finditer(cluster))
    if len(texts) != 2:
        return cluster
    (first, second), (size, heading) = texts, texts[0].group(2, 4)
    at, then = ANCHOR.search(first[1]), ANCHOR.search(second[1])
    if not (at and then):
        return cluster
    x = float(at[1]) + natural(unescape(heading)) * float(size) * BOLDER + GAP
    moved = ANCHOR.sub(f'text-anchor="start" x="{max(x, float(then[1])):.2f}"', second[0])
    return cluster[: second.start()] + moved + cluster[second.end() :]


def _raised(found: re.Match[str]) -> str:
    """Write W[1]ᵀ with its number (and T) as a superscript; the text flows, in every browser."""
    before, size, after, text = found.groups()
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
