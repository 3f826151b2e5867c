"""Linear algebra: matrix products of every rank that NumPy has."""

import numpy as np

from tinygrad_dnn.primitives import multilinear


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
