"""Joining arrays, taking them apart again, and repeating them."""

from itertools import pairwise

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import Each, composite, constant, multilinear, primitive, rule
from tinygrad_dnn.rules.indexing import scatter


# ---- joining: the pieces are positional arguments --------------------------------------------
@primitive
def concatenate(*pieces, axis=0):
    """``np.concatenate``, the pieces as arguments: ``np.concatenate`` on Tensors records this."""
    return np.concatenate(pieces, axis=axis)


def _slot(i, pieces, axis):
    """Where piece ``i`` lies in the whole."""
    lengths = [np.shape(p)[axis] for p in pieces]
    start = sum(lengths[:i])
    before = (slice(None),) * (axis % np.ndim(pieces[0]))
    return (*before, slice(start, start + lengths[i]))


def _concatenate_vjp(i, g, out, *pieces, axis=0):
    if axis is None:
        start = sum(np.size(p) for p in pieces[:i])
        return np.reshape(g[start : start + pieces[i].size], pieces[i].shape)
    return g[_slot(i, pieces, axis)]


def _concatenate_jvp(i, t, out, *pieces, axis=0):
    return np.concatenate([t if k == i else np.zeros_like(p) for k, p in enumerate(pieces)], axis)


rule(concatenate, vjps=Each(_concatenate_vjp), jvps=Each(_concatenate_jvp))


def _only(fn, options):
    if options:
        raise TypeError(f"np.{fn} on Tensors takes no {', '.join(options)}")


@composite(np.concatenate)
def _concatenate(arrays, /, axis=0, **options):
    _only("concatenate", options)
    return concatenate(*arrays, axis=axis)


@composite(np.stack)
def _stack(arrays, axis=0, **options):
    _only("stack", options)
    return concatenate(*(np.expand_dims(a, axis) for a in arrays), axis=axis)


@composite(np.vstack)
def _vstack(tup, **options):
    _only("vstack", options)
    return concatenate(*(np.atleast_2d(a) for a in tup))


@composite(np.hstack)
def _hstack(tup, **options):
    _only("hstack", options)
    pieces = [np.atleast_1d(a) for a in tup]
    return concatenate(*pieces, axis=0 if np.ndim(pieces[0]) == 1 else 1)


@composite(np.dstack)
def _dstack(tup):
    return concatenate(*(np.atleast_3d(a) for a in tup), axis=2)


@composite(np.column_stack)
def _column_stack(tup):
    columns = [a if np.ndim(a) >= 2 else np.reshape(a, (np.size(a), 1)) for a in tup]
    return concatenate(*columns, axis=1)


@composite(np.append)
def _append(arr, values, axis=None):
    return concatenate(arr, values, axis=axis)


@composite(np.block)
def _block(arrays):
    def depth(part):
        return 1 + max(map(depth, part)) if isinstance(part, list) else 0

    def leaves(part):
        return [a for p in part for a in leaves(p)] if isinstance(part, list) else [part]

    def joined(part, axis):
        if not isinstance(part, list):
            return np.reshape(part, (1,) * (ndim - np.ndim(part)) + np.shape(part))
        return np.concatenate([joined(p, axis + 1) for p in part], axis)

    ndim = max(depth(arrays), *map(np.ndim, leaves(arrays)))
    return joined(arrays, -depth(arrays))


# ---- taking apart ----------------------------------------------------------------------------
def _parts(x, edges, axis):
    before = (slice(None),) * (axis % x.ndim)
    return [x[(*before, slice(a, b))] for a, b in pairwise(edges)]


@composite(np.array_split)
def _array_split(ary, indices_or_sections, axis=0):
    if np.ndim(indices_or_sections):
        return _parts(ary, [0, *indices_or_sections, ary.shape[axis]], axis)
    n, many = divmod(ary.shape[axis], indices_or_sections)
    lengths = [n + 1] * many + [n] * (indices_or_sections - many)
    return _parts(ary, np.cumsum([0, *lengths]).tolist(), axis)


@composite(np.split)
def _split(ary, indices_or_sections, axis=0):
    if np.ndim(indices_or_sections) == 0 and ary.shape[axis] % indices_or_sections:
        raise DimensionError(
            f"np.split: axis {axis} of shape {ary.shape} does not divide into "
            f"{indices_or_sections} equal parts; np.array_split lets them differ"
        )
    return np.array_split(ary, indices_or_sections, axis)


composite(np.hsplit)(lambda ary, parts: np.split(ary, parts, 1 if ary.ndim > 1 else 0))
composite(np.vsplit)(lambda ary, parts: np.split(ary, parts, 0))
composite(np.dsplit)(lambda ary, parts: np.split(ary, parts, 2))


@composite(np.unstack)
def _unstack(x, /, *, axis=0):
    return tuple(np.moveaxis(x, axis, 0))


# ---- repeating -------------------------------------------------------------------------------
def _tile(g, out, x, reps):
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    shape = (1,) * (g.ndim - x.ndim) + x.shape
    reps = (1,) * (g.ndim - len(reps)) + reps
    apart = np.reshape(g, [n for pair in zip(reps, shape, strict=True) for n in pair])
    return np.reshape(np.sum(apart, axis=tuple(range(0, apart.ndim, 2))), x.shape)


def _repeat(g, out, x, repeats, axis=None):
    if axis is None or not x.ndim:
        return np.reshape(_repeat(g, out, np.ravel(x), repeats, 0), x.shape)
    axis %= x.ndim
    if np.ndim(repeats) == 0:
        apart = np.reshape(g, (*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :]))
        return np.sum(apart, axis=axis + 1)
    source = np.repeat(np.arange(x.shape[axis]), repeats)
    return scatter(g, x.shape, *(slice(None),) * axis, source)


multilinear(np.tile, _tile)
multilinear(np.repeat, _repeat)


# ---- putting in and leaving out --------------------------------------------------------------
@primitive
def remaining(obj, n):
    """Return the places among ``n`` that are left without those that ``obj`` names."""
    return np.delete(np.arange(n), obj)


constant(remaining)


@composite(np.delete)
def _delete(arr, obj, axis=None):
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return np.take(arr, remaining(obj, arr.shape[axis]), axis)


@composite(np.insert)
def _insert(arr, obj, values, axis=None):
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, np.ndim(arr))
    obj = obj if isinstance(obj, slice) else np.array(obj, None if np.size(obj) else int)
    n, shape = np.shape(arr)[axis], list(np.shape(arr))
    values = np.reshape(values, (1,) * (len(shape) - np.ndim(values)) + np.shape(values))
    if not isinstance(obj, slice) and obj.ndim == 0:
        values = np.moveaxis(values, 0, axis)  # as NumPy has it, for one place alone
    places = np.arange(n)[obj] if isinstance(obj, slice) else obj
    if places.dtype == bool:
        places = np.flatnonzero(places)
    shape[axis] = np.shape(values)[axis] if places.size == 1 else places.size
    values = np.astype(np.broadcast_to(values, shape), arr.dtype)
    order = np.insert(np.arange(n), obj, np.arange(n, n + shape[axis]))
    return np.take(np.concatenate([arr, values], axis), order, axis)
