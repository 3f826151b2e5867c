"""Products of many numbers, right where some of them are zero: nothing is divided by an entry."""

import numpy as np

from tinygrad_dnn.primitives import rule
from tinygrad_dnn.rules.reduction import expand


def _cut(x, axis, part):
    return x[(slice(None),) * (axis % x.ndim) + (part,)]


def _shifted(x, axis, step, fill):
    """Move the entries of ``x`` by ``step`` places, and ``fill`` what becomes free."""
    free = fill(_cut(x, axis, slice(step)))
    return np.concatenate([free, _cut(x, axis, slice(0, x.shape[axis] - step))], axis)


def backwards(x, axis):
    """Return ``x`` in the opposite order along one axis."""
    return _cut(x, axis, slice(None, None, -1))


# ---- one product -----------------------------------------------------------------------------
def _in_one_axis(x, axis):
    """Return ``x`` with the axes to be multiplied as the last one, and the way back."""
    n = x.ndim
    axes = range(n) if axis is None or not n else [i % n for i in np.atleast_1d(axis)]
    order = [i for i in range(x.ndim) if i not in axes] + list(axes)
    moved = np.transpose(x, order)
    kept = moved.shape[: x.ndim - len(axes)]
    flat = np.reshape(moved, (*kept, int(np.prod(moved.shape[len(kept) :], dtype=int))))
    back = [order.index(i) for i in range(x.ndim)]
    return flat, lambda v: np.transpose(np.reshape(v, moved.shape), back)


def _of_the_others(x, axis, initial, where):
    """Return for each entry the product of all others."""
    flat, back = _in_one_axis(x if where is True else np.where(where, x, 1), axis)
    if not flat.size:
        return x
    before = np.cumprod(_shifted(flat, -1, 1, np.ones_like), -1)
    after = backwards(np.cumprod(_shifted(backwards(flat, -1), -1, 1, np.ones_like), -1), -1)
    return back(before * after) * (where * initial)


def _prod_vjp(g, out, x, axis=None, dtype=None, _out=None, keepdims=False, initial=1, where=True):
    others = _of_the_others(x, axis, initial, where)
    return expand(g, x, axis, keepdims) * np.conjugate(others)


def _prod_jvp(t, out, x, axis=None, dtype=None, _out=None, keepdims=False, initial=1, where=True):
    return np.sum(t * _of_the_others(x, axis, initial, where), axis=axis, keepdims=keepdims)


rule(np.prod, vjps=(_prod_vjp,), jvps=(_prod_jvp,))


# ---- running products ------------------------------------------------------------------------
def _recurrence(a, b, axis):
    """Return the h with h[i] = a[i] h[i - 1] + b[i] along one axis, in log(n) steps."""
    step = 1
    while step < a.shape[axis]:
        b = b + a * _shifted(b, axis, step, np.zeros_like)
        a = a * _shifted(a, axis, step, np.ones_like)
        step *= 2
    return b


def _cumprod_vjp(g, out, x, axis=None, dtype=None, _out=None):
    if axis is None or not x.ndim:
        return np.reshape(_cumprod_vjp(g, out, np.ravel(x), 0), x.shape)
    if not x.size:
        return x
    before = np.conjugate(_shifted(out, axis, 1, np.ones_like))
    factors = _shifted(backwards(np.conjugate(x), axis), axis, 1, np.zeros_like)
    return before * backwards(_recurrence(factors, backwards(g, axis), axis), axis)


def _cumprod_jvp(t, out, x, axis=None, dtype=None, _out=None):
    if axis is None or not x.ndim:
        return _cumprod_jvp(np.ravel(t), out, np.ravel(x), 0)
    return _recurrence(x, t * _shifted(out, axis, 1, np.ones_like), axis) if x.size else x


rule(np.cumprod, vjps=(_cumprod_vjp,), jvps=(_cumprod_jvp,))
