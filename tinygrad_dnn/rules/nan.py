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


def _of_numbers(reduce):
    """Return ``reduce`` with ``where=`` the entries that are numbers."""

    def skipping(a, axis=None, dtype=None, out=None, *args, where=True, **options):
        there = ~np.isnan(a) & where
        clean = np.where(there, a, 0)
        return reduce(clean, axis, dtype, None, *args, where=there, **options)

    return skipping


def _spread_of_numbers(reduce):
    """Return ``reduce`` of the entries that are numbers, NaN where they are too few for ddof."""
    spread = _of_numbers(reduce)

    def skipping(
        a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *,
        where=True, correction=None, **options,
    ):  # fmt: skip
        ddof = ddof if correction is None else correction
        found = spread(a, axis, dtype, None, ddof, keepdims, where=where, **options)
        count = np.sum(~np.isnan(a) & where, axis=axis, keepdims=keepdims)
        return np.where(count > ddof, found, np.nan)

    return skipping


composite(np.nanmean)(_of_numbers(np.mean))
composite(np.nanvar)(_spread_of_numbers(np.var))
composite(np.nanstd)(_spread_of_numbers(np.std))
