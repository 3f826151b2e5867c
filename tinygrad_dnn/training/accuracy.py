"""Accuracy: the share of examples whose class is predicted right."""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


def accuracy(A: Array, Y: Array) -> float:
    """Return the share of columns of A that name the class of Y.

    Shapes: A (1, m) probabilities of the second of two classes, which win above 1/2, with Y (1, m);
    or A (n, m), where the largest wins, with Y one-hot (n, m) or class numbers (m,).

    >>> accuracy(np.array([[0.2, 0.9, 0.6]]), np.array([[0, 1, 0]]))
    0.6666666666666666
    """
    A = A.data if isinstance(A, Tensor) else np.asarray(A)
    Y = Y.data if isinstance(Y, Tensor) else np.asarray(Y)
    n, m = A.shape
    if Y.shape not in ((n, m), (m,)) or (n == 1 and Y.ndim == 1):
        wanted = f"{(n, m)}" if n == 1 else f"{(n, m)} or {(m,)}"
        raise DimensionError(f"accuracy: A is {A.shape} but Y is {Y.shape}; it needs {wanted}")
    return float(hits(A, Y) / m)


def hits(A: Array, Y: Array) -> Any:
    """Return how many columns are right; of each A if there are several, (..., n, m)."""
    if A.shape[-2] == 1:
        return np.count_nonzero((A > 0.5) == (Y > 0.5), axis=(-2, -1))
    return np.count_nonzero(A.argmax(axis=-2) == (Y if Y.ndim == 1 else Y.argmax(axis=0)), axis=-1)
