"""DOT: a scene as the text that Graphviz reads, the same bytes in every process.

Every label is HTML-like, one run of text per cell (browsers set several runs on a line apart);
names of Tensors are escaped here and nowhere else.  Bands of a pinned scene are nodes declared
first, hence drawn behind.  Knows nothing of networks, graphs or engines.
"""

import re
from collections.abc import Callable, Iterable
from html import escape
from itertools import zip_longest
from typing import Any

from tinygrad_dnn.visualize.metrics import EQUALS_GAP, extent, sides
from tinygrad_dnn.visualize.palette import (
    BAND,
    FOLDED_BAND,
    FONT,
    GREY,
    INK,
    LEADING,
    ROLES,
    STYLES,
)
from tinygrad_dnn.visualize.scene import Arrow, Box, Group, Line, Scene
from tinygrad_dnn.visualize.svg import SYMBOL
from tinygrad_dnn.visualize.words import clean

SHAPES = {
    "rounded": ("box", "rounded,filled"),
    "square": ("box", "filled"),
    "cylinder": ("cylinder", "filled"),
    "ellipse": ("ellipse", "filled"),
    "plain": ("none", ""),
    "note": ("none", ""),
}
RUN = re.compile(r"(<FONT [^>]*>(?:<B>)?)([^<]*)")  # of text, as ``_run`` writes it
TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'


class Html(str):
    """A label in Graphviz's HTML-like markup, already escaped."""

    __slots__ = ()


def dot_lines(scene: Scene) -> list[str]:
    """Return the statements between the braces of ``digraph {}``."""
    out = [_graph(scene), _statement("node", fontname=FONT, fontsize=11, penwidth=1.4)]
    out.append(_statement("edge", fontname=FONT, fontsize=9, penwidth=1.5, arrowsize=0.75))
    inside = {member for group in scene.groups for member in group.members}
    if scene.pinned:
        out += [_band(group) for group in scene.groups]
    out += [_box(box, scene) for box in scene.boxes if box.id not in inside]
    if not scene.pinned:
        by_id = {box.id: box for box in scene.boxes}
        for group in scene.groups:
            out += _cluster(group, by_id, scene)
    out += _ranks(scene, inside.isdisjoint)
    out += [_arrow(arrow) for arrow in scene.arrows]
    return [f"\t{text}\n" for text in out]


def dot_source(scene: Scene) -> str:
    """Return the whole text."""
    return "".join(["digraph {\n", *dot_lines(scene), "}\n"])


def raised(source: str) -> str:
    """Return DOT text with the numbers of layers (and T) as superscripts, where they stand in runs.

    >>> raised('<FONT POINT-SIZE="10">W[1]ᵀ x</FONT>')
    '<FONT POINT-SIZE="10">W<SUP>[1]T</SUP> x</FONT>'
    """

    def symbol(found: re.Match[str]) -> str:
        letter, number, transposed = found.groups()
        return f"{letter}<SUP>{number}{'T' if transposed else ''}</SUP>"

    return RUN.sub(lambda found: found[1] + SYMBOL.sub(symbol, found[2]), source)


def _graph(scene: Scene) -> str:
    options: dict[str, Any] = {"bgcolor": "white", "pad": 0.15, "fontname": FONT, "fontsize": 11}
    if scene.pinned:
        options |= {"layout": "neato", "outputorder": "nodesfirst", "splines": "line"}
    else:
        options |= {"layout": "dot", "rankdir": scene.direction, "nodesep": 0.28, "ranksep": 0.42}
        notes = [Line(note, "note") for note in scene.notes]
        heading = [Line(scene.title, "heading")] if scene.title else []
        if notes or heading:
            options |= {"labelloc": "t" if heading else "b", "labeljust": "l"}
            options["label"] = Html(_lines((*heading, *notes), GREY))
    return _statement("graph", **options)


def _band(group: Group) -> str:
    role = FOLDED_BAND if group.folded else BAND
    return _statement(
        group.id,
        label=" ",
        shape="box",
        style="rounded,filled,dashed" if group.folded else "rounded,filled",
        color=role.stroke,
        fillcolor=role.fill,
        penwidth=1,
        tooltip=f"{group.title} {group.subtitle}".strip(),
        **_place(group),
    )


def _cluster(group: Group, by_id: dict[str, Box], scene: Scene) -> list[str]:
    heading = [_run(Line(group.title, "heading"), INK)]
    heading += [_run(Line(group.subtitle, "note"), INK)] if group.subtitle else []
    members = set(group.members)
    same = _ranks(scene, members.issuperset)
    options: dict[str, Any] = {"style": "rounded,filled", "color": BAND.stroke}
    options |= {"fillcolor": BAND.fill} if group.title else {"style": "invis"}
    cells = '<TD WIDTH="8"></TD>'.join(f"<TD>{text}</TD>" for text in heading)
    label = Html(f"{TABLE}<TR>{cells}</TR></TABLE>")
    return [
        f"subgraph cluster_{group.id} {{",
        "\t" + _statement("graph", label=label, labeljust="l", labelloc="t", margin=11, **options),
        *("\t" + _box(by_id[member], scene) for member in group.members),
        *(f"\t{text}" for text in same),
        "}",
    ]


