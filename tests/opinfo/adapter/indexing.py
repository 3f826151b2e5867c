"""Entries by their places."""

import numpy as np

import tinygrad_dnn as tg
from tests.opinfo.adapter.arguments import axes
from tests.opinfo.compare import Unsupported


def getitem(x, index):
    return x[index]


def select(x, dim, index):
    return np.take(x, index, axis=dim)


def window(x, dim, start, length):
    """``length`` entries along an axis from ``start`` on."""
    axes(x, dim)
    start = int(start) % max(x.shape[dim], 1)
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, start + length),)]


def sliced(x, dim=0, start=None, end=None, step=1):
    axes(x, dim)
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)]


def index_select(x, dim, index):
    axes(x, dim)
    return np.take(x, np.atleast_1d(index), axis=dim)


def gather(x, dim, index, sparse_grad=False):
    """``x[index]`` along one axis; the others may be cut to the index's lengths."""
    axes(x, dim)
    if index.ndim != x.ndim:
        raise Unsupported("an index of another rank")
    places = list(np.indices(index.shape, sparse=True))
    places[dim] = index
    return x[tuple(places)]


def take_along_dim(x, index, dim=None):
    return np.take_along_axis(x, index, axis=dim) if dim is not None else np.ravel(x)[index.ravel()]


def masked_select(x, mask):
    x, mask = np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape)), np.asarray(mask)
    return np.atleast_1d(x[np.broadcast_to(mask, x.shape)])


def unfold(x, dim, size, step):
    """Windows along an axis; they become the last axis."""
    axes(x, dim)
    starts = np.arange(0, x.shape[dim] - size + 1, step)
    picked = np.take(x, starts[:, None] + np.arange(size), axis=dim)
    return np.moveaxis(picked, dim % x.ndim + 1, -1)


# ---- other entries at some places --------------------------------------------------------------
def along(x, dim, places):
    """``places``, one-dimensional, on the axis ``dim``."""
    axes(x, dim)
    return (*(slice(None),) * (dim % x.ndim), np.atleast_1d(places))


def at_each(x, dim, index):
    """Every entry of ``index`` as a place on the axis ``dim`` of ``x``."""
    axes(x, dim)
    if index.ndim != x.ndim:
        raise Unsupported("an index of another rank")
    places = list(np.indices(index.shape, sparse=True))
    places[dim] = index
    return tuple(places)


def cut(source, index):
    return source[tuple(slice(n) for n in index.shape)]


def index_add(x, dim, index, source, *, alpha=1):
    return tg.at(x)[along(x, dim, index)].add(alpha * source)


def index_copy(x, dim, index, source):
    return tg.at(x)[along(x, dim, index)].set(source)


def index_fill(x, dim, index, value):
    return tg.at(x)[along(x, dim, index)].set(value)


def index_put(x, indices, values, accumulate=False):
    at = tg.at(x)[tuple(indices)]
    return at.add(values) if accumulate else at.set(values)


def put(x, index, source, accumulate=False):
    at = tg.at(np.ravel(x))[np.ravel(index)]
    new = (at.add if accumulate else at.set)(np.ravel(source))
    return np.reshape(new, x.shape)


def scatter_add(x, dim, index, source):
    return tg.at(x)[at_each(x, dim, index)].add(cut(source, index))


def scatter(x, dim, index, source, *, reduce=None):
    if reduce == "multiply":
        raise Unsupported("products of what meets at one place")
    source = cut(source, index) if hasattr(source, "shape") else source
    at = tg.at(x)[at_each(x, dim, index)]
    return at.add(source) if reduce else at.set(source)


def select_scatter(x, source, dim, index):
    return tg.at(x)[(slice(None),) * (dim % x.ndim) + (index,)].set(source)


def slice_scatter(x, source, dim=0, start=None, end=None, step=1):
    return tg.at(x)[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)].set(source)


def diagonal_scatter(x, source, offset=0, dim1=0, dim2=1):
    places = np.diagonal(np.arange(x.size).reshape(x.shape), offset, dim1, dim2)
    return np.reshape(tg.at(np.ravel(x))[places].set(source), x.shape)


def as_strided(x, size, stride, storage_offset=0):
    steps = np.zeros(size, int) + storage_offset
    for axis, n in enumerate(stride):
        steps += n * np.indices(size)[axis]
    return np.ravel(x)[steps]


OPERATIONS = {
    "index_add": index_add,
    "index_copy": index_copy,
    "index_fill": index_fill,
    "index_put": index_put,
    "put": put,
    "scatter_add": scatter_add,
    "scatter": scatter,
    "select_scatter": select_scatter,
    "slice_scatter": slice_scatter,
    "diagonal_scatter": diagonal_scatter,
    **dict.fromkeys(("as_strided", "as_strided_copy", "as_strided.partial_views"), as_strided),
    "__getitem__": getitem,
    "select": select,
    "narrow": window,
    "narrow_copy": window,
    "slice": sliced,
    "index_select": index_select,
    "gather": gather,
    "take": lambda x, index: np.ravel(x)[index],
    "take_along_dim": take_along_dim,
    "masked_select": masked_select,
    "unfold": unfold,
    "unfold_copy": unfold,
}
