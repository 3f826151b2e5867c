"""Losses: the cost J = (1/m) sum of the loss over m examples, which are the columns.

Each cross-entropy has two forms, on probabilities A and on logits Z.  Where the first follows its
own activation the second is computed in its place: log and exp cancel, and the derivative is
(A - Y) / m, finite where A has rounded to 0 or 1.  It is handed A, to save computing it again.
"""

import numpy as np

from tinygrad_dnn.primitives import Array, detour, primitive, scalar
from tinygrad_dnn.rules.network import log_softmax, logsumexp, sigmoid, softmax
from tinygrad_dnn.scalars import ZERO


def _ratio(p, q):
    """Divide p by q, where 0 / 0 counts as 0."""
    return p / np.where((p == 0) & (q == 0), 1, q)


def _xlogy(p, q):
    """Return p log q, where 0 log 0 counts as 0."""
    return p * np.log(np.where(p == 0, 1, q))


# ---- two classes -----------------------------------------------------------------------------
@primitive
def binary_cross_entropy(A: Array, Y: Array) -> Array:
    """-(1/m) sum(Y log A + (1 - Y) log(1 - A)).  Shapes: A, Y (n, m) -> ()."""
    return -np.sum(_xlogy(Y, A) + _xlogy(1 - Y, 1 - A)) / Y.shape[1]


scalar(
    binary_cross_entropy,
    lambda out, A, Y: (_ratio(1 - Y, 1 - A) - _ratio(Y, A)) / Y.shape[1],
    lambda out, A, Y: (np.log(1 - A) - np.log(A)) / Y.shape[1],
)


@primitive
def binary_cross_entropy_with_logits(Z: Array, Y: Array, A: Array | None = None) -> Array:
    """binary_cross_entropy(sigmoid(Z), Y) without rounding.  Shapes: Z, Y (n, m) -> ()."""
    return (np.logaddexp(ZERO[Z.dtype], Z) - Y * Z).sum() / Y.shape[1]


scalar(
    binary_cross_entropy_with_logits,
    lambda out, Z, Y, A=None: ((sigmoid(Z) if A is None else A) - Y) / Y.shape[1],
    lambda out, Z, Y, A=None: -Z / Y.shape[1],
    None,  # A is sigmoid(Z), which the first gradient has accounted for
)
detour(binary_cross_entropy, sigmoid, binary_cross_entropy_with_logits)


# ---- many classes ----------------------------------------------------------------------------
@primitive
def cross_entropy(A: Array, Y: Array) -> Array:
    """-(1/m) sum(Y log A).  Shapes: A, Y (n, m) -> ()."""
    return -np.sum(_xlogy(Y, A)) / Y.shape[1]


scalar(
    cross_entropy,
    lambda out, A, Y: -_ratio(Y, A) / Y.shape[1],
    lambda out, A, Y: -np.log(A) / Y.shape[1],
)


@primitive
def cross_entropy_with_logits(Z: Array, Y: Array, A: Array | None = None) -> Array:
    """cross_entropy(softmax(Z), Y) without rounding.  Shapes: Z, Y (n, m) -> ()."""
    return np.sum(Y * (logsumexp(Z, axis=0, keepdims=True) - Z)) / Y.shape[1]


scalar(
    cross_entropy_with_logits,
    lambda out, Z, Y, A=None: (
        ((softmax(Z) if A is None else A) * np.sum(Y, axis=0, keepdims=True) - Y) / Y.shape[1]
    ),
    lambda out, Z, Y, A=None: -log_softmax(Z) / Y.shape[1],
    None,  # A is softmax(Z), which the first gradient has accounted for
)
detour(cross_entropy, softmax, cross_entropy_with_logits, axis=0)


# ---- regression ------------------------------------------------------------------------------
@primitive
def mean_squared_error(A: Array, Y: Array) -> Array:
    """mean((A - Y)**2) over all entries.  Shapes: A, Y (n, m) -> ()."""
    return np.mean(np.square(A - Y))


scalar(
    mean_squared_error,
    lambda out, A, Y: (A - Y) * (2 / max(A.size, 1)),
    lambda out, A, Y: (Y - A) * (2 / max(A.size, 1)),
)
