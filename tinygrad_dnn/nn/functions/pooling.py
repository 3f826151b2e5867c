"""Pooling: one number for every window on sequences, images or volumes."""

from typing import Any

import numpy as np

from tinygrad_dnn.nn.functions.convolution import AXES, Sizes, movement, per_axis
from tinygrad_dnn.nn.naming import given, misfit, unfit, where
from tinygrad_dnn.primitives import Array, Function
from tinygrad_dnn.rules.patches import count
from tinygrad_dnn.rules.pooling import avg_pool, max_pool, places_of_largest
from tinygrad_dnn.tensor import Tensor


def max_pool1d(
    x: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    return_indices: bool = False,
) -> Any:
    """Return the largest entry of every window; entries that tie share its derivative equally.

    Shapes: x (m, c, length) -> (m, c, places), where places = (length + 2 padding -
    dilation (kernel - 1) - 1) // stride + 1.  ``stride`` is by default ``kernel``, so that windows
    do not overlap; entries of a window are ``dilation`` apart.  With
    ``return_indices=True`` also where these entries are, for ``max_unpool1d``: whole numbers of
    the result's shape that count the places of one channel; of a tie, the first.

    >>> max_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2, return_indices=True)
    (array([[[3., 2.]]]), array([[[1, 2]]]))
    """
    return largest("max_pool1d", 1, x, return_indices, kernel, stride, padding, dilation)


def max_pool2d(
    x: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    return_indices: bool = False,
) -> Any:
    """Return the largest entry of every window on images, as ``max_pool1d``.

    Shapes: x (m, c, h, w) -> (m, c, places_h, places_w).

    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return largest("max_pool2d", 2, x, return_indices, kernel, stride, padding, dilation)


def max_pool3d(
    x: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    return_indices: bool = False,
) -> Any:
    """Return the largest entry of every window on volumes, as ``max_pool1d``.

    Shapes: x (m, c, d, h, w) -> (m, c, places_d, places_h, places_w).

    >>> max_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 2).item()
    7.0
    """
    return largest("max_pool3d", 3, x, return_indices, kernel, stride, padding, dilation)


def avg_pool1d(
    x: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
) -> Any:
    """Return the mean of every window, in which padding counts as zeros.

    Shapes and options as in ``max_pool1d``.

    >>> avg_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    array([[[2., 1.]]])
    """
    return mean("avg_pool1d", 1, x, kernel, stride, padding, dilation)


def avg_pool2d(
    x: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
) -> Any:
    """Return the mean of every window on images, as ``avg_pool1d``.

    Shapes: x (m, c, h, w) -> (m, c, places_h, places_w).

    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    return mean("avg_pool2d", 2, x, kernel, stride, padding, dilation)


def avg_pool3d(
    x: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
) -> Any:
    """Return the mean of every window on volumes, as ``avg_pool1d``.

    Shapes: x (m, c, d, h, w) -> (m, c, places_d, places_h, places_w).

    >>> avg_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 2).item()
    3.5
    """
    return mean("avg_pool3d", 3, x, kernel, stride, padding, dilation)


def global_avg_pool2d(x: Array) -> Any:
    """Return the mean of every channel, as columns.  Shapes: x (m, c, h, w) -> (c, m).

    >>> global_avg_pool2d(np.ones((5, 3, 4, 4))).shape
    (3, 5)
    """
    return global_pool("global_avg_pool2d", x)


def largest(who: Any, axes: int, x: Array, indices: bool, *window: Any) -> Any:
    """As ``max_pool1d`` and its like, by the number of ``axes``, on behalf of ``who``."""
    how = windows(who, axes, *window)
    out = pooled(who, axes, max_pool, x, how)
    if not indices:
        return out
    seen, top = (a.data if isinstance(a, Tensor) else a for a in (x, out))
    return out, places_of_largest(seen, top, **how)


def mean(who: Any, axes: int, x: Array, *window: Any) -> Any:
    """As ``avg_pool1d`` and its like, by the number of ``axes``, on behalf of ``who``."""
    return pooled(who, axes, avg_pool, x, windows(who, axes, *window))


def windows(
    who: Any, axes: int, kernel: Sizes, stride: Sizes | None, padding: Sizes, dilation: Sizes
) -> dict[str, Any]:
    """Return a window and how it moves, as the rules take it."""
    kernel = per_axis(who, "kernel", kernel, axes, least=1)
    stride = kernel if stride is None else stride
    return {
        "kernel": kernel,
        **movement(who, axes, stride=stride, padding=padding, dilation=dilation),
    }


def pooled(who: Any, axes: int, fn: Function, x: Array, how: dict[str, Any]) -> Any:
    """Apply ``fn``, one of the pooling rules, if x has so many axes and a window fits into it."""
    if x.ndim != axes + 2:
        raise misfit(who, x, AXES[axes].format("c"))
    if any(2 * p > k for k, p in zip(how["kernel"], how["padding"], strict=True)):
        raise ValueError(
            f"{where(who)}: padding {how['padding']} is more than half the kernel "
            f"{how['kernel']}; some windows would see nothing else"
        )
    if min(count(x.shape[2:], **how)) < 1:
        raise unfit(
            f"{where(who)}: the kernel {how['kernel']} does not fit into {given(x, who)}, which is "
            f"{x.shape} with padding {how['padding']}",
            who,
            x,
        )
    if any(_sees_nothing(*along) for along in zip(x.shape[2:], *how.values(), strict=True)):
        raise unfit(
            f"{where(who)}: with dilation {how['dilation']} some windows on {given(x, who)}, which "
            f"is {x.shape}, would see nothing but padding {how['padding']}; use less of it",
            who,
            x,
        )
    return fn(x, **how)


def _sees_nothing(size: int, kernel: int, stride: int, padding: int, dilation: int) -> bool:
    """Whether all places of some window lie beside x, along one axis."""
    if not padding or dilation == 1:
        return False
    places = range(-padding, size + padding - dilation * (kernel - 1), stride)
    return not all(any(0 <= place + dilation * j < size for j in range(kernel)) for place in places)


def global_pool(who: Any, x: Array) -> Any:
    """As ``global_avg_pool2d``, on behalf of ``who``."""
    if x.ndim != 4:
        raise misfit(who, x, "(m, c, height, width)")
    return np.mean(x, axis=(2, 3)).T
