"""Place: where the boxes of the block diagram stand, and how large they are.

The diagram is a row of stacks: data, layer, data, layer, ..., data, cost.  All lengths are points,
and all follow from the widest label.  Knows the grid and nothing of what stands in it.
"""

from dataclasses import dataclass, field

from tinygrad_dnn.visualize.metrics import extent, extent_of
from tinygrad_dnn.visualize.scene import Box, Group, Line, Scene, line

ROW_GAP = 28  # between two rows
PAD = 13  # from a block to the edge of its band
WIRE = 20  # from the edge of a band to the data beside it
HEADING = 46  # from the top of a band to its first row
NARROWEST = 130
MARGINS = {"cylinder": (22, 20)}
WIDE = ("forward", "cache", "backward")  # rows whose boxes fill the width of their band
TALL = ("forward", "backward")  # and those that fill the height of their row
LABELS = {  # row -> what is written at its left, in the colour of which role
    "parameters": ("parameters", "parameter"),
    "forward": ("forward →", "forward"),
    "cache": ("cache", "cache"),
    "backward": ("← backward", "backward"),
    "gradients": ("gradients", "backward"),
}


@dataclass(slots=True)
class Stack:
    """Boxes above one another, by row; in a band if it has a ``group``."""

    cells: dict[str, Box] = field(default_factory=dict)
    group: Group | None = None
    alike: bool = True  # as wide as the other bands?


def place(scene: Scene, stacks: list[Stack]) -> None:
    """Give every box and band its place and size; add headings, row labels and notes."""
    natural = {box.id: _natural(box) for stack in stacks for box in stack.cells.values()}
    middles, bottom = _rows(stacks, natural)
    data_width = max(natural[b.id][0] for s in stacks if not s.group for b in s.cells.values())
    band_width = max([NARROWEST, *(_width(s, natural) for s in stacks if s.group and s.alike)])
    right = 0.0
    for stack in stacks:
        if stack.group is None:
            x, right = right + data_width / 2, right + data_width
            for row, box in stack.cells.items():
                box.at, box.size = (x, middles[row][0]), (data_width, natural[box.id][1])
            continue
        inner = band_width if stack.alike else max(NARROWEST, _width(stack, natural))
        x = right + WIRE + PAD + inner / 2
        for row, box in stack.cells.items():
            middle, height = middles[row]
            box.at = (x, middle)
            box.size = (
                inner if row in WIDE else natural[box.id][0],
                height if row in TALL else natural[box.id][1],
            )
        _band(scene, stack.group, x, inner + 2 * PAD, bottom)
        right = x + inner / 2 + PAD + WIRE
    _row_labels(scene, stacks[0], middles, data_width / 2)
    _notes(scene, bottom, right - WIRE)


def _rows(
    stacks: list[Stack], natural: dict[str, tuple[float, float]]
) -> tuple[dict[str, tuple[float, float]], float]:
    """Return middle and height of every row that is used, and where the bands end."""
    rows: dict[str, tuple[float, float]] = {}
    y = float(HEADING)
    for row in LABELS:
        heights = [natural[s.cells[row].id][1] for s in stacks if row in s.cells]
        if heights:
            rows[row] = (y + max(heights) / 2, max(heights))
            y += max(heights) + ROW_GAP
    return rows, y - ROW_GAP + PAD


def _width(stack: Stack, natural: dict[str, tuple[float, float]]) -> float:
    subtitle = extent((line(stack.group.subtitle, "note"),))[0] if stack.group else 0.0
    return max([subtitle, *(natural[box.id][0] for box in stack.cells.values())])


def _natural(box: Box) -> tuple[float, float]:
    """Return the size that a box's label asks for."""
    width, height = extent_of(box)
    x, y = MARGINS.get(box.shape, (22, 12))
    return width + x, height + y


def _band(scene: Scene, group: Group, x: float, width: float, bottom: float) -> None:
    group.at, group.size = (x, bottom / 2), (width, bottom)
    heading = (Line(group.title, "heading"), Line(group.subtitle, "note"))
    scene.boxes.append(_text(f"H{group.id}", heading, x, 25))


def _row_labels(
    scene: Scene, first: Stack, middles: dict[str, tuple[float, float]], x: float
) -> None:
    """Write at the left what the rows are; above the data where that stands in the way."""
    for row, (y, _) in middles.items():
        text, role = LABELS[row]
        if (box := first.cells.get(row)) and box.size:
            y -= box.size[1] / 2 + 12
        label = _text(f"row_{row}", (Line(text, "label"),), x, y)
        label.role = role
        scene.boxes.append(label)


def _notes(scene: Scene, bottom: float, right: float) -> None:
    if scene.notes:
        lines = tuple(Line(note, "note") for note in scene.notes)
        width, height = extent((lines,))
        at, size = (width / 2, bottom + 12 + height / 2), (width + 12, height + 4)
        scene.boxes.append(Box("notes", "plain", (lines,), "note", at=at, size=size))
    if scene.title:
        scene.boxes.append(_text("title", (Line(scene.title, "heading"),), right / 2, -20))


def _text(name: str, lines: tuple[Line, ...], x: float, y: float) -> Box:
    width, height = extent((lines,))
    return Box(name, "plain", (lines,), "plain", at=(x, y), size=(width + 12, height + 2))
