"""Vector: a scene in which everything has its place, written as SVG by ourselves; needs no engine.

Colours are CSS variables (``--tg-forward-fill``) with the palette's as defaults, so a page may give
the picture its own, dark ones for instance.  Layer numbers are real superscripts, every id
has the prefix it was given.  Knows neither networks nor pages.
"""

from collections.abc import Iterator, Mapping
from html import escape
from itertools import zip_longest
from math import hypot

from tinygrad_dnn.visualize.metrics import EQUALS_GAP, sides, width
from tinygrad_dnn.visualize.palette import DARK, FONTS_IN_SVG, LEADING, LIGHT, STYLES, Theme
from tinygrad_dnn.visualize.scene import Arrow, Box, Group, Line, Scene
from tinygrad_dnn.visualize.svg import drawn_width, superscripts
from tinygrad_dnn.visualize.words import clean

Point = tuple[float, float]
PAD, GAP = 11, 12  # round the picture; between two columns of text
HEAD, HALF = 7.5, 3.0  # of an arrow: length, half its width
LID = 5  # half the height of a cylinder's lid
PLAIN = ("plain", "note")  # shapes without an outline
INKS = {colour: name for name, colour in LIGHT.inks.items()}
NO_LABELS: Mapping[str, str] = {}


def write(
    scene: Scene, prefix: str, *, theme: str = "light", labels: Mapping[str, str] = NO_LABELS
) -> str:
    """Return the picture; ``theme`` light, dark, or auto: what the reader's system prefers.

    With ``labels`` (by id of box) those boxes are buttons of that name, and the page round the
    picture brings the ``rules``; without, the picture brings its own and says what it shows.
    """
    x0, y0, x1, y1 = _extent(scene)
    w, h = x1 - x0 + 2 * PAD, y1 - y0 + 2 * PAD
    head = f'<svg xmlns="http://www.w3.org/2000/svg" id="{prefix}" class="tg" '
    head += f'viewBox="{x0 - PAD:.1f} {y0 - PAD:.1f} {w:.1f} {h:.1f}" '
    if labels:
        head += f'width="{w:.0f}" height="{h:.0f}" role="group" '
        head += f'aria-label="{escape(clean(scene.summary))}">'
    else:
        head += f'width="100%" style="max-width:{w:.0f}pt;height:auto" role="img">'
        head += f"<title>{_text(scene.title or scene.summary)}</title>"
        head += f"<style>{rules(f'#{prefix}', theme)}</style>"
        head += f'<rect class="paper" x="{x0 - PAD:.1f}" y="{y0 - PAD:.1f}" '
        head += f'width="{w:.1f}" height="{h:.1f}"/>'
    places = {box.id: box for box in scene.boxes}
    parts = [head]
    parts += (_group(group, prefix) for group in scene.groups if group.title)
    parts += (_box(box, prefix, labels) for box in scene.boxes)
    parts += (_arrow(arrow, f"{prefix}-e{i}", places) for i, arrow in enumerate(scene.arrows))
    return "\n".join([*parts, "</svg>\n"])


def rules(scope: str, theme: str = "light") -> str:
    """Return the style rules of pictures inside ``scope``, a CSS selector."""
    out = [f"{scope}{{font-family:{FONTS_IN_SVG}}}", f"{scope} text{{text-anchor:middle}}"]
    out.append(f"{scope} path,{scope} rect,{scope} ellipse{{stroke-width:1.4}}")
    out.append(f"{scope} .dashed{{stroke-dasharray:5 4}}{scope} .arrow path{{fill:none}}")
    out.append(f"{scope} .flush text,{scope} text.start{{text-anchor:start}}")
    out.append(f"{scope} text.end{{text-anchor:end}}{scope} .bold{{font-weight:bold}}")
    out += _colours(scope, DARK if theme == "dark" else LIGHT)
    if theme == "auto":
        inner = "".join(_colours(scope, DARK))
        out.append(f"@media(prefers-color-scheme:dark){{{inner}}}")
    return "".join(out)


