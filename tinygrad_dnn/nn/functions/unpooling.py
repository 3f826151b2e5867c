"""Unpooling: the largest entries put back where ``max_pool1d`` and its like have found them."""

from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.functions.convolution import AXES, Sizes, per_axis
from tinygrad_dnn.nn.functions.pooling import windows
from tinygrad_dnn.nn.naming import given, misfit, numbered, unfit, where
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.indexing import put
from tinygrad_dnn.rules.patches import spanned


def max_unpool1d(
    x: Array,
    indices: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    output_size: Sizes | None = None,
) -> Any:
    """Return zeros with the entries of x at ``indices``, as ``max_pool1d`` returns them.

    Shapes: x, indices (m, c, places) -> (m, c, length), where length = (places - 1) stride -
    2 padding + dilation (kernel - 1) + 1, or ``output_size``: several lengths have equally many
    places.  Of entries for the same place, as windows that overlap may have, the last stays.

    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014).

    >>> max_unpool1d(np.array([[[3.0, 2.0]]]), np.array([[[1, 2]]]), 2)
    array([[[0., 3., 2., 0.]]])
    """
    return unpooled("max_unpool1d", 1, x, indices, output_size, kernel, stride, padding, dilation)


def max_unpool2d(
    x: Array,
    indices: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    output_size: Sizes | None = None,
) -> Any:
    """Return images of zeros with the entries of x at ``indices``, as ``max_unpool1d``.

    Shapes: x, indices (m, c, places_h, places_w) -> (m, c, h, w).

    >>> max_unpool2d(np.array([[[[9.0]]]]), np.array([[[[2]]]]), 2)[0, 0]
    array([[0., 0.],
           [9., 0.]])
    """
    return unpooled("max_unpool2d", 2, x, indices, output_size, kernel, stride, padding, dilation)


def max_unpool3d(
    x: Array,
    indices: Array,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    output_size: Sizes | None = None,
) -> Any:
    """Return volumes of zeros with the entries of x at ``indices``, as ``max_unpool1d``.

    Shapes: x, indices (m, c, places_d, places_h, places_w) -> (m, c, d, h, w).

    >>> max_unpool3d(np.array([[[[[9.0]]]]]), np.array([[[[[5]]]]]), 2).ravel()
    array([0., 0., 0., 0., 0., 9., 0., 0.])
    """
    return unpooled("max_unpool3d", 3, x, indices, output_size, kernel, stride, padding, dilation)


def unpooled(
    who: Any, axes: int, x: Array, indices: Array, output_size: Sizes | None, *window: Any
) -> Any:
    """As ``max_unpool1d`` and its like, by the number of ``axes``, on behalf of ``who``."""
    how = windows(who, axes, *window)
    if x.ndim != axes + 2:
        raise misfit(who, x, AXES[axes].format("c"))
    size = spanned(x.shape[2:], **how)
    if output_size is not None:
        size = per_axis(who, "output_size", output_size, axes, least=1)
    indices = _checked(who, x, indices, size)
    m, c = x.shape[:2]
    flat = np.reshape(x, (m, c, prod(x.shape[2:])))
    zeros = np.zeros((m, c, prod(size)), x.dtype)
    channels = np.arange(m)[:, None, None], np.arange(c)[:, None]
    return np.reshape(put(zeros, flat, *channels, indices.reshape(flat.shape)), (m, c, *size))


def _checked(who: Any, x: Array, indices: Array, size: tuple[int, ...]) -> Array:
    """Return ``indices``, if they are places of an array of that ``size``."""
    kind = getattr(getattr(indices, "dtype", None), "kind", "")
    if kind not in ("i", "u") or indices.shape != x.shape:
        got = f"{indices.dtype} {indices.shape}" if kind else type(indices).__name__
        raise unfit(
            f"{where(who)}: indices are {got}; they need to be whole numbers {x.shape}, as "
            f"{given(x, who)} is, from max_pool{len(size)}d(..., return_indices=True)",
            who,
            x,
            indices,
        )
    n, place = prod(size), where(who)

    def refused(least: Any, most: Any) -> DimensionError:
        said = f"indices run from {least} to {most}, but {size} has places 0 to {n - 1}"
        return unfit(f"{place}: {said}; see output_size=", who, x, indices)

    return numbered(indices, n, refused)
