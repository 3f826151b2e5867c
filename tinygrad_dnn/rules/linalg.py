"""Linear algebra: matrix products of every rank that NumPy has."""

import numpy as np

from tinygrad_dnn.errors import HistoryError, MissingRuleError
from tinygrad_dnn.primitives import composite, multilinear


def mT(x):
    """Transpose the last two axes."""
    return np.swapaxes(x, -1, -2)


def _left(g, out, a, b):
    if a.ndim == 2 == b.ndim:
        return g @ b.T
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    if a.ndim == 1:
        g = np.expand_dims(g, -2)
    return g @ mT(b)


def _right(g, out, a, b):
    if a.ndim == 2 == b.ndim:
        return a.T @ g
    if a.ndim == 1:
        return g * a if b.ndim == 1 else np.expand_dims(a, -1) * np.expand_dims(g, -2)
    if b.ndim == 1:
        return np.squeeze(mT(a) @ np.expand_dims(g, -1), -1)
    return mT(a) @ g


multilinear(np.matmul, _left, _right, broadcasts=True)


@composite(np.dot)
def _dot(a, b, out=None):
    if out is not None:
        raise HistoryError("np.dot: out= would overwrite data that a derivative may need")
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        raise MissingRuleError("np.dot on Tensors takes at most a matrix on the right; use @")
    return np.matmul(a, b)
