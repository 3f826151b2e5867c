"""Diagonals, the matrices made of them, and triangles."""

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import composite, multilinear, primitive


@primitive
def on_diagonal(v, shape, offset=0, axis1=0, axis2=1):
    """Zeros of ``shape`` with ``v`` on a diagonal: the transpose of ``np.diagonal``."""
    first, second = axis1 % len(shape), axis2 % len(shape)
    rest = [n for k, n in enumerate(shape) if k not in (first, second)]
    whole = np.zeros_like(v, shape=(*rest, shape[first], shape[second]))
    n = v.shape[-1]
    i, j = np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)
    whole[..., i, j] = v
    return np.moveaxis(whole, (-2, -1), (axis1, axis2))


multilinear(
    np.diagonal,
    lambda g, out, x, offset=0, axis1=0, axis2=1: on_diagonal(g, x.shape, offset, axis1, axis2),
)
multilinear(
    on_diagonal,
    lambda g, out, v, shape, offset=0, axis1=0, axis2=1: np.diagonal(g, offset, axis1, axis2),
)
multilinear(np.tril, lambda g, out, m, k=0: np.tril(g, k), broadcasts=True)
multilinear(np.triu, lambda g, out, m, k=0: np.triu(g, k), broadcasts=True)


@composite(np.diag)
def _diag(v, k=0):
    if v.ndim not in (1, 2):
        raise DimensionError(
            f"np.diag takes a vector or a matrix, got an array of shape {v.shape}; np.diagonal "
            f"takes diagonals of stacks"
        )
    n = v.shape[0] + abs(k)
    return on_diagonal(v, (n, n), k) if v.ndim == 1 else np.diagonal(v, k)


composite(np.diagflat)(lambda v, k=0: np.diag(np.ravel(v), k))
composite(np.linalg.diagonal)(lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1))


@composite(np.trace)
def _trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@composite(np.linalg.trace)
def _trace_of_last(x, /, *, offset=0, dtype=None):
    return np.trace(x, offset, -2, -1, dtype)
