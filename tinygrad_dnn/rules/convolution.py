"""Convolution over any number of spatial axes: three maps, each a derivative of the others.

    sum(y * conv(x, W)) = sum(conv_input(y, W) * x) = sum(conv_weight(x, y) * W)

x (m, c, *size), W (n, c / groups, *kernel), y (m, n, *places).  ``how`` is stride, padding and
dilation, a tuple with one number per spatial axis, and groups, into which the channels are split.
As everywhere in networks this is what mathematics calls correlation: the kernel is not flipped.
"""

from math import prod

from tinygrad_dnn.primitives import multilinear, primitive
from tinygrad_dnn.rules.linalg import mT
from tinygrad_dnn.rules.patches import fold, patches


def _grouped(y, groups):
    """Give every group of the channels a matrix with one column per place."""
    return y.reshape(y.shape[0], groups, y.shape[1] // groups, prod(y.shape[2:]))


def _columns(x, kernel, groups, how):
    """Return the windows on x as columns, (m, groups, c / groups * kernel, places)."""
    windows = patches(x, kernel=kernel, **how)
    rows = x.shape[1] // groups * prod(kernel)
    places = windows.shape[2 + len(kernel) :]
    return windows.reshape(x.shape[0], groups, rows, prod(places)), places


def _matrices(W, groups):
    """Return W as one matrix per group, (groups, n / groups, c / groups * kernel)."""
    return W.reshape(groups, W.shape[0] // groups, prod(W.shape[1:]))


@primitive
def conv(x, W, *, groups, **how):
    """Shapes: x (m, c, *size), W (n, c / groups, *kernel) -> (m, n, *places)."""
    columns, places = _columns(x, W.shape[2:], groups, how)
    return (_matrices(W, groups) @ columns).reshape(x.shape[0], W.shape[0], *places)


@primitive
def conv_input(y, W, *, size, groups, **how):
    """Shapes: y (m, n, *places), W (n, c / groups, *kernel) -> x (m, c, *size)."""
    columns = mT(_matrices(W, groups)) @ _grouped(y, groups)
    channels = W.shape[1] * groups
    windows = columns.reshape(y.shape[0], channels, *W.shape[2:], *y.shape[2:])
    return fold(windows, size=size, **how)


@primitive
def conv_weight(x, y, *, kernel, groups, **how):
    """Shapes: x (m, c, *size), y (m, n, *places) -> W (n, c / groups, *kernel)."""
    columns, _ = _columns(x, kernel, groups, how)
    matrices = (_grouped(y, groups) @ mT(columns)).sum(axis=0)
    return matrices.reshape(y.shape[1], x.shape[1] // groups, *kernel)


multilinear(
    conv,
    lambda g, out, x, W, **how: conv_input(g, W, size=x.shape[2:], **how),
    lambda g, out, x, W, **how: conv_weight(x, g, kernel=W.shape[2:], **how),
)
multilinear(
    conv_input,
    lambda g, out, y, W, size, **how: conv(g, W, **how),
    lambda g, out, y, W, size, **how: conv_weight(g, y, kernel=W.shape[2:], **how),
)
multilinear(
    conv_weight,
    lambda g, out, x, y, kernel, **how: conv_input(y, g, size=x.shape[2:], **how),
    lambda g, out, x, y, kernel, **how: conv(x, g, **how),
)
