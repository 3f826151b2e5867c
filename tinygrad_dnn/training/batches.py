"""Mini-batches: the columns of X and Y in random order, some at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import Array


def batches(
    X: Array, Y: Array, size: int | None, *, rng: np.random.Generator | None = None
) -> Iterator[tuple[Any, Any]]:
    """Yield (X, Y) in pieces of at most ``size`` examples, as equal as can be.

    Shapes: X (n, m), or (T, n, m), or (m, c, ...), as layers take it; Y (k, m) or (m,).  Without a
    size: all m examples at once, in their order.
    ``rng`` shuffles them; without it their order stays.  Equal pieces, because a mean over the two
    or three examples that a division left over would take a step as large as any other.

    >>> [x.shape for x, y in batches(np.ones((3, 10)), np.ones((1, 10)), 4)]
    [(3, 4), (3, 3), (3, 3)]
    """
    axis = _axis_of_examples(X, Y)
    m = Y.shape[-1]
    if size is None:
        yield X, Y
        return
    if size < 1:
        raise ValueError(f"a batch holds at least one example, got batch_size={size}")
    order = np.arange(m) if rng is None else rng.permutation(m)
    for chosen in np.array_split(order, -(-m // size)):
        yield X[(slice(None),) * axis + (chosen,)], Y[..., chosen]


def _axis_of_examples(X: Array, Y: Array) -> int:
    """Return the axis along which X holds as many examples as Y has columns."""
    places = {2: [1], 3: [0, 2]}.get(X.ndim, [0]) if X.ndim > 1 and Y.ndim and Y.shape[-1] else []
    fitting = [axis for axis in places if X.shape[axis] == Y.shape[-1]]
    if not fitting:
        raise DimensionError(
            f"X is {X.shape} but Y is {Y.shape}; both need the same m >= 1 columns, one per example"
            f" (sequences are (T, n, m), images (m, c, height, width))"
        )
    if len(fitting) > 1:
        raise DimensionError(
            f"X is {X.shape}, which may be sequences (T, n, m) or signals (m, c, length); make it "
            f"columns, with nn.Unflatten as the first layer, or leave one example out"
        )
    return fitting[0]
