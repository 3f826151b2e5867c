"""Subject: what a picture is of, from which every view of it can be made, again and differently.

Holds the computation and the reader's choices.  Knows the views; no colours, no engines.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.tensor import grad, handle
from tinygrad_dnn.visualize.block import block_scene
from tinygrad_dnn.visualize.chain import Chain, NotAChain, read_chain
from tinygrad_dnn.visualize.ops import ops_scene
from tinygrad_dnn.visualize.parts import parts_of
from tinygrad_dnn.visualize.planned import note_of, remarks_of
from tinygrad_dnn.visualize.reading import Reading
from tinygrad_dnn.visualize.scene import Scene
from tinygrad_dnn.visualize.targets import Computed, small_gradients


@dataclass(frozen=True)
class Subject:
    """A computation, with how it is to be drawn; the options are those of ``draw``."""

    found: Computed
    backward: bool | str = "auto"
    fold: int | None = 6
    max_nodes: int = 400
    direction: str = "LR"
    shapes: bool = True
    numbers: bool = False  # are values and gradients drawn? (view "values")
    title: str = ""
    notes: list[str] = field(default_factory=list)

    def chain(self) -> Chain:
        """Return the chain of layers; raises NotAChain, with the reason, if it is none."""
        end, *more = self.found.ends.values()
        if self.found.failure:
            raise NotAChain("it failed")
        if self.found.plan:
            raise NotAChain("it is a plan")
        if more and not self.found.walked:
            raise NotAChain("there are several results")
        if self.found.output in (None, end):
            return read_chain(end)
        found = self.found
        return read_chain(end, of=found.output, Y=found.Y, loss=found.loss)

    def block(self, chain: Chain, fold: int | None) -> Scene:
        """Return the course's diagram."""
        return block_scene(
            chain,
            fold=fold,
            backward=self.backward is not False,
            title=self.title,
            shapes=self.shapes,
            symbolic=self.found.symbolic,
        )

    def ops(self, fold: int | None) -> tuple[Scene, Reading, list[list[int]]]:
        """Return the operations, what they were read from, and the things in each of the boxes."""
        found, backward = self.found, self.walks_back
        gradients = small_gradients(found.ends) if self.numbers and backward else {}
        names, remarks, notes = [("X", found.X), ("Y", found.Y)], None, self.notes
        if found.plan:
            names = [(name, node) for node, name in found.plan.program.names.items()]
            remarks = remarks_of(found.plan)
            notes = [*notes, note_of(found.plan)]
        reading = Reading(found.ends, names, gradients, found.failure, found.walked, remarks)
        parts = parts_of(reading, fold, self.max_nodes)
        scene = ops_scene(
            reading,
            parts,
            backward=backward,
            numbers=self.numbers,
            shapes=self.shapes,
            direction=self.direction,
            title=self.title,
            notes=notes,
        )
        return scene, reading, parts

    @property
    def walks_back(self) -> bool:
        """Whether the backward walk is drawn along the operations it goes back through."""
        if self.found.walked or self.found.plan:
            return False
        if self.backward != "auto":
            return bool(self.backward)
        found = self.found
        return found.output is None or any(node.value.size == 1 for node in found.ends.values())

    def gradients(self, nodes: list[Node]) -> dict[Node, Any]:
        """Return the derivatives of the result, one number, by nodes; nothing if it is none."""
        end, *more = self.found.ends.values()
        if more or not end.needs_grad or np.size(end.value) != 1 or self.backward is False:
            return {}
        wanted = [node for node in dict.fromkeys(nodes) if node.needs_grad]
        found = grad(handle(end), [handle(node) for node in wanted])
        return dict(zip(wanted, found, strict=True))
