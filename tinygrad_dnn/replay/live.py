"""Live things: what a function reaches that its replay reads and writes in place."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.nn.reach import draws, reachable
from tinygrad_dnn.replay.lookout import Again, Overlooked
from tinygrad_dnn.tensor import Tensor


@dataclass
class Live:
    """Leaves of a graph, optimisers, and the places that hold generators."""

    leaves: list[Node] = field(default_factory=list)
    optimizers: list[Any] = field(default_factory=list)
    generators: list[tuple[Any, Any]] = field(default_factory=list)  # (holder, key)
    moded: list[Any] = field(default_factory=list)  # layers that train or rest
    accumulating: set[Node] = field(default_factory=set)  # leaves whose gradients are added up

    def learn(self, found: Again) -> None:
        """Take in what a recording has found out."""
        if isinstance(found, Overlooked):
            self.leaves.append(found.leaf)
        else:
            self.accumulating.add(found.leaf)


def live_in(*roots: Any) -> Live:
    """Return what is live of what can be reached from ``roots``, each thing once."""
    found = Live()
    for holder, key, part in reachable(*roots):
        if isinstance(part, Tensor):
            if not part.node.fn and part.node not in found.leaves:
                found.leaves.append(part.node)
        elif isinstance(part, np.ndarray | np.generic):
            continue
        elif draws(part, (np.random.Generator,)):
            if holder is not None and not isinstance(holder, tuple):
                found.generators.append((holder, key))
        else:
            if isinstance(getattr(part, "training", None), bool):
                found.moded.append(part)
            if hasattr(part, "step") and hasattr(part, "parameters"):
                found.optimizers.append(part)
    found.leaves.sort(key=lambda node: node.born)
    return found
