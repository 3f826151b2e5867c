"""Reductions: a cotangent gets back the axes that were removed, then spreads over them."""

import numpy as np

from tinygrad_dnn.primitives import as_array, composite, multilinear, rule

# NumPy's positional order after the array: (axis, dtype, out, keepdims) or (axis, out, keepdims).


def expand(v, x, axis, keepdims):
    """Give a reduced ``v`` back the axes of ``x`` it lost, each with length one."""
    if keepdims or not v.ndim < x.ndim:
        return v
    axes = range(x.ndim) if axis is None else [i % x.ndim for i in np.atleast_1d(axis)]
    return np.reshape(v, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


# ---- sum and mean ----------------------------------------------------------------------------
def _sum_vjp(g, out, x, axis=None, dtype=None, _out=None, keepdims=False, initial=0, where=True):
    g = np.broadcast_to(expand(g, x, axis, keepdims), x.shape)
    return g if where is True else g * where


def _sum_jvp(t, out, x, axis=None, dtype=None, _out=None, keepdims=False, initial=0, where=True):
    return np.sum(t, axis=axis, keepdims=keepdims, **_chosen(where))


def _chosen(where):  # as an option, which not every array library knows
    return {} if where is True else {"where": where}


def _count(x, axis, where):  # of the entries that go into each entry of the result
    if where is True:
        axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
        return int(np.prod([x.shape[i] for i in axes], dtype=int))
    return np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=True)


def _mean_vjp(g, out, x, axis=None, dtype=None, _out=None, keepdims=False, where=True):
    if where is True:
        count = max(x.size, 1) / max(out.size, 1)
    else:
        count = _count(x, axis, where)
    return np.broadcast_to(expand(g, x, axis, keepdims) / count, x.shape) * where


rule(np.sum, vjps=(_sum_vjp,), jvps=(_sum_jvp,))
multilinear(np.mean, _mean_vjp)


# ---- variance --------------------------------------------------------------------------------
def _slope_of_var(x, axis, ddof, where, mean, correction):
    mean = np.mean(x, axis=axis, keepdims=True, **_chosen(where)) if mean is None else mean
    ddof = ddof if correction is None else correction
    return (x - mean) * (where * (2 / np.maximum(_count(x, axis, where) - ddof, 0)))


def _var_vjp(
    g, out, x, axis=None, dtype=None, _out=None, ddof=0, keepdims=False, *,
    where=True, mean=None, correction=None,
):  # fmt: skip
    slope = _slope_of_var(x, axis, ddof, where, mean, correction)
    return expand(g, x, axis, keepdims) * slope


def _var_jvp(
    t, out, x, axis=None, dtype=None, _out=None, ddof=0, keepdims=False, *,
    where=True, mean=None, correction=None,
):  # fmt: skip
    slope = _slope_of_var(x, axis, ddof, where, mean, correction)
    return np.sum(np.real(np.conjugate(slope) * t), axis=axis, keepdims=keepdims)


def _per_spread(v, out):  # flat where nothing is spread
    return v * ((out != 0) / np.where(out == 0, 1, 2 * out))


def _std_vjp(g, out, x, *args, **kwargs):
    return _var_vjp(_per_spread(g, out), out, x, *args, **kwargs)


def _std_jvp(t, out, x, *args, **kwargs):
    return _per_spread(_var_jvp(t, out, x, *args, **kwargs), out)


rule(np.var, vjps=(_var_vjp,), jvps=(_var_jvp,))
rule(np.std, vjps=(_std_vjp,), jvps=(_std_jvp,))


# ---- extremes --------------------------------------------------------------------------------
def _shares(out, x, axis, keepdims, where):
    """How the extreme entries divide a derivative: equally among those that tie."""
    hit = (x == expand(out, x, axis, keepdims)) * where * x.dtype.type(1)
    return hit / np.maximum(np.sum(hit, axis=axis, keepdims=True), 1)


def _extreme_vjp(g, out, x, axis=None, _out=None, keepdims=False, initial=None, where=True):
    return expand(g, x, axis, keepdims) * _shares(out, x, axis, keepdims, where)


def _extreme_jvp(t, out, x, axis=None, _out=None, keepdims=False, initial=None, where=True):
    return np.sum(t * _shares(out, x, axis, keepdims, where), axis=axis, keepdims=keepdims)


for _extreme in (np.max, np.min, np.amax, np.amin):
    rule(_extreme, vjps=(_extreme_vjp,), jvps=(_extreme_jvp,))


@composite(np.ptp)
def _ptp(a, axis=None, out=None, keepdims=False):
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


# ---- weighted --------------------------------------------------------------------------------
@composite(np.average)
def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = as_array(a)
    if weights is None:
        weights = np.ones_like(a)
    elif np.shape(weights) != a.shape:
        places = (axis,) if isinstance(axis, int) else axis
        if places is None or np.shape(weights) != tuple(a.shape[i] for i in places):
            raise ValueError(
                f"np.average: weights have shape {np.shape(weights)}, but the array has {a.shape}; "
                f"give axis=, the axes that the weights run along"
            )
        where = sorted(range(len(places)), key=lambda i: places[i] % a.ndim)
        weights = np.transpose(weights, where)
        kept = {i % a.ndim for i in places}
        weights = np.reshape(weights, [n if i in kept else 1 for i, n in enumerate(a.shape)])
    total = np.sum(np.broadcast_to(weights, a.shape), axis=axis, keepdims=keepdims)
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean
