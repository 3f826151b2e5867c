"""Indexing, the scatter that is its transpose, and what NumPy builds on an index."""

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import composite, multilinear, primitive, rule

_BASIC = (slice, int, np.integer)


def _once(index):
    """Whether no place can be named twice."""
    return all(
        part is None
        or part is ...
        or isinstance(part, _BASIC)
        or (hasattr(part, "dtype") and part.dtype.kind == "b")
        for part in index
    )


@primitive
def getitem(x, *index):
    """``x[index]``, with the parts of the index as arguments."""
    return x[index]


@primitive
def scatter(g, shape, *index):
    """Zeros of ``shape`` with ``g`` added at ``index``; places named twice receive both."""
    whole = np.zeros_like(g, shape=shape)
    if _once(index):
        whole[index] = g
    else:
        np.add.at(whole, index, g)
    return whole


multilinear(getitem, lambda g, out, x, *index: scatter(g, x.shape, *index))
multilinear(scatter, lambda g, out, x, shape, *index: getitem(g, *index))


@primitive
def put(x, v, *index):
    """A copy of ``x`` with ``v`` at ``index``; of places named twice the last counts."""
    zero = np.zeros_like(v, np.result_type(x, v), shape=())
    whole = np.where(True, x, zero)  # of whichever kind of array x and v are
    whole[index] = v
    return whole


def _last(shape, index):
    """Where ``index`` names a place for the last time, which is the time that counts."""
    if _once(index):
        return True
    chosen = np.zeros(shape, np.intp)
    count = np.arange(chosen[index].size).reshape(chosen[index].shape)
    chosen[index] = count
    return chosen[index] == count


rule(
    put,
    vjps=(
        lambda g, out, x, v, *index: put(g, 0, *index),
        lambda g, out, x, v, *index: getitem(g, *index) * _last(out.shape, index),
    ),
    jvps=(
        lambda t, out, x, v, *index: put(t, 0, *index),
        lambda t, out, x, v, *index: put(np.zeros_like(out), t, *index),
    ),
    broadcasts=True,
)


# ---- along an axis ---------------------------------------------------------------------------
@composite(np.take)
def _take(a, indices, axis=None, out=None, mode="raise"):
    if axis is None or not np.ndim(a):
        a, axis = np.ravel(a), 0
    n, axis = np.shape(a)[axis], axis % np.ndim(a)
    return getitem(a, *(slice(None),) * axis, _places(indices, n, mode))


def _places(indices, n, mode):
    """Return where ``indices`` are among n places, those outside by ``mode``."""
    if not hasattr(indices, "dtype"):
        indices = np.array(indices, dtype=np.intp)
    if mode == "wrap":
        return np.mod(indices, n)
    if mode == "clip":
        return np.clip(indices, 0, n - 1)
    return indices


@composite(np.take_along_axis)
def _take_along_axis(arr, indices, axis=-1):
    if axis is None:
        return getitem(np.ravel(arr), indices)
    ndim = arr.ndim
    if indices.ndim != ndim:
        raise DimensionError(
            f"np.take_along_axis: the indices have shape {indices.shape}, but the array has "
            f"{arr.shape}; both need the same number of axes"
        )
    grid = [
        np.reshape(np.arange(n), [-1 if k == i else 1 for k in range(ndim)])
        for i, n in enumerate(arr.shape)
    ]
    grid[axis] = indices
    return getitem(arr, *grid)


@composite(np.compress)
def _compress(condition, a, axis=None, out=None):
    return _take(a, np.flatnonzero(condition), axis)


@composite(np.extract)
def _extract(condition, arr):
    return _take(np.ravel(arr), np.flatnonzero(condition))


@composite(np.choose)
def _choose(a, choices, out=None, mode="raise"):
    n = len(choices)
    a = _places(a, n, mode)
    if mode == "raise":
        a = np.where(a < 0, n, a)  # outside: choices are not counted from the end
    a, *choices = np.broadcast_arrays(a, *choices)
    grid = np.indices(np.shape(a), sparse=True)
    return getitem(np.stack(choices), a, *grid)


# ---- places and counts -----------------------------------------------------------------------
@composite(np.nonzero)
def _nonzero(a):
    if not np.ndim(a):
        raise DimensionError("np.nonzero got a number; np.atleast_1d makes an array of it")
    return tuple(np.moveaxis(np.argwhere(a), -1, 0))


rule(
    np.bincount,
    vjps=(None, lambda g, out, x, weights=None, minlength=0: getitem(g, x)),
    jvps=(None, lambda t, out, x, weights=None, minlength=0: np.bincount(x, t, len(out))),
)
