"""Scene: what is drawn, as plain data: boxes with lines of text, arrows, groups, notes.

Coordinates, where a scene is pinned, are centres in points, x to the right and y downwards.  Who
reads a network or a graph makes a Scene; who writes DOT (or anything else) reads one; neither
knows the other.
"""

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; ``style`` is a key of ``palette.STYLES``."""

    text: str
    style: str = "equation"


Column: TypeAlias = tuple[Line, ...]


@dataclass(slots=True)
class Box:
    """One thing drawn: ``role`` is its meaning (a key of ``palette.ROLES``), ``shape`` its outline.

    Lines that are ``aligned`` stand below one another at their equals signs.
    Shapes: rounded, square, cylinder, ellipse; without an outline plain, and note, set flush left.
    """

    id: str
    role: str
    columns: tuple[Column, ...]
    shape: str = "rounded"
    tip: str = ""
    dashed: bool = False
    aligned: bool = False
    at: tuple[float, float] | None = None
    size: tuple[float, float] | None = None


@dataclass(slots=True)
class Arrow:
    """From box ``tail`` to box ``head``; one that is ``aside`` does not influence the layout.

    One that goes ``across`` points against the flow: its head stands where a tail would.  One that
    is ``loose`` may go anywhere.
    """

    tail: str
    head: str
    role: str
    dashed: bool = False
    aside: bool = False
    across: bool = False
    loose: bool = False
    weight: int = 1
    tip: str = ""
    path: list[tuple[float, float]] = field(default_factory=list)  # of a curve, if an engine drew


@dataclass(slots=True)
class Group:
    """A layer: a band behind boxes if it has a place, else a frame round its ``members``.

    Without a title it is not seen, and only keeps its members together.
    """

    id: str
    title: str
    subtitle: str = ""
    members: list[str] = field(default_factory=list)
    folded: bool = False
    at: tuple[float, float] | None = None
    size: tuple[float, float] | None = None


@dataclass(slots=True)
class Scene:
    """A whole picture; ``pinned`` if every box has its place and size.

    Where an engine lays out: ``level`` holds sets of boxes that stand at the same step of the flow,
    ``columns`` such sets in their order across it.
    """

    view: str
    summary: str
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    level: list[list[str]] = field(default_factory=list)
    columns: list[list[str]] = field(default_factory=list)
    direction: str = "LR"
    pinned: bool = False
    title: str = ""
    notes: list[str] = field(default_factory=list)


def line(text: str, style: str = "equation") -> Column:
    """Return a column of a single line."""
    return (Line(text, style),)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as NumPy prints it.

    >>> shape_text((5, 8))
    '(5, 8)'
    """
    return str(tuple(shape))
