"""Transposed convolutions: from few places to many; arguments as in ``convolution``.

``output_padding`` makes the result longer at its ends: a convolution with a stride takes several
lengths to the same one, and its transpose has to be told which it was.
"""

from typing import Any

from tinygrad_dnn.nn.functions.convolution import (
    Sizes,
    check_bias,
    check_kernel,
    movement,
    per_axis,
    wrong_input,
)
from tinygrad_dnn.nn.naming import given, unfit, where
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.convolution import conv_input
from tinygrad_dnn.rules.patches import spanned


def conv_transpose1d(
    x: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Return the transpose of ``conv1d``, which goes from its results to its inputs, plus b.

    Shapes: x (m, c_in, length), W (c_in, c_out / groups, k), b (c_out, 1) -> (m, c_out, L), where
    L = (length - 1) stride - 2 padding + dilation (k - 1) + 1 + output_padding.

    >>> import numpy as np
    >>> conv_transpose1d(np.array([[[1.0, 2.0]]]), np.array([[[1.0, 1.0, 1.0]]]), stride=2)
    array([[[1., 1., 3., 2., 2.]]])
    """
    how = {"stride": stride, "padding": padding, "dilation": dilation}
    return transpose("conv_transpose1d", 1, x, W, b, groups, output_padding, **how)


def conv_transpose2d(
    x: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Return the transpose of ``conv2d``, which goes from its results to its inputs, plus b.

    Shapes: x (m, c_in, h, w), W (c_in, c_out / groups, k_h, k_w), b (c_out, 1, 1)
    -> (m, c_out, H, W), each as long as L in ``conv_transpose1d``.

    >>> import numpy as np
    >>> conv_transpose2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)))[0, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    how = {"stride": stride, "padding": padding, "dilation": dilation}
    return transpose("conv_transpose2d", 2, x, W, b, groups, output_padding, **how)


def conv_transpose3d(
    x: Array,
    W: Array,
    b: Array | None = None,
    *,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Return the transpose of ``conv3d``, which goes from its results to its inputs, plus b.

    Shapes: x (m, c_in, d, h, w), W (c_in, c_out / groups, k_d, k_h, k_w), b (c_out, 1, 1, 1)
    -> (m, c_out, D, H, W), each as long as L in ``conv_transpose1d``.

    >>> import numpy as np
    >>> conv_transpose3d(np.ones((1, 3, 2, 2, 2)), np.ones((3, 5, 2, 2, 2)), stride=2).shape
    (1, 5, 4, 4, 4)
    """
    how = {"stride": stride, "padding": padding, "dilation": dilation}
    return transpose("conv_transpose3d", 3, x, W, b, groups, output_padding, **how)


def transpose(
    who: Any,
    axes: int,
    x: Array,
    W: Array,
    b: Array | None,
    groups: int,
    output_padding: Sizes,
    **options: Sizes,
) -> Any:
    """As ``conv_transpose1d`` and its like, by the number of ``axes``, on behalf of ``who``."""
    how = movement(who, axes, **options)
    extra = per_axis(who, "output_padding", output_padding, axes, least=0)
    check_kernel(who, axes, x, W, groups, "c_in", "c_out / groups")
    if x.ndim != axes + 2 or x.shape[1] != W.shape[0]:
        raise wrong_input(who, x, W, W.shape[0])
    check_bias(who, b, W.shape[1] * groups, axes)
    least = spanned(x.shape[2:], W.shape[2:], **how)
    size = tuple(n + e for n, e in zip(least, extra, strict=True))
    if min(size) < 1 or any(e >= s for e, s in zip(extra, how["stride"], strict=True)):
        raise unfit(
            f"{where(who)}: {given(x, who)} {x.shape} would become {size}, with output_padding "
            f"{extra}; sizes must be >= 1 and output_padding less than stride {how['stride']}",
            who,
            x,
            W,
        )
    Z = conv_input(x, W, size=size, groups=groups, **how)
    return Z if b is None else Z + b
