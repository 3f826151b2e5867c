"""Laid: the places an engine gives the boxes and arrows of a scene, brought back into the scene.

Engines lay out, we draw: so every view has the same look, and colours of the reader's choice.
Lengths are points, y downwards.
"""

from collections import defaultdict

from tinygrad_dnn.visualize.engines import layout
from tinygrad_dnn.visualize.scene import Arrow, Box, Group, Scene

MARGIN, HEADING = 11, 28  # of a frame round its members; its title


def lay_out(scene: Scene, source: str) -> None:
    """Give all of ``scene`` its place; ``source`` is its DOT text.

    Raises GraphvizNotFound if there is no engine.
    """
    boxes = {box.id: box for box in scene.boxes}
    arrows: dict[tuple[str, str], list[Arrow]] = defaultdict(list)
    for arrow in reversed(scene.arrows):
        ends = (arrow.head, arrow.tail) if arrow.across else (arrow.tail, arrow.head)
        arrows[ends].append(arrow)
    top = 0.0
    for text in layout(source, "dot").splitlines():
        kind, *words = text.split()
        if kind == "graph":
            top = float(words[2]) * 72
        elif kind == "node":
            x, y, w, h = (72 * float(number) for number in words[1:5])
            boxes[words[0]].at, boxes[words[0]].size = (x, top - y), (w, h)
        elif kind == "edge" and "invis" not in words:
            arrow, count = arrows[words[0], words[1]].pop(), int(words[2])
            at = [72 * float(number) for number in words[3 : 3 + 2 * count]]
            path = [(x, top - y) for x, y in zip(at[::2], at[1::2], strict=True)]
            arrow.path = path[::-1] if arrow.across else path
    for group in filter(lambda group: group.title, scene.groups):
        _frame(group, [boxes[member] for member in group.members])


def _frame(group: Group, members: list[Box]) -> None:
    placed = [(box.at, box.size) for box in members if box.at and box.size]
    left = min(x - w / 2 for (x, _), (w, _) in placed) - MARGIN
    right = max(x + w / 2 for (x, _), (w, _) in placed) + MARGIN
    above = min(y - h / 2 for (_, y), (_, h) in placed) - HEADING
    below = max(y + h / 2 for (_, y), (_, h) in placed) + MARGIN
    group.at = ((left + right) / 2, (above + below) / 2)
    group.size = (right - left, below - above)
