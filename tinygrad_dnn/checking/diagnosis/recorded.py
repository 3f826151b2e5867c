"""The forward pass as the engine records it: the student's own cost, run on Tensors.

Two runs are recorded: at the student's parameters, whose values and derivatives are taken, and a
little away from them, where no coincidence (a weight of 0, a dead unit) makes two functions alike.
Nothing is believed of them that a difference quotient of the cost contradicts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_dnn.checking.tap import tapping
from tinygrad_dnn.engine import pullback
from tinygrad_dnn.graph import Node, ancestors, watched_by
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor

Run = Callable[[dict[str, Any]], Any]  # of the cost
STEP, CLOSE = 2.0**-14, 1e-3  # of the difference quotient, and of what it must agree to


@dataclass(frozen=True)
class Recorded:
    """One run: the node of J, of each parameter and of what was tapped, by their names."""

    J: Node
    parameters: Mapping[str, Node]
    tapped: Mapping[str, Any]
    seed: Array  # what is called dJ

    @property
    def nodes(self) -> list[Node]:
        """All that J was made of, in the order of computation."""
        return ancestors(self.J)

    def derivatives(self, nodes: Sequence[Node]) -> list[Array]:
        """Return dJ/dx of some nodes."""
        found = pullback({self.J: self.seed}, nodes)
        return [found.get(node, np.zeros_like(node.value)) for node in nodes]


def recorded(
    run: Run, parameters: Mapping[str, Array], seed: Array | None = None
) -> Recorded | None:
    """Return a run of the cost at these parameters; None if it does not run on Tensors.

    It may be any function of which not J but the sum of ``seed`` times J is the cost.
    """
    given = {name: Tensor(x, name=name) for name, x in parameters.items()}
    calls = _Calls()
    try:
        with np.errstate(all="ignore"), tapping(raw=True) as taps, watched_by(calls):
            J = run(dict(given))
    except Exception:  # whatever the student's code does not do with Tensors
        return None
    end = J.node if isinstance(J, Tensor) else calls.gave(J)
    if end is None or not end.needs_grad:
        return None
    seed = np.ones_like(end.value) if seed is None and end.value.size == 1 else seed
    if seed is None or seed.shape != end.value.shape:
        return None
    return Recorded(end, {name: x.node for name, x in given.items()}, taps.values, seed)


def true(found: Recorded, run: Callable[[Mapping[str, Array]], float]) -> bool:
    """Whether the slope of the recorded J, along a random direction, is that of the cost."""
    rng = np.random.default_rng(3)
    here = {name: node.value for name, node in found.parameters.items()}
    along = {
        name: (np.std(x) or 1.0) * rng.choice((-1.0, 1.0), x.shape) for name, x in here.items()
    }
    slopes = dict(zip(here, found.derivatives(list(found.parameters.values())), strict=True))
    terms = [np.sum(slopes[name] * along[name]) for name in here]
    ahead, back = (
        run({name: x + sign * STEP * along[name] for name, x in here.items()}) for sign in (1, -1)
    )
    size = sum(np.sum(np.absolute(slopes[name] * along[name])) for name in here)
    return bool(abs((ahead - back) / (2 * STEP) - sum(terms)) <= CLOSE * size)


def twins(one: Recorded, other: Recorded) -> dict[Node, Node] | None:
    """Return the nodes of another run of the same program by those of one."""
    pairs = list(zip(one.nodes, other.nodes, strict=False))
    alike = len(one.nodes) == len(other.nodes) == len(pairs)
    if not alike or any((a.fn, a.value.shape) != (b.fn, b.value.shape) for a, b in pairs):
        return None
    return dict(pairs)


class _Calls:
    """The calls made, as a ``graph.Watch``: float(J) leaves the graph, but not this list."""

    walks = False

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def called(self, node: Node, fn: Any, inputs: Sequence[Any]) -> None:
        self.nodes.append(node)

    def changed(self, node: Node) -> None: ...

    def read(self, node: Node) -> None: ...

    def gave(self, J: Any) -> Node | None:
        """Return the call whose result a number is."""
        last = (x for x in reversed(self.nodes) if x.needs_grad and x.value.size == 1)
        return next((x for x in last if np.size(J) == 1 and x.value.item() == np.ravel(J)[0]), None)
