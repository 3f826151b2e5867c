"""Indexing, and the scatter that is its transpose."""

import numpy as np

from tinygrad_dnn.primitives import multilinear, primitive

_BASIC = (slice, int, np.integer)


@primitive
def getitem(x, *index):
    """``x[index]``, with the parts of the index as arguments."""
    return x[index]


@primitive
def scatter(g, shape, *index):
    """Zeros of ``shape`` with ``g`` added at ``index``; places named twice receive both."""
    whole = np.zeros_like(g, shape=shape)
    if all(part is None or part is ... or isinstance(part, _BASIC) for part in index):
        whole[index] = g  # names no place twice
    else:
        np.add.at(whole, index, g)
    return whole


multilinear(getitem, lambda g, out, x, *index: scatter(g, x.shape, *index))
multilinear(scatter, lambda g, out, x, shape, *index: getitem(g, *index))
