"""Normalisation: x made independent of its own location and scale, or of its length.

The Jacobians are symmetric, as softmax's is: one map serves both modes.
"""

import numpy as np

from tinygrad_dnn.primitives import primitive, rule


@primitive
def standardize(x, *, axis, eps=1e-5):
    """(x - mean) / sqrt(variance + eps), the two taken over ``axis``."""
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return centred / _deviation(centred, axis, eps)


def _deviation(centred, axis, eps):
    return np.sqrt(np.mean(np.square(centred), axis=axis, keepdims=True) + eps)


def _standardize_map(v, out, x, axis, eps=1e-5):
    centred = x - np.mean(x, axis=axis, keepdims=True)
    along = np.mean(v * out, axis=axis, keepdims=True)
    return (v - np.mean(v, axis=axis, keepdims=True) - out * along) / _deviation(centred, axis, eps)


rule(standardize, vjps=(_standardize_map,), jvps=(_standardize_map,))


@primitive
def l2_normalize(x, *, axis=0, eps=1e-12):
    """Return x / sqrt(sum(x^2) + eps), the sum taken over ``axis``: every column gets length one.

    Shapes: x (n, m) -> (n, m); zeros stay zeros.

    >>> l2_normalize(np.array([[3.0], [4.0]]))
    array([[0.6],
           [0.8]])
    """
    return x / _length(x, axis, eps)


def _length(x, axis, eps):
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=True) + eps)


def _l2_normalize_map(v, out, x, axis=0, eps=1e-12):
    along = np.sum(v * out, axis=axis, keepdims=True)
    return (v - out * along) / _length(x, axis, eps)


rule(l2_normalize, vjps=(_l2_normalize_map,), jvps=(_l2_normalize_map,))
