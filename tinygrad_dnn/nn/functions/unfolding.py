"""Windows as columns, and columns added up where their windows overlap (im2col and col2im)."""

from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.nn.functions.convolution import Sizes, movement, per_axis
from tinygrad_dnn.nn.naming import given, misfit, unfit, where
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.patches import count, patches
from tinygrad_dnn.rules.patches import fold as fold_windows


def unfold(
    x: Array, kernel: Sizes, *, stride: Sizes = 1, padding: Sizes = 0, dilation: Sizes = 1
) -> Any:
    """Return what a sliding window sees of x, a column for every place (im2col).

    Shapes: x (m, c, *size), of any number of spatial axes -> (m, c k, places), k entries of the
    kernel and as many places as a convolution has in all.

    >>> unfold(np.array([[[1.0, 2.0, 4.0]]]), 2)
    array([[[1., 2.],
            [2., 4.]]])
    """
    if x.ndim < 3:
        raise misfit("unfold", x, "(m, c, *size)")
    axes = x.ndim - 2
    kernel = per_axis("unfold", "kernel", kernel, axes, least=1)
    how = movement("unfold", axes, stride=stride, padding=padding, dilation=dilation)
    places = count(x.shape[2:], kernel, **how)
    if min(places) < 1:
        raise unfit(
            f"{where('unfold')}: the kernel {kernel} does not fit into {given(x)}, which is "
            f"{x.shape} with padding {how['padding']}",
            "unfold",
            x,
        )
    windows = patches(x, kernel=kernel, **how)
    return np.reshape(windows, (x.shape[0], x.shape[1] * prod(kernel), prod(places)))


def fold(
    columns: Array,
    size: tuple[int, ...],
    kernel: Sizes,
    *,
    stride: Sizes = 1,
    padding: Sizes = 0,
    dilation: Sizes = 1,
) -> Any:
    """Return columns added up where their windows lie: the transpose of ``unfold`` (col2im).

    Shapes: columns (m, c k, places) -> (m, c, *size).

    >>> fold(np.array([[[1.0, 2.0], [2.0, 4.0]]]), (3,), 2)
    array([[[1., 4., 4.]]])
    """
    size = per_axis("fold", "size", size, len(size), least=1)
    kernel = per_axis("fold", "kernel", kernel, len(size), least=1)
    how = movement("fold", len(size), stride=stride, padding=padding, dilation=dilation)
    places = count(size, kernel, **how)
    k = prod(kernel)
    if columns.ndim != 3 or columns.shape[1] % k or columns.shape[2] != prod(places):
        wanted = f"(m, c {k}, {prod(places)}), a column for each of {places} places"
        raise misfit("fold", columns, wanted)
    m, rows, _ = columns.shape
    return fold_windows(np.reshape(columns, (m, rows // k, *kernel, *places)), size=size, **how)
