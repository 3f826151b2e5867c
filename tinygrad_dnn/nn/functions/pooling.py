"""Pooling: one number for every window on an image."""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.functions.convolution import Sizes, per_axis
from tinygrad_dnn.nn.naming import given, misfit, where
from tinygrad_dnn.primitives import Array, Function
from tinygrad_dnn.rules.patches import count
from tinygrad_dnn.rules.pooling import avg_pool, max_pool


def max_pool2d(x: Array, kernel: Sizes, *, stride: Sizes | None = None, padding: Sizes = 0) -> Any:
    """Return the largest entry of every window; entries that tie share its derivative equally.

    Shapes: x (m, c, h, w) -> (m, c, places_h, places_w), where places = (h + 2 padding - kernel)
    // stride + 1.  ``stride`` is by default ``kernel``, so that windows do not overlap.

    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return pool("max_pool2d", max_pool, x, kernel, stride, padding)


def avg_pool2d(x: Array, kernel: Sizes, *, stride: Sizes | None = None, padding: Sizes = 0) -> Any:
    """Return the mean of every window, in which padding counts as zeros.

    Shapes and ``stride`` as in ``max_pool2d``.

    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    return pool("avg_pool2d", avg_pool, x, kernel, stride, padding)


def global_avg_pool2d(x: Array) -> Any:
    """Return the mean of every channel, as columns.  Shapes: x (m, c, h, w) -> (c, m).

    >>> global_avg_pool2d(np.ones((5, 3, 4, 4))).shape
    (3, 5)
    """
    return global_pool("global_avg_pool2d", x)


def pool(
    who: Any, fn: Function, x: Array, kernel: Sizes, stride: Sizes | None, padding: Sizes
) -> Any:
    """Apply ``fn``, one of the pooling rules, if x is (m, c, h, w) and a window fits into it."""
    how = {
        "kernel": per_axis(who, "kernel", kernel, 2, least=1),
        "stride": per_axis(who, "stride", kernel if stride is None else stride, 2, least=1),
        "padding": per_axis(who, "padding", padding, 2, least=0),
    }
    if x.ndim != 4:
        raise misfit(who, x, "(m, c, height, width)")
    if any(2 * p > k for k, p in zip(how["kernel"], how["padding"], strict=True)):
        raise ValueError(
            f"{where(who)}: padding {how['padding']} is more than half the kernel "
            f"{how['kernel']}; some windows would see nothing else"
        )
    if min(count(x.shape[2:], **how, dilation=(1, 1))) < 1:
        raise DimensionError(
            f"{where(who)}: the kernel {how['kernel']} does not fit into {given(x, who)}, which is "
            f"{x.shape} with padding {how['padding']}"
        )
    return fn(x, **how)


def global_pool(who: Any, x: Array) -> Any:
    """As ``global_avg_pool2d``, on behalf of ``who``."""
    if x.ndim != 4:
        raise misfit(who, x, "(m, c, height, width)")
    return np.mean(x, axis=(2, 3)).T
