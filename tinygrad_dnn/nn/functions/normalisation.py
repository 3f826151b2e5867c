"""Normalisation: batch, layer and group norm.  What differs is over which axes they average.

Columns are (n, m), images (m, c, h, w).  After (x - mean) / sqrt(variance + eps), gamma scales and
beta shifts every unit or channel; they broadcast, hence (n, 1) for columns, (c, 1, 1) for images.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.naming import misfit, where
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.normalisation import standardize

EPS = 1e-5
OVER_EXAMPLES: dict[int, Any] = {2: 1, 4: (0, 2, 3)}  # by the number of axes of x


def batch_norm(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    mean: Array | None = None,
    variance: Array | None = None,
    eps: float = EPS,
) -> Any:
    """Return x normalised over its examples, times gamma, plus beta.

    Shapes: x (n, m), gamma, beta, mean, variance (n, 1); or x (m, c, h, w) and (c, 1, 1).  With
    ``mean`` and ``variance``, gathered before, these are used in place of x's own.

    Source: Ioffe and Szegedy, "Batch Normalization" (2015).

    >>> batch_norm(np.array([[1.0, 3.0]]), eps=0)
    array([[-1.,  1.]])
    """
    who = "batch_norm"
    if x.ndim not in OVER_EXAMPLES:
        raise misfit(who, x, "(n, m) or (m, c, height, width)")
    fitting(who, _per_unit(x), gamma=gamma, beta=beta, mean=mean, variance=variance)
    if (mean is None) != (variance is None):
        raise ValueError(f"{where(who)}: mean and variance are given both or neither")
    if mean is None or variance is None:
        return affine(standardize(x, axis=OVER_EXAMPLES[x.ndim], eps=eps), gamma, beta)
    return affine((x - mean) / np.sqrt(variance + eps), gamma, beta)


def layer_norm(
    x: Array, gamma: Array | None = None, beta: Array | None = None, *, eps: float = EPS
) -> Any:
    """Return every example of x normalised over its units, times gamma, plus beta.

    Shapes: x (n, m), or any (..., n, m); gamma, beta (n, 1).

    Source: Ba et al., "Layer Normalization" (2016).

    >>> layer_norm(np.array([[1.0], [3.0]]), eps=0)
    array([[-1.],
           [ 1.]])
    """
    if x.ndim < 2:
        raise misfit("layer_norm", x, "(n, m)")
    fitting("layer_norm", (x.shape[-2], 1), gamma=gamma, beta=beta)
    return affine(standardize(x, axis=-2, eps=eps), gamma, beta)


def group_norm(
    x: Array,
    groups: int,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    eps: float = EPS,
) -> Any:
    """Return every example of x normalised over groups of its channels, times gamma, plus beta.

    Shapes: x (m, c, h, w), c a multiple of ``groups``; gamma, beta (c, 1, 1).

    Source: Wu and He, "Group Normalization" (2018).
    """
    if x.ndim != 4 or x.shape[1] % groups:
        raise misfit("group_norm", x, f"(m, c, height, width), c a multiple of groups = {groups}")
    fitting("group_norm", _per_unit(x), gamma=gamma, beta=beta)
    m, c, h, w = x.shape
    grouped = np.reshape(x, (m, groups, c // groups, h, w))
    return affine(np.reshape(standardize(grouped, axis=(2, 3, 4), eps=eps), x.shape), gamma, beta)


def affine(x: Array, gamma: Array | None, beta: Array | None) -> Any:
    """Return gamma x + beta."""
    x = x if gamma is None else gamma * x
    return x if beta is None else x + beta


def _per_unit(x: Array) -> tuple[int, ...]:
    return (x.shape[0], 1) if x.ndim == 2 else (x.shape[1], 1, 1)


def fitting(who: Any, wanted: tuple[int, ...], **held: Array | None) -> None:
    """Refuse what is not of the shape that holds a number per unit or channel."""
    for name, array in held.items():
        if array is not None and array.shape != wanted:
            own = getattr(array, "name", None) or name
            raise DimensionError(f"{where(who)}: {own} is {array.shape}; it needs {wanted}")
