"""Level: one view at one degree of folding, with all that a reader may ask of its boxes.

A view is stepped through in the order in which it is computed: ``Step`` after ``Step``, each makes
boxes, and with them the arrows between what there is by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinygrad_dnn.visualize.markup import breakable, inline
from tinygrad_dnn.visualize.scene import Scene


@dataclass
class Detail:
    """What is known of a box: ``equations`` as MathML; ``arrays`` are keys of ``Numbers``."""

    title: str
    kind: str
    role: str
    equations: list[str] = field(default_factory=list)
    arrays: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    folded: bool = False

    def data(self) -> dict[str, Any]:
        """Return it as JSON can say it."""
        said = {
            "title": inline(self.title),
            "kind": inline(self.kind),
            "role": self.role,
            "math": [breakable(equation) for equation in self.equations],
            "arrays": self.arrays,
            "remarks": [inline(line) for line in self.remarks],
            "folded": self.folded,
        }
        return {key: value for key, value in said.items() if value}


@dataclass
class Step:
    """A moment of the computation: ``at`` are the boxes it happens in, ``makes`` new ones.

    ``lines`` are pairs of text: an equation and its shapes.
    """

    title: str
    phase: str
    at: list[str]
    makes: list[str] = field(default_factory=list)
    arrows: list[int] = field(default_factory=list)  # by number, in the scene
    lines: list[tuple[str, str]] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """Return it as JSON can say it."""
        lines = [[inline(one), inline(other)] for one, other in self.lines]
        return {
            "title": inline(self.title),
            "phase": self.phase,
            "at": self.at,
            "makes": self.makes,
            "arrows": self.arrows,
            "lines": lines,
        }


@dataclass
class Level:
    """A scene that has its places, details by id of box, and the steps."""

    id: str
    scene: Scene
    details: Mapping[str, Detail]
    steps: list[Step]

    def data(self) -> dict[str, Any]:
        """Return it as JSON can say it."""
        return {
            "id": self.id,
            "boxes": {name: detail.data() for name, detail in self.details.items()},
            "steps": [step.data() for step in self.steps],
        }
