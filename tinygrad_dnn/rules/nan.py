"""Reductions that pass over NaN: the plain ones, of the entries that are numbers."""

import numpy as np

from tinygrad_dnn.primitives import composite


def _without(instead, reduce):
    """Return ``reduce`` of the array with ``instead`` where it is NaN."""

    def skipping(a, *args, **kwargs):
        return reduce(np.where(np.isnan(a), instead, a), *args, **kwargs)

    return skipping


composite(np.nansum)(_without(0, np.sum))
composite(np.nanprod)(_without(1, np.prod))
composite(np.nancumsum)(_without(0, np.cumsum))
composite(np.nancumprod)(_without(1, np.cumprod))


def _extreme(instead, reduce):
    def skipping(a, axis=None, out=None, keepdims=False, initial=None, where=True):
        options = {} if initial is None else {"initial": initial}
        if where is not True:
            options["where"] = where
        gone = np.isnan(a)
        found = reduce(np.where(gone, instead, a), axis=axis, keepdims=keepdims, **options)
        return np.where(np.all(gone, axis=axis, keepdims=keepdims), np.nan, found)

    return skipping


composite(np.nanmax)(_extreme(-np.inf, np.max))
composite(np.nanmin)(_extreme(np.inf, np.min))


def _numbers(a, where):
    return ~np.isnan(a) if where is True else ~np.isnan(a) & where


@composite(np.nanmean)
def _nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    there = _numbers(a, where)
    total = np.sum(np.where(there, a, 0), axis=axis, dtype=dtype, keepdims=keepdims)
    return total / np.sum(there, axis=axis, keepdims=keepdims).astype(total.dtype)


@composite(np.nanvar)
def _nanvar(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=None,
    correction=None,
):  # fmt: skip
    there = _numbers(a, where)
    if mean is None:
        mean = _nanmean(a, axis, dtype, keepdims=True, where=where)
    off = np.where(there, a - mean, 0)
    ddof = ddof if correction is None else correction
    count = np.sum(there, axis=axis, keepdims=keepdims) - ddof
    total = np.sum(np.real(np.conjugate(off) * off), axis=axis, dtype=dtype, keepdims=keepdims)
    return total / np.where(count > 0, count, np.nan).astype(total.dtype)


@composite(np.nanstd)
def _nanstd(a, *args, **kwargs):
    return np.sqrt(_nanvar(a, *args, **kwargs))
