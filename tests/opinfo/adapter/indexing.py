"""Entries by their places."""

import numpy as np

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


OPERATIONS = {
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
