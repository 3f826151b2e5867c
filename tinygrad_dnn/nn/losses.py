"""Losses: the cost J of predictions against targets, with the shapes checked first.

Examples are columns.  A shape that would broadcast by accident, as Y (m,) against A (1, m) does, is
an error here.  The cost is a Tensor if one flows in, else a number.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.naming import numbered, unfit
from tinygrad_dnn.primitives import Array, as_data
from tinygrad_dnn.rules import losses
from tinygrad_dnn.tensor import Tensor

Loss = Callable[[Any, Any], Any]


def binary_cross_entropy(A: Array, Y: Array) -> Any:
    """Return J = -(1/m) sum(Y log A + (1 - Y) log(1 - A)), where 0 log 0 = 0.

    Shapes: A, Y (n, m) -> ().  A holds probabilities; one that ``sigmoid`` has just made is not
    rounded on the way: value and derivative then come from its logits.

    >>> float(binary_cross_entropy(np.array([[0.5, 0.5]]), np.array([[1, 0]])))
    0.6931471805599453
    """
    return losses.binary_cross_entropy(A, matching("binary_cross_entropy", A, Y))


def binary_cross_entropy_with_logits(Z: Array, Y: Array) -> Any:
    """Return binary_cross_entropy(sigmoid(Z), Y), exact for any Z.  Shapes: Z, Y (n, m) -> ()."""
    Y = matching("binary_cross_entropy_with_logits", Z, Y)
    return losses.binary_cross_entropy_with_logits(Z, Y)


def cross_entropy(A: Array, Y: Array) -> Any:
    """Return J = -(1/m) sum(Y log A), where 0 log 0 = 0.

    Shapes: A (n, m); Y one-hot (n, m), or class numbers (m,) -> ().  A holds probabilities, a
    column each; one that ``softmax`` has just made is not rounded on the way.

    >>> A = np.array([[0.5, 0.25], [0.5, 0.75]])
    >>> round(float(cross_entropy(A, np.array([0, 1]))), 6)  # the mean of log 2 and log 4/3
    0.490415
    """
    return losses.cross_entropy(A, one_column_each("cross_entropy", A, Y))


def cross_entropy_with_logits(Z: Array, Y: Array) -> Any:
    """Return cross_entropy(softmax(Z), Y), exact for any Z.

    Shapes: Z (n, m); Y one-hot (n, m), or class numbers (m,) -> ().
    """
    Y = one_column_each("cross_entropy_with_logits", Z, Y)
    return losses.cross_entropy_with_logits(Z, Y)


def mean_squared_error(A: Array, Y: Array) -> Any:
    """Return the mean of (A - Y)**2 over all entries.  Shapes: A, Y (n, m) -> ().

    >>> float(mean_squared_error(np.array([[1.0, 2.0]]), np.array([[0, 0]])))
    2.5
    """
    return losses.mean_squared_error(A, matching("mean_squared_error", A, Y))


def one_hot(labels: Array, n: int, *, dtype: Any = np.float64) -> Array:
    """Return class numbers (m,) as columns (n, m), each with a single one.

    >>> one_hot(np.array([0, 2]), 3)
    array([[1., 0.],
           [0., 0.],
           [0., 1.]])
    """
    labels = as_data(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DimensionError(
            f"one_hot: labels are whole numbers of shape (m,), got {labels.dtype} {labels.shape}"
        )

    def refused(least: Any, most: Any) -> DimensionError:
        return DimensionError(
            f"one_hot: labels run from {least} to {most}, but {n} classes are numbered 0 to {n - 1}"
        )

    labels = numbered(labels, n, refused)
    return (np.arange(n)[:, None] == labels).astype(dtype)


def matching(loss: str, A: Array, Y: Array) -> Array:
    """Return Y in floats, if it has the shape of A (n, m)."""
    if not hasattr(Y, "shape"):
        Y = np.asarray(Y)
    shape = A.shape
    if len(shape) != 2 or Y.shape != shape:
        name, target = getattr(A, "name", None) or "A", getattr(Y, "name", None) or "Y"
        advice = ""
        if A.ndim != 2:
            advice = "; examples are columns, so both are (n, m)"
        elif Y.shape == A.shape[::-1]:
            advice = f"; examples are columns, so pass {target}.T"
        elif Y.size == A.size:
            advice = f"; pass {target}.reshape{A.shape}"
        said = f"{name} is {A.shape} but {target} is {Y.shape}; the two must be equal{advice}"
        raise unfit(f"{loss}: {said}", loss, A, Y)
    if Y.dtype.kind in "biu":
        return Y.astype(A.dtype if A.dtype.kind == "f" else np.float64)
    return Y


def one_column_each(loss: str, A: Array, Y: Array) -> Array:
    """Return Y (n, m) one-hot, also if given as class numbers (m,)."""
    if not hasattr(Y, "shape"):
        Y = np.asarray(Y)
    if A.ndim == 2 and Y.shape == A.shape[1:] and Y.dtype.kind in "iu":
        return one_hot(Y.data if isinstance(Y, Tensor) else Y, A.shape[0], dtype=A.dtype)
    if A.ndim == 2 and Y.shape == A.shape[1:]:
        said = f"{loss}: class numbers are whole numbers, got {Y.dtype}; Y.astype(int)"
        raise unfit(said, loss, A, Y)
    if A.ndim == 2 and Y.shape == (1, A.shape[1]) and A.shape[0] > 1:
        raise unfit(
            f"{loss}: Y is {Y.shape} for {A.shape[0]} classes; give class numbers as (m,): "
            f"Y.ravel(), or one-hot columns {A.shape}: nn.one_hot(Y.ravel(), {A.shape[0]})",
            loss,
            A,
            Y,
        )
    return matching(loss, A, Y)