def _ranks(scene: Scene, chosen: Callable[[list[str]], bool]) -> list[str]:
    """Return what stands at one step; a column is held in order by arrows that are not seen."""
    out = ["{rank=same; " + "; ".join(ids) + "}" for ids in scene.level if chosen(ids)]
    for ids in scene.columns:
        if chosen(ids):
            below = " -> ".join(reversed(ids))
            out.append("{rank=same; " + f"{below} [style=invis]" + "}")
    return out


def _box(box: Box, scene: Scene) -> str:
    role = ROLES[box.role]
    shape, style = SHAPES[box.shape]
    label = _note(box, role.text) if box.shape == "note" else _label(box, role.text)
    options: dict[str, Any] = {"label": Html(label), "shape": shape}
    if style:
        dashed = ",dashed" if box.dashed else ""
        options |= {"style": style + dashed, "color": role.stroke, "fillcolor": role.fill}
        if box.role in ("value", "gradient", "data"):
            options["penwidth"] = 1.1
    if not scene.pinned:
        options["margin"] = "0.13,0.07"
        options["width"] = f"{(extent(box.columns)[0] + 19) / 72:.2f}"  # at least
    if box.tip:
        options["tooltip"] = box.tip
    return _statement(box.id, **options, **_place(box))


def _place(item: Box | Group) -> dict[str, Any]:
    if item.at is None or item.size is None:
        return {}
    x, y = item.at
    w, h = item.size
    return {
        "pos": f"{x / 72:.3f},{0 - y / 72:.3f}!",
        "width": f"{w / 72:.3f}",
        "height": f"{h / 72:.3f}",
        "fixedsize": "true",
    }


def _label(box: Box, colour: str) -> str:
    """Return the lines as rows of a table: only there can their distance be chosen."""
    rows = [
        '<TD WIDTH="12"></TD>'.join(_cell(each, colour) for each in row)
        for row in zip_longest(*box.columns, fillvalue=Line(""))
    ]
    if box.aligned:
        rows = [_aligned(line, colour) for line in box.columns[0]]
    if box.shape == "cylinder":
        rows.insert(0, '<TD HEIGHT="4"></TD>')
    text = "".join(f"<TR>{row}</TR>" for row in rows)
    return f"{TABLE}{text}</TABLE>"


def _aligned(line: Line, colour: str) -> str:
    """Return an equation in cells, what begins with the equals sign in one of its own."""
    pair = sides(line.text) if line.style == "equation" else None
    if pair is None:
        return _cell(line, colour, 'COLSPAN="3" ')
    left, right = (_cell(Line(text), colour, 'ALIGN="LEFT" ') for text in pair)
    return f'{left}<TD WIDTH="{EQUALS_GAP}"></TD>{right}'


def _cell(each: Line, colour: str, options: str = "") -> str:
    height = round(STYLES[each.style].size * LEADING)
    return f'<TD {options}HEIGHT="{height}">{_run(each, colour)}</TD>'


def _note(box: Box, colour: str) -> str:
    """Return lines set flush left in a box as wide as it is, whatever the font."""
    wide = f' WIDTH="{box.size[0]:.0f}"' if box.size else ""
    rows = (f'<TR><TD ALIGN="LEFT">{_run(each, colour)}</TD></TR>' for each in box.columns[0])
    return f"{TABLE[:-1]}{wide}>{''.join(rows)}</TABLE>"


def _lines(column: Iterable[Line], colour: str) -> str:
    """Return the lines of a graph's own label, set flush left."""
    return "".join(f'{_run(each, colour)}<BR ALIGN="LEFT"/>' for each in column if each.text)


def _run(each: Line, colour: str) -> str:
    style = STYLES[each.style]
    text = escape(clean(each.text)).replace("\\", "\\\\") or " "  # \\N alone would be the id
    text = f"<B>{text}</B>" if style.bold else text
    return f'<FONT POINT-SIZE="{style.size:g}" COLOR="{style.colour or colour}">{text}</FONT>'


def _arrow(arrow: Arrow) -> str:
    options: dict[str, Any] = {"color": ROLES[arrow.role].stroke}
    if arrow.dashed:
        options["style"] = "dashed"
    if arrow.loose:
        options |= {"constraint": "false", "penwidth": 1.1}
    if arrow.aside:
        options |= {"constraint": "false", "arrowhead": "vee", "penwidth": 1.2}
    if arrow.weight != 1:
        options["weight"] = arrow.weight
    if arrow.tip:
        options["tooltip"] = arrow.tip
    if arrow.across:
        return _statement(f"{arrow.head} -> {arrow.tail}", dir="back", **options)
    return _statement(f"{arrow.tail} -> {arrow.head}", **options)


def _statement(subject: str, **options: Any) -> str:
    return f"{subject} [{' '.join(f'{key}={_value(v)}' for key, v in options.items())}]"


def _value(value: Any) -> str:
    """Return an attribute's value: HTML in angle brackets, all else quoted."""
    if isinstance(value, Html):
        return f"<{value}>"
    text = clean(str(value)).replace("&", "&amp;")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
