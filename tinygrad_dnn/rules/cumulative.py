"""Running sums, and differences and slopes between neighbours."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinygrad_dnn.primitives import as_array, composite, multilinear
from tinygrad_dnn.rules.products import backwards


def cut(x, axis, start, stop):
    """Return the entries of ``x`` from ``start`` to ``stop`` along one axis."""
    return x[(slice(None),) * (axis % x.ndim) + (slice(start, stop),)]


# ---- running ---------------------------------------------------------------------------------
def _cumsum_vjp(g, out, x, axis=None, dtype=None, _out=None):
    along = 0 if axis is None else axis
    return np.reshape(backwards(np.cumsum(backwards(g, along), along), along), x.shape)


multilinear(np.cumsum, _cumsum_vjp)


def _cumulative(running, start):
    def cumulative(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
        if axis is None and x.ndim > 1:
            raise ValueError(
                f"np.cumulative_{running.__name__[3:]} of an array of shape {x.shape} needs axis="
            )
        axis = 0 if axis is None else axis
        out = running(x, axis, dtype=dtype)
        if not include_initial:
            return out
        return np.concatenate([start(np.sum(out, axis, keepdims=True)), out], axis)

    return cumulative


composite(np.cumulative_sum)(_cumulative(np.cumsum, np.zeros_like))
composite(np.cumulative_prod)(_cumulative(np.cumprod, np.ones_like))


# ---- differences -----------------------------------------------------------------------------
@composite(np.diff)
def _diff(a, n=1, axis=-1, prepend=None, append=None):
    if n < 0:
        raise ValueError(f"np.diff got n={n}; it takes a number of times, 0 or more")
    a = as_array(a)
    if n == 0:
        return a  # without what is to go before and after it
    axis = normalize_axis_index(axis, a.ndim)
    ends = [
        end if end is None or np.ndim(end) else np.broadcast_to(end, _one_at(a.shape, axis))
        for end in (prepend, append)
    ]
    pieces = [piece for piece in (ends[0], a, ends[1]) if piece is not None]
    a = np.concatenate(pieces, axis) if len(pieces) > 1 else a
    for _ in range(n):
        a = cut(a, axis, 1, None) - cut(a, axis, None, -1)
    return a


def _one_at(shape, axis):
    return (*shape[:axis], 1, *shape[axis + 1 :])


@composite(np.ediff1d)
def _ediff1d(ary, to_end=None, to_begin=None):
    flat = np.ravel(ary)
    pieces = [to_begin, flat[1:] - flat[:-1], to_end]
    pieces = [np.ravel(p).astype(flat.dtype) for p in pieces if p is not None]
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]


@composite(np.trapezoid)
def _trapezoid(y, x=None, dx=1.0, axis=-1):
    y = as_array(y)
    axis = normalize_axis_index(axis, y.ndim)
    if x is None:
        width = dx
    elif np.ndim(x) == 1:
        width = np.reshape(np.diff(x), (-1,) + (1,) * (y.ndim - 1 - axis))
    else:
        width = np.diff(x, axis=axis)
    return np.sum(width * (cut(y, axis, 1, None) + cut(y, axis, None, -1)), axis=axis) / 2


# ---- slopes ----------------------------------------------------------------------------------
@composite(np.gradient)
def _gradient(f, *varargs, axis=None, edge_order=1):
    f = as_array(f)
    axes = tuple(range(f.ndim)) if axis is None else normalize_axis_tuple(axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(
            f"np.gradient got {len(varargs)} spacings for {len(axes)} axes; give one, or one per "
            f"axis"
        )
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient got edge_order={edge_order}; it takes 1 or 2")
    spacings = varargs or (1.0,)
    spacings = spacings * len(axes) if len(spacings) == 1 else spacings
    found = [_slope(f, h, k, edge_order) for h, k in zip(spacings, axes, strict=True)]
    return found[0] if (axis is not None and np.ndim(axis) == 0) or len(axes) == 1 else tuple(found)


def _slope(f, spacing, axis, edge_order):
    """Return df by one axis, second order inside: the parabola through three neighbours."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(
            f"np.gradient of an axis of length {n}: edge_order={edge_order} needs at least "
            f"{edge_order + 1} entries"
        )
    steps = np.diff(spacing) if np.ndim(spacing) else np.broadcast_to(spacing, (n - 1,))
    steps = np.reshape(
        steps.astype(f.dtype, copy=False), (n - 1,) + (1,) * (f.ndim - 1 - axis % f.ndim)
    )
    chords = np.diff(f, axis=axis) / steps

    def of(v, start, stop):  # along the axis of the steps, which is their first
        return v[start:stop]

    h, hn = of(steps, None, -1), of(steps, 1, None)
    left, right = cut(chords, axis, None, -1), cut(chords, axis, 1, None)
    inside = (hn * left + h * right) / (h + hn)
    first, last = cut(chords, axis, None, 1), cut(chords, axis, -1, None)
    if edge_order == 2:
        bend = (right - left) / (h + hn)
        first = first - of(steps, None, 1) * cut(bend, axis, None, 1)
        last = last + of(steps, -1, None) * cut(bend, axis, -1, None)
    return np.concatenate([first, inside, last], axis)
