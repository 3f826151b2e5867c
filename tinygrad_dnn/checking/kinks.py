"""Where a recorded computation sits exactly on a kink: a relu of 0, two equal maxima.

Needed to call kinks by their names, and because kinks that meet can hide each other: relu(x) -
relu(-x) is smooth, and yet no rule for relu(0) gives its slope at 0.  A zero that a kinked function
merely passes on (the relu of a relu) is counted too: this says where kinks may be, never that there
is one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tinygrad_dnn.graph import Node, ancestors
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.elementwise import clip
from tinygrad_dnn.rules.network import leaky_relu, relu
from tinygrad_dnn.rules.reduction import expand


def _zeros(out: Array, x: Array, *_: object, **__: object) -> Array:
    return np.asarray(x == 0)


def _equal(out: Array, x: Array, y: Array) -> Array:
    return np.asarray(x == y)


def _limits(out: Array, x: Array, low: Array = -np.inf, high: Array = np.inf) -> Array:
    return np.asarray((x == low) | (x == high))


def _tied(
    out: Array, x: Array, axis: object = None, _out: object = None, keepdims: bool = False
) -> Array:
    """Mark what equals the largest, but for one of each."""
    tied = x == expand(out, x, axis, keepdims)  # type: ignore[no-untyped-call]
    along = np.ravel(tied) if axis is None else tied
    first = np.cumsum(along, axis=0 if axis is None else axis) == 1  # type: ignore[call-overload]
    return np.asarray(tied & ~first.reshape(tied.shape))


KINKS: dict[Callable[..., object], tuple[Callable[..., Array], str]] = {
    relu: (_zeros, "= 0 in relu"),
    leaky_relu: (_zeros, "= 0 in leaky_relu"),
    np.absolute: (_zeros, "= 0 in absolute"),
    np.maximum: (_equal, "equals the other in maximum"),
    np.minimum: (_equal, "equals the other in minimum"),
    clip: (_limits, "is at a limit of clip"),
    np.max: (_tied, "is tied in max"),
    np.min: (_tied, "is tied in min"),
}


class Kinks(NamedTuple):
    """The entries of one function's input that are on its kink."""

    node: Node
    there: Array

    def words(self, among: Array) -> str:
        """Name the first of the entries ``among`` them: ``Z1[2, 5] = 0 in relu``."""
        place = [int(n) for n in np.argwhere(among)[0]]
        x = self.node.args[0]
        name = x.name if isinstance(x, Node) else None
        if not name:
            name = f"Z{self.node.layer}" if self.node.layer else "its input "
        return f"{name}{place or ''} {KINKS[self.node.fn][1]}"


def kinks_at(end: Node) -> list[Kinks]:
    """Return the kinked functions on the way to ``end`` and which of their inputs are on a kink.

    >>> import tinygrad_dnn as tg
    >>> x = tg.Tensor([0.0, 1.0, 0.0])
    >>> [found.there.tolist() for found in kinks_at(np.sum(np.absolute(x)).node)]
    [[True, False, True]]
    """
    return [
        Kinks(node, KINKS[node.fn][0](node.value, *node.seen, **node.kwargs))
        for node in ancestors(end)
        if node.fn in KINKS and node.needs_grad
    ]


def number(kinks: list[Kinks]) -> int:
    """Return how many entries are on a kink."""
    return sum(int(found.there.sum()) for found in kinks)


def left_behind(before: list[Kinks], after: list[Kinks]) -> list[str]:
    """Name one entry of each function's that is on a kink before, and not after."""
    if len(before) != len(after):
        return []
    gone = [(a, a.there & ~b.there) for a, b in zip(before, after, strict=True)]
    return [kinks.words(among) for kinks, among in gone if among.any()]
