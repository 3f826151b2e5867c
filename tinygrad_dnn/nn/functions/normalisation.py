"""Normalisation: batch, layer, group and local response norm, by what they average over.

Columns are (n, m), sequences (m, c, length), images (m, c, h, w), volumes (m, c, d, h, w).  After
(x - mean) / sqrt(variance + eps), gamma scales and beta shifts every unit or channel; they
broadcast, hence (n, 1) for columns and sequences, (c, 1, 1) for images, (c, 1, 1, 1) for volumes.
"""

from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.nn.naming import at_least_one, misfit, unfit, where
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.normalisation import standardize
from tinygrad_dnn.rules.pooling import avg_pool

EPS = 1e-5
OVER_EXAMPLES: dict[int, Any] = {2: 1, 3: (0, 2), 4: (0, 2, 3), 5: (0, 2, 3, 4)}  # by axes of x


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

    Shapes: x (n, m), gamma, beta, mean, variance (n, 1); or x (m, c, *size) and (c, 1, ...), a
    number per channel.  With ``mean`` and ``variance``, gathered before, these are used in place of
    x's own.

    Source: Ioffe and Szegedy, "Batch Normalization" (2015).

    >>> batch_norm(np.array([[1.0, 3.0]]), eps=0)
    array([[-1.,  1.]])
    """
    who = "batch_norm"
    if x.ndim not in OVER_EXAMPLES:
        raise misfit(who, x, "(n, m) or (m, c, *size)")
    fitting(who, per_unit(x), gamma=gamma, beta=beta, mean=mean, variance=variance)
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

    Shapes: x (m, c, *size), c a multiple of ``groups``; gamma, beta (c, 1, ...).

    Source: Wu and He, "Group Normalization" (2018).
    """
    at_least_one(where("group_norm"), groups=groups)
    if x.ndim < 3 or x.shape[1] % groups:
        raise misfit("group_norm", x, f"(m, c, *size), c a multiple of groups = {groups}")
    fitting("group_norm", per_unit(x), gamma=gamma, beta=beta)
    m, c, *size = x.shape
    grouped = np.reshape(x, (m, groups, c // groups * prod(size)))
    return affine(np.reshape(standardize(grouped, axis=2, eps=eps), x.shape), gamma, beta)


def local_response_norm(
    x: Array, size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Return x / (k + alpha s)**beta, s the mean of x**2 over ``size`` neighbouring channels.

    Shapes: x (m, c, *size) -> the same.  Beyond the first and last channel there are zeros; of an
    even number of neighbours one more lies before.

    Source: Krizhevsky et al., "ImageNet Classification" (2012), with the mean for their sum.

    >>> local_response_norm(np.array([[[1.0], [2.0]]]), 1, alpha=1.0, beta=1.0).ravel()
    array([0.5, 0.4])
    """
    return divided("local_response_norm", x, size, alpha, beta, k)


def divided(who: Any, x: Array, size: int, alpha: float, beta: float, k: float) -> Any:
    """As ``local_response_norm``, on behalf of ``who``."""
    at_least_one(f"{where(who)}", size=size)
    if x.ndim < 3:
        raise misfit(who, x, "(m, c, *size)")
    m, c, *rest = x.shape
    squares = np.reshape(np.square(x), (m, 1, c, prod(rest)))
    around = np.pad(squares, ((0, 0), (0, 0), (size // 2, (size - 1) // 2), (0, 0)))
    along = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    means = avg_pool(around, kernel=(size, 1), **along)
    return x / np.reshape(k + alpha * means, x.shape) ** beta


def affine(x: Array, gamma: Array | None, beta: Array | None) -> Any:
    """Return gamma x + beta."""
    x = x if gamma is None else gamma * x
    return x if beta is None else x + beta


def per_unit(x: Array) -> tuple[int, ...]:
    """Return the shape that holds a number per unit or channel of x."""
    return (x.shape[0], 1) if x.ndim == 2 else (x.shape[1], *(1,) * (x.ndim - 2))


def fitting(who: Any, wanted: tuple[int, ...], **held: Array | None) -> None:
    """Refuse what is not of the shape that holds a number per unit or channel."""
    for name, array in held.items():
        if array is not None and array.shape != wanted:
            own = getattr(array, "name", None) or name
            raise unfit(f"{where(who)}: {own} is {array.shape}; it needs {wanted}", who, array)
