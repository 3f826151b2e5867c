"""Reductions: a cotangent gets back the axes that were removed, then spreads over them."""

import numpy as np

from tinygrad_dnn.primitives import multilinear, rule

# NumPy's positional order after the array: (axis, dtype, out, keepdims) or (axis, out, keepdims).


def expand(v, x, axis, keepdims):
    """Give a reduced ``v`` back the axes of ``x`` it lost, each with length one."""
    if keepdims or not v.ndim < x.ndim:
        return v
    axes = range(x.ndim) if axis is None else [i % x.ndim for i in np.atleast_1d(axis)]
    return np.reshape(v, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def _sum_vjp(g, out, x, axis=None, dtype=None, _out=None, keepdims=False, initial=0, where=True):
    g = np.broadcast_to(expand(g, x, axis, keepdims), x.shape)
    return g if where is True else g * where


def _sum_jvp(t, out, x, axis=None, dtype=None, _out=None, keepdims=False, initial=0, where=True):
    return np.sum(t, axis=axis, keepdims=keepdims, where=where)


def _mean_vjp(g, out, x, axis=None, dtype=None, _out=None, keepdims=False, where=True):
    if where is True:
        count = max(x.size, 1) / max(out.size, 1)
    else:
        count = np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=True)
    return np.broadcast_to(expand(g, x, axis, keepdims) / count, x.shape) * where


rule(np.sum, vjps=(_sum_vjp,), jvps=(_sum_jvp,))
multilinear(np.mean, _mean_vjp)


def _shares(out, x, axis, keepdims):
    """How the extreme entries divide a derivative: equally among those that tie."""
    hit = (x == expand(out, x, axis, keepdims)) * x.dtype.type(1)
    return hit / np.sum(hit, axis=axis, keepdims=True)


def _extreme_vjp(g, out, x, axis=None, _out=None, keepdims=False):
    return expand(g, x, axis, keepdims) * _shares(out, x, axis, keepdims)


def _extreme_jvp(t, out, x, axis=None, _out=None, keepdims=False):
    return np.sum(t * _shares(out, x, axis, keepdims), axis=axis, keepdims=keepdims)


rule(np.max, vjps=(_extreme_vjp,), jvps=(_extreme_jvp,))
rule(np.min, vjps=(_extreme_vjp,), jvps=(_extreme_jvp,))
