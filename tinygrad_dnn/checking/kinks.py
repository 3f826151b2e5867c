"""Where a recorded computation sits exactly on a kink: a relu of 0, two equal maxima.

Needed because kinks that meet can hide each other: relu(x) - relu(-x) is smooth, and yet no rule
for relu(0) gives its slope at 0.  A zero that a kinked function merely passes on (the relu of a
relu) is counted too: this says where kinks may be, never that there is one.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np

from tinygrad_dnn.graph import Node, ancestors
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.elementwise import clip
from tinygrad_dnn.rules.network import leaky_relu, relu
from tinygrad_dnn.rules.reduction import expand


def _zeros(out: Array, x: Array, *_: object, **__: object) -> int:
    return int(np.sum(x == 0))


def _equal(out: Array, x: Array, y: Array) -> int:
    return int(np.sum(x == y))


def _limits(out: Array, x: Array, low: Array = -np.inf, high: Array = np.inf) -> int:
    return int(np.sum((x == low) | (x == high)))


def _tied(
    out: Array, x: Array, axis: object = None, _out: object = None, keepdims: bool = False
) -> int:
    top = expand(out, x, axis, keepdims)  # type: ignore[no-untyped-call]
    return int(np.sum(x == top) - out.size)


KINKS: dict[Callable[..., object], Callable[..., int]] = {
    relu: _zeros, leaky_relu: _zeros, np.absolute: _zeros,
    np.maximum: _equal, np.minimum: _equal, clip: _limits, np.max: _tied, np.min: _tied,
}  # fmt: skip


def kinks_at(end: Node) -> dict[str, int]:
    """Return how many inputs of each kinked function, on the way to ``end``, are on its kink.

    >>> import tinygrad_dnn as tg
    >>> x = tg.Tensor([0.0, 1.0, 0.0])
    >>> kinks_at(np.sum(np.absolute(x)).node)
    {'absolute': 2}
    """
    found: Counter[str] = Counter()
    for node in ancestors(end):
        if node.fn in KINKS and node.needs_grad:
            number = KINKS[node.fn](node.value, *node.seen, **node.kwargs)
            if number:
                found[node.fn.__name__] += number
    return dict(found)
