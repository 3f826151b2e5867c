"""Walked: the backward pass from a cost, recorded: a graph of the same kind as the forward pass.

The rules are run on Tensors, so what they do is recorded too; of every call so made is noted which
call of the forward pass it goes back through.  Nothing of the forward pass is changed.  Knows
nothing of pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_dnn.engine import pullback
from tinygrad_dnn.graph import Node, ancestors, watched_by
from tinygrad_dnn.seed import seed
from tinygrad_dnn.tensor import Tensor, handle


@dataclass(slots=True)
class Walked:
    """``gradients``: by node of the forward pass, the node of its derivative.

    ``through``: by call of the backward pass, the call of the forward pass it goes back through.
    """

    gradients: dict[Node, Node] = field(default_factory=dict)
    through: dict[Node, Node] = field(default_factory=dict)


def walk_back(J: Node) -> Walked:
    """Return the recorded backward pass from ``J``, one number, to all that it comes by."""
    forward = ancestors(J)
    led_round = {node.args[0] for node in forward if node.detour}
    wanted = [node for node in forward if node.needs_grad and node not in led_round]
    watch = _Steps({node.detour: node for node in forward if node.detour})
    with watched_by(watch):
        found = pullback({J: seed(J, None)}, wanted, handle)
    walked = Walked(through=watch.through)
    for node, derivative in found.items():
        if isinstance(derivative, Tensor) and derivative.node.fn:
            walked.gradients[node] = derivative.node
    return walked


class _Steps:
    """What is told of every call of the rules, as ``graph.WalkWatch`` says."""

    walks = True

    def __init__(self, owner_of: dict[Node, Node]) -> None:
        self.owner_of = owner_of  # of a detour
        self.through: dict[Node, Node] = {}
        self.pending: list[Node] = []
        self.last: tuple[Any, Node | None] = (None, None)  # what was carried last, through what

    def called(self, node: Node, fn: Any, inputs: Sequence[Any]) -> None:
        """Remember a call of the rule now at work, or of the sum of what two have carried."""
        carried, owner = self.last
        if owner and fn is np.add and carried in inputs and not self.pending:
            self.through[node] = owner
        else:
            self.pending.append(node)

    def changed(self, node: Node) -> None:
        """Nothing to do: no data is changed here."""

    def carried(self, v: Any, call: Node, i: int, kind: str) -> None:
        """Take what was called since the last time for the work of this rule."""
        owner = self.owner_of.get(call, call)
        self.through.update(dict.fromkeys(self.pending, owner))
        self.pending.clear()
        self.last = (getattr(v, "node", None), owner)

    def read(self, node: Node) -> None:
        """Nothing to do: no data is changed here."""

    def altered(self, call: Node, i: int, data: Any) -> None:
        """Say no: that is for ``detect_anomaly``."""
