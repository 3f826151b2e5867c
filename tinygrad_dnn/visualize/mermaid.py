"""Mermaid: a scene as the text of a flowchart that Markdown renderers draw; needs no engine.

Every label is quoted and all that Mermaid could take for its own is written as an entity.  Where a
scene is pinned its bands are subgraphs of the boxes that stand in them.  Knows scenes only.
"""

from collections.abc import Iterator

from tinygrad_dnn.visualize.palette import LIGHT
from tinygrad_dnn.visualize.scene import Arrow, Box, Group, Scene
from tinygrad_dnn.visualize.words import clean

OUTLINES = {
    "rounded": ("(", ")"),
    "square": ("[", "]"),
    "cylinder": ("[(", ")]"),
    "ellipse": ("([", "])"),
}
PLAIN_TEXT = set(" .,:=−→←…'()[]/ᵀΣ·×÷∂")  # besides letters and digits; + and - would begin lists


def mermaid(scene: Scene) -> str:
    """Return the flowchart."""
    out = [f"flowchart {scene.direction}"]
    boxes = {box.id: box for box in scene.boxes if box.shape in OUTLINES}
    groups = [group for group in scene.groups if group.title]
    inside = {name: group for group in groups for name in _members(group, scene)}
    for group in groups:
        heading = f"{group.title}: {group.subtitle}".strip(": ")
        out.append(f'    subgraph {group.id}["{_text(heading)}"]')
        out += (f"        {_box(boxes[n])}" for n, home in inside.items() if home is group)
        out.append("    end")
    out += (f"    {_box(box)}" for name, box in boxes.items() if name not in inside)
    out += (f"    {_arrow(arrow)}" for arrow in scene.arrows)
    out += _colours(scene, {box.role for box in boxes.values()})
    return "\n".join(out) + "\n"


def _members(group: Group, scene: Scene) -> list[str]:
    """Return what a frame holds, or what stands on a band."""
    if group.members or group.at is None or group.size is None:
        return group.members
    left, right = group.at[0] - group.size[0] / 2, group.at[0] + group.size[0] / 2
    boxes = [box for box in scene.boxes if box.shape in OUTLINES and box.at]
    return [box.id for box in boxes if box.at and left < box.at[0] < right]


def _box(box: Box) -> str:
    before, after = OUTLINES[box.shape]
    columns = ["<br/>".join(_text(line.text) for line in column) for column in box.columns]
    if len(columns) > 1:  # side by side: a name with its shape
        columns = [" ".join(_text(line.text) for line in column) for column in box.columns]
    return f'{box.id}{before}"{"<br/>".join(columns)}"{after}:::{box.role}'


def _arrow(arrow: Arrow) -> str:
    return f"{arrow.tail} {'-.->' if arrow.dashed else '-->'} {arrow.head}"


def _colours(scene: Scene, roles: set[str]) -> Iterator[str]:
    for name in sorted(roles):
        role = LIGHT.roles[name]
        yield f"    classDef {name} fill:{role.fill},stroke:{role.stroke},color:{role.text}"
    if groups := [group.id for group in scene.groups if group.title]:
        band = LIGHT.roles["band"]
        yield f"    classDef band fill:{band.fill},stroke:{band.stroke},color:{band.text}"
        yield f"    class {','.join(groups)} band"
    by_role: dict[str, list[str]] = {}
    for i, arrow in enumerate(scene.arrows):
        by_role.setdefault(arrow.role, []).append(str(i))
    for name, numbers in sorted(by_role.items()):
        yield f"    linkStyle {','.join(numbers)} stroke:{LIGHT.roles[name].stroke}"


def _text(text: str) -> str:
    """Return text for a quoted label: whatever is no plain word as an entity.

    >>> _text('W[1] "x"')
    'W[1] #34;x#34;'
    """
    safe = (c if c.isalnum() or c in PLAIN_TEXT else f"#{ord(c)};" for c in clean(text))
    return "".join(safe)
