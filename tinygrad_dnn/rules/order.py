"""Sorting: derivatives follow the entries to their places.

Where entries tie, the one that stands first in the array is the smaller.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.primitives import multilinear, primitive, rule


@primitive
def permuted(x, order, axis):
    """Return the entries of ``x`` along ``axis`` as ``order``, a permutation there, names them."""
    return np.take_along_axis(x, order, axis)


multilinear(permuted, lambda g, out, x, order, axis: permuted(g, np.argsort(order, axis), axis))


# ---- sorting ---------------------------------------------------------------------------------
def _flat(x, axis):
    return (np.ravel(x), 0) if axis is None else (x, axis)


def _order(x, along, descending):
    options: Any = {"descending": True} if descending else {}  # NumPy 2.5
    return np.argsort(x, along, stable=True, **options)


def _sort_vjp(g, out, x, axis=-1, kind=None, order=None, *, stable=None, descending=False):
    flat, along = _flat(x, axis)
    places = np.argsort(_order(flat, along, descending), along)
    return np.reshape(permuted(g, places, along), x.shape)


def _sort_jvp(t, out, x, axis=-1, kind=None, order=None, *, stable=None, descending=False):
    flat, along = _flat(x, axis)
    return permuted(_flat(t, axis)[0], _order(flat, along, descending), along)


def _partition_vjp(g, out, x, kth, axis=-1, kind="introselect", order=None):
    flat, along = _flat(x, axis)
    places = np.argsort(np.argpartition(flat, kth, along), along)
    return np.reshape(permuted(g, places, along), x.shape)


def _partition_jvp(t, out, x, kth, axis=-1, kind="introselect", order=None):
    flat, along = _flat(x, axis)
    return permuted(_flat(t, axis)[0], np.argpartition(flat, kth, along), along)


rule(np.sort, vjps=(_sort_vjp,), jvps=(_sort_jvp,))
rule(np.partition, vjps=(_partition_vjp,), jvps=(_partition_jvp,))