def _colours(scope: str, theme: Theme) -> Iterator[str]:
    def given(what: str, name: str, colour: str) -> str:
        return f"{what}:{colour};{what}:var(--tg-{name},{colour})"

    yield f"{scope} .paper{{{given('fill', 'paper', theme.paper)}}}"
    for name, role in theme.roles.items():
        stroke = given("stroke", f"{name}-stroke", role.stroke)
        head = given("fill", f"{name}-stroke", role.stroke)
        yield f"{scope} .{name} .shape{{{given('fill', f'{name}-fill', role.fill)};{stroke}}}"
        yield f"{scope} .{name} text{{{given('fill', f'{name}-text', role.text)}}}"
        yield f"{scope} .{name}.arrow path{{{stroke}}}{scope} .{name} polygon{{{head}}}"
    for name, colour in theme.inks.items():
        yield f"{scope} text.{name}{{{given('fill', name, colour)}}}"


# ---- boxes -----------------------------------------------------------------------------------
def _group(group: Group, prefix: str) -> str:
    kind = "folded-band" if group.folded else "band"
    dashed = " dashed" if group.folded else ""
    text = ""
    if group.members:  # of a frame; a band's heading is a box
        x, y, *_ = _rectangle(group)
        title = Line(group.title, "heading")
        text = _line(title, x + 11, y + 18, "start")
        text += _line(Line(group.subtitle, "note"), x + 19 + width(title), y + 18, "start")
    return (
        f'<g id="{prefix}-{group.id}" class="group {kind}">'
        f"{_outline('rounded', *_rectangle(group), 12, dashed)}{text}</g>"
    )


def _box(box: Box, prefix: str, labels: Mapping[str, str]) -> str:
    x, y, w, h = _rectangle(box)
    style = " dashed" if box.dashed else ""
    outline = "" if box.shape in PLAIN else _outline(box.shape, x, y, w, h, 8, style)
    button = title = ""
    if box.id in labels:
        button = f' role="button" tabindex="-1" aria-label="{escape(clean(labels[box.id]))}"'
    elif box.tip and not labels:
        title = f"<title>{_text(box.tip)}</title>"
    kind = box.role + (" node" if outline else " flush" * (box.shape == "note"))
    write = _column if box.shape == "note" else _equations if box.aligned else _columns
    return f'<g id="{prefix}-{box.id}" class="{kind}"{button}>{title}{outline}{write(box)}</g>'


def _outline(shape: str, x: float, y: float, w: float, h: float, corner: float, style: str) -> str:
    if shape == "ellipse":
        at = f'cx="{x + w / 2:.1f}" cy="{y + h / 2:.1f}" rx="{w / 2:.1f}" ry="{h / 2:.1f}"'
        return f'<ellipse class="shape{style}" {at}/>'
    if shape == "cylinder":
        side, lid = f"{w / 2:.1f} {LID}", f"{x + w:.1f} {y + LID:.1f}"
        d = f"M{x:.1f} {y + LID:.1f}A{side} 0 0 1 {lid}V{y + h - LID:.1f}"
        d += f"A{side} 0 0 1 {x:.1f} {y + h - LID:.1f}Z"
        d += f"M{x:.1f} {y + LID:.1f}A{side} 0 0 0 {lid}"
        return f'<path class="shape{style}" d="{d}"/>'
    r = f' rx="{corner}"' if shape == "rounded" else ""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"'
    return f'<rect class="shape{style}" {size}{r}/>'


def _equations(box: Box) -> str:
    """Return equations below one another, aligned at their equals signs."""
    (column,) = box.columns
    sizes = [STYLES[line.style].size for line in column]
    pairs = [sides(line.text) if line.style == "equation" else None for line in column]
    size = STYLES["equation"].size
    left, right = (
        max((drawn_width(pair[side], size) for pair in pairs if pair), default=0.0)
        for side in (0, 1)
    )
    x, y = _at(box)
    at = x - (left + EQUALS_GAP + right) / 2 + left  # where what stands on the left ends
    y -= sum(sizes) * LEADING / 2
    out = []
    for line, pair, size in zip(column, pairs, sizes, strict=True):
        base = y + size * (LEADING / 2 + 0.35)
        if pair is None:
            out.append(_line(line, x, base))
        else:
            out.append(_line(Line(pair[0]), at, base, "end"))
            out.append(_line(Line(pair[1]), at + EQUALS_GAP, base, "start"))
        y += size * LEADING
    return "".join(out)


