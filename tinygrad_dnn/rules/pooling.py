"""Pooling: the largest entry, or the mean, of every window on x (m, c, *size).

``how`` is kernel, stride and padding, a tuple with one number per spatial axis.  Entries of one
window that tie for the largest share its derivative equally, as with np.max.
"""

from functools import reduce
from math import prod

import numpy as np

from tinygrad_dnn.primitives import multilinear, primitive, rule
from tinygrad_dnn.rules.patches import count, fold, padded, patches, slots


def _seen(x, kernel, stride, padding, fill):
    """Yield what all windows have at one of their places, (m, c, *places), for every place."""
    dilation = (1,) * len(kernel)
    places = count(x.shape[2:], kernel, stride, padding, dilation)
    whole = padded(x, padding, fill)
    return (whole[slot] for _, slot in slots(kernel, places, stride, dilation))


def _windows(x, how, fill=0):
    return patches(x, **how, dilation=(1,) * len(how["kernel"]), fill=fill)


def _added_up(windows, x, kernel, **how):
    return fold(windows, size=x.shape[2:], dilation=(1,) * len(kernel), **how)


def _per_window(v, kernel):
    """Give v (m, c, *places) the axes of a window: (m, c, 1, ..., 1, *places)."""
    return np.reshape(v, (*v.shape[:2], *(1,) * len(kernel), *v.shape[2:]))


# ---- the largest -----------------------------------------------------------------------------
@primitive
def max_pool(x, *, kernel, stride, padding):
    """Shapes: x (m, c, *size) -> (m, c, *places); padding never wins."""
    return reduce(np.maximum, _seen(x, kernel, stride, padding, fill=-np.inf))


def _shares(out, x, how):
    """How the entries of each window divide a derivative: equally among those that tie."""
    kernel = how["kernel"]
    hit = (_windows(x, how, fill=-np.inf) == _per_window(out, kernel)) * x.dtype.type(1)
    return hit / np.sum(hit, axis=tuple(range(2, 2 + len(kernel))), keepdims=True)


def _max_pool_vjp(g, out, x, **how):
    return _added_up(_per_window(g, how["kernel"]) * _shares(out, x, how), x, **how)


def _max_pool_jvp(t, out, x, **how):
    moved = _windows(t, how) * _shares(out, x, how)
    return np.sum(moved, axis=tuple(range(2, 2 + len(how["kernel"]))))


rule(max_pool, vjps=(_max_pool_vjp,), jvps=(_max_pool_jvp,))


# ---- the mean --------------------------------------------------------------------------------
@primitive
def avg_pool(x, *, kernel, stride, padding):
    """Shapes: x (m, c, *size) -> (m, c, *places); padding counts as zeros."""
    return reduce(np.add, _seen(x, kernel, stride, padding, fill=0)) / prod(kernel)


def _avg_pool_vjp(g, out, x, **how):
    kernel, places = how["kernel"], g.shape[2:]
    share = _per_window(g / prod(kernel), kernel)
    return _added_up(np.broadcast_to(share, (*g.shape[:2], *kernel, *places)), x, **how)


multilinear(avg_pool, _avg_pool_vjp)
