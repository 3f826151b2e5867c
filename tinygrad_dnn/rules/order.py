"""Sorting, and what is read off a sorted array: derivatives follow the entries to their places.

Where entries tie, the one that stands first in the array is the smaller.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import Function, composite, multilinear, primitive, rule


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


# ---- quantiles -------------------------------------------------------------------------------
def _sorted_last(a, axis):
    """Return ``a`` sorted, the reduced axes as its last one, and where these were."""
    axes = range(a.ndim) if axis is None else normalize_axis_tuple(axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    moved = np.transpose(a, [*kept, *axes])
    count = int(np.prod(moved.shape[len(kept) :], dtype=int))
    flat = np.reshape(moved, (*moved.shape[: len(kept)], count))
    return np.sort(flat, -1), tuple(axes)


@composite(np.quantile)
def _quantile(
    a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *,
    weights=None, interpolation=None,
):  # fmt: skip
    if method not in _BETWEEN or weights is not None:
        raise MissingRuleError(
            f"np.quantile on Tensors takes no weights=, and method= one of {', '.join(_BETWEEN)}"
        )
    q = np.asarray(q)
    if not np.all((q >= 0) & (q <= 1)):
        raise ValueError(f"np.quantile got q={q}; quantiles lie between 0 and 1")
    s, axes = _sorted_last(a, axis)
    place = q * (s.shape[-1] - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, s.shape[-1] - 1)
    share = _BETWEEN[method](place - below).astype(a.dtype)
    found = s[..., below] * (1 - share) + s[..., above] * share
    last = np.reshape(s[..., -1], s.shape[:-1] + (1,) * q.ndim)
    found = np.where(np.isnan(last), np.nan, found)
    found = np.transpose(found, [*range(s.ndim - 1, found.ndim), *range(s.ndim - 1)])
    return np.expand_dims(found, tuple(q.ndim + i for i in sorted(axes))) if keepdims else found


_BETWEEN: dict[str, Function] = {  # how far from the entry below to the entry above
    "linear": lambda share: share,
    "lower": np.zeros_like,
    "higher": np.ceil,
    "midpoint": lambda share: np.where(share > 0, 0.5, 0.0),
    "nearest": lambda share: np.where(share > 0.5, 1.0, 0.0),
}


@composite(np.percentile)
def _percentile(a, q, axis=None, out=None, *args, **kwargs):
    return _quantile(a, np.true_divide(q, 100), axis, None, *args, **kwargs)


@composite(np.median)
def _median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    if not a.size:
        return np.mean(a, axis, keepdims=keepdims)  # nan, with NumPy's warning
    return _quantile(a, 0.5, axis, keepdims=keepdims)
