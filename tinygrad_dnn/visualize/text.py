"""Text: a scene for a terminal, in lines of at most 100 characters; needs no engine.

The course's diagram stands on its side: forward reads down on the left, backward up on the right.
Operations are a list in the order of execution, each with what it was made from.
"""

from collections.abc import Iterator, Mapping

from tinygrad_dnn.visualize.scene import Box, Group, Scene
from tinygrad_dnn.visualize.words import clean, wrapped

WIDTH = 100
HALF = (WIDTH - 7) // 2  # one of the two columns inside a frame


def text(scene: Scene) -> str:
    """Return the picture as lines of text."""
    out = [*wrapped(clean(scene.title), WIDTH), *wrapped(clean(scene.summary), WIDTH), ""]
    out += _diagram(scene) if scene.pinned else _operations(scene)
    out += (
        ["", *(line for note in scene.notes for line in wrapped(clean(note), WIDTH))]
        if scene.notes
        else []
    )
    return "\n".join(line.rstrip() for line in out) + "\n"


# ---- the course's diagram --------------------------------------------------------------------
def _diagram(scene: Scene) -> Iterator[str]:
    backward = any(box.role == "backward" and box.shape != "plain" for box in scene.boxes)
    yield _pair("  forward ↓", "backward ↑" if backward else "")
    stacks: dict[float, list[Box]] = {}
    for box in scene.boxes:
        if box.shape not in ("plain", "note") and box.at:
            stacks.setdefault(round(box.at[0], 1), []).append(box)
    bands = {round(group.at[0], 1): group for group in scene.groups if group.at}
    for x, boxes in sorted(stacks.items()):
        if x in bands:
            yield from _band(bands[x], boxes)
        else:
            left = [box for box in boxes if box.role != "gradient"]
            right = [box for box in boxes if box.role == "gradient"]
            yield _pair(f"  {_row(left)}", _row(right))


def _band(group: Group, boxes: list[Box]) -> Iterator[str]:
    yield _rule("┌", f"{group.title}: {group.subtitle}", "┐")
    left: list[str] = []
    right: list[str] = []
    for box in boxes:
        side = right if box.role in ("backward", "gradient") else left
        if len(box.columns) > 1 or box.role in ("parameter", "gradient", "data"):
            prefix = "keeps " if box.role == "cache" else ""
            side += wrapped(prefix + _row([box]), HALF, "  ")
        else:
            for line in box.columns[0]:
                side += wrapped(clean(line.text), HALF, "  ")
    for i in range(max(len(left), len(right))):
        a = left[i] if i < len(left) else ""
        b = right[i] if i < len(right) else ""
        yield f"│ {a:<{HALF}} │ {b:<{HALF}} │"
    yield _rule("└", "", "┘")


def _row(boxes: list[Box]) -> str:
    """Return names with their shapes, side by side."""
    columns = [column for box in boxes for column in box.columns]
    return "   ".join(" ".join(clean(line.text) for line in column) for column in columns)


def _pair(left: str, right: str) -> str:
    return f"{left:<{HALF + 4}} {right}"


def _rule(start: str, heading: str, end: str) -> str:
    heading = f"─ {_cut(clean(heading), WIDTH - 8)} " if heading else ""
    return f"{start}{heading:─<{2 * HALF + 5}}{end}"


# ---- operations ------------------------------------------------------------------------------
def _operations(scene: Scene) -> Iterator[str]:
    made_from: dict[str, list[str]] = {box.id: [] for box in scene.boxes}
    for arrow in scene.arrows:
        if not arrow.aside:
            made_from[arrow.head].append(arrow.tail)
    boxes = _in_order(scene, made_from)
    number = {box.id: i for i, box in enumerate(boxes, 1)}
    headings = {m: f"{g.title}  {g.subtitle}".strip() for g in scene.groups for m in g.members}
    digits = len(str(len(number)))
    current = ""
    for box in boxes:
        heading = headings.get(box.id, "")
        if heading and box.role in ("backward", "gradient"):
            heading += ", backward"
        if heading != current:
            current = heading
            yield f"── {heading} ".ljust(WIDTH, "─") if heading else "─" * WIDTH
        lines = [clean(line.text) for line in box.columns[0]]
        inputs = ", ".join(str(number[name]) for name in made_from[box.id])
        made = f"  ← {inputs}" if inputs else ""
        start = f"{number[box.id]:>{digits}}  "
        made = _cut(made, WIDTH // 3)
        if box.role == "failed":  # all of it
            yield f"{start}{lines[0]}{made}"
            yield from (" " * len(start) + line for line in lines[1:])
        else:
            yield start + _cut("  ".join(lines), WIDTH - len(start) - len(made)) + made


def _in_order(scene: Scene, made_from: Mapping[str, list[str]]) -> list[Box]:
    """Return the boxes, each leaf and constant just before the first operation that uses it."""
    by_id = {box.id: box for box in scene.boxes}
    inside = {member for group in scene.groups for member in group.members}
    ordered: dict[str, Box] = {}
    for box in scene.boxes:
        if inputs := sorted(made_from[box.id], key=inside.__contains__):  # frames in one piece
            ordered |= {name: by_id[name] for name in inputs if name not in ordered}
            ordered[box.id] = box
    return list((ordered | by_id).values())


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else line[: most - 1] + "…"