def _columns(box: Box) -> str:
    """Return the text: lines below one another, columns side by side, all of it centred."""
    widths = [max((width(line) for line in column), default=0.0) for column in box.columns]
    rows = list(zip_longest(*box.columns, fillvalue=Line("")))
    heights = [
        max(STYLES[line.style].size for line in row if line.text or len(row) == 1) for row in rows
    ]
    x, y = _at(box)
    y -= sum(heights) * LEADING / 2 - (4 if box.shape == "cylinder" else 0)
    out = []
    for row, size in zip(rows, heights, strict=True):
        left = x - (sum(widths) + GAP * (len(widths) - 1)) / 2
        for line, wide in zip(row, widths, strict=True):
            out.append(_line(line, left + wide / 2, y + size * (LEADING / 2 + 0.35)))
            left += wide + GAP
        y += size * LEADING
    return "".join(out)


def _column(box: Box) -> str:
    """Return lines set flush left."""
    x, y, *_ = _rectangle(box)
    out = []
    for line in box.columns[0]:
        y += STYLES[line.style].size * LEADING
        out.append(_line(line, x + 6, y))
    return "".join(out)


def _line(line: Line, x: float, y: float, anchor: str = "") -> str:
    if not line.text.strip():
        return ""
    style = STYLES[line.style]
    kinds = " ".join(filter(None, ("bold" * style.bold, INKS.get(style.colour or ""), anchor)))
    kind = f' class="{kinds}"' if kinds else ""
    text = superscripts(_text(line.text), style.size)
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{style.size:g}"{kind}>{text}</text>'


def _text(text: str) -> str:
    return escape(clean(text), quote=False)


# ---- arrows ----------------------------------------------------------------------------------
def _arrow(arrow: Arrow, id: str, places: Mapping[str, Box]) -> str:
    tail, head = places[arrow.tail], places[arrow.head]
    if len(arrow.path) > 1:  # as an engine laid it: a curve, to where the head begins
        (ax, ay), (cx, cy) = arrow.path[-2:]
        length = hypot(cx - ax, cy - ay) or 1.0
        u, v = (cx - ax) / length, (cy - ay) / length
        d = "C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in arrow.path[1:])
        x, y = arrow.path[0]
    else:
        x, y = _edge(tail, _at(head))
        bx, by = _edge(head, _at(tail))
        length = hypot(bx - x, by - y) or 1.0
        u, v = (bx - x) / length, (by - y) / length
        cx, cy = bx - HEAD * u, by - HEAD * v
        d = f"L{cx:.1f} {cy:.1f}"
    corners = [
        (cx + HEAD * u, cy + HEAD * v),
        (cx - HALF * v, cy + HALF * u),
        (cx + HALF * v, cy - HALF * u),
    ]
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in corners)
    dashed = ' class="dashed"' if arrow.dashed else ""
    shaft = f'<path{dashed} d="M{x:.1f} {y:.1f}{d}"/>'
    return f'<g id="{id}" class="arrow {arrow.role}">{shaft}<polygon points="{points}"/></g>'


def _edge(box: Box, to: Point) -> Point:
    """Return where the line from the middle of ``box`` to a point leaves its outline."""
    x, y, w, h = _rectangle(box)
    mx, my = x + w / 2, y + h / 2
    dx, dy = to[0] - mx, to[1] - my
    if box.shape == "ellipse":
        reach = hypot(dx / (w / 2), dy / (h / 2)) or 1.0
    else:
        reach = max(abs(dx) / (w / 2), abs(dy) / (h / 2)) or 1.0
    return mx + dx / reach, my + dy / reach


def _at(item: Box | Group) -> Point:
    if item.at is None:
        raise ValueError(f"{item.id} has no place; lay the scene out first")
    return item.at


def _rectangle(item: Box | Group) -> tuple[float, float, float, float]:
    (x, y), (w, h) = _at(item), item.size or (0.0, 0.0)
    return x - w / 2, y - h / 2, w, h


def _extent(scene: Scene) -> tuple[float, float, float, float]:
    items: list[Box | Group] = [*scene.boxes, *(group for group in scene.groups if group.title)]
    rectangles = [_rectangle(item) for item in items]
    xs = [x for x, _, w, _ in rectangles] + [x + w for x, _, w, _ in rectangles]
    ys = [y for _, y, _, _ in rectangles] + [y + h for _, y, _, h in rectangles]
    points = [point for arrow in scene.arrows for point in arrow.path]
    xs, ys = xs + [x for x, _ in points], ys + [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
