"""Quantiles: read off sorted entries, at a place that lies between two of them.

Entries that are NaN are sorted last.  With one of them a quantile is NaN; ``np.nanquantile`` and
its like count the others only.

Source of the methods: Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996).
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import Function, as_array, composite

METHODS: dict[str, Function] = {  # of the q-quantile among n sorted entries, counted from 0
    "linear": lambda n, q: (n - 1) * q,
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "midpoint": lambda n, q: (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2,
    "nearest": lambda n, q: np.round((n - 1) * q),
    "inverted_cdf": lambda n, q: np.ceil(n * q - 1),
    "averaged_inverted_cdf": lambda n, q: (np.floor(n * q) + np.ceil(n * q - 1)) / 2,
    "closest_observation": lambda n, q: np.round(n * q - 2) + 1,
    "interpolated_inverted_cdf": lambda n, q: n * q - 1,
    "hazen": lambda n, q: n * q - 1 / 2,
    "weibull": lambda n, q: n * q + q - 1,
    "median_unbiased": lambda n, q: n * q + (1 / 3 + q / 3) - 1,
    "normal_unbiased": lambda n, q: n * q + (3 / 8 + q / 4) - 1,
}


def _sorted_last(a, axis):
    """Return ``a`` sorted, the reduced axes as its last one, and where these were."""
    axes = range(a.ndim) if axis is None else normalize_axis_tuple(axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    moved = np.transpose(a, [*kept, *axes])
    count = int(np.prod(moved.shape[len(kept) :], dtype=int))
    flat = np.reshape(moved, (*moved.shape[: len(kept)], count))
    return np.sort(flat, -1), tuple(axes)


def _read(s, place):
    """Return the entries of ``s``, along its last axis, at ``place``, or between two of them."""
    place = np.broadcast_to(place, (*s.shape[:-1], place.shape[-1]))
    below, above = np.floor(place), np.ceil(place)
    share = (place - below).astype(np.result_type(s.dtype, np.float16))
    low, high = (np.take_along_axis(s, np.astype(i, int), -1) for i in (below, above))
    between = low * (1 - share) + np.where(share == 0, 0, high) * share  # infinities may be far off
    return np.where(share == 0, low, between)


def _define(of_numbers, quantiles, percentiles, medians):
    """Define three of NumPy's functions: of all entries, or only ``of_numbers``."""
    who = f"np.{quantiles.__name__}"

    @composite(quantiles)
    def quantile(
        a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *,
        weights=None, interpolation=None,
    ):  # fmt: skip
        if method not in METHODS or weights is not None:
            raise MissingRuleError(
                f"{who} on Tensors takes no weights=, and method= one of {', '.join(METHODS)}"
            )
        a, q = as_array(a), as_array(q)
        if not np.all((q >= 0) & (q <= 1)):
            raise ValueError(f"{who} got q={q}; quantiles lie between 0 and 1")
        s, axes = _sorted_last(a, axis)
        absent = np.isnan(s)
        n = np.sum(~absent, axis=-1, keepdims=True) if of_numbers else s.shape[-1]
        found = _read(s, np.clip(METHODS[method](n, np.ravel(q)), 0, np.maximum(n - 1, 0)))
        if not of_numbers:
            found = np.where(absent[..., -1:], np.nan, found)
        found = np.reshape(np.moveaxis(found, -1, 0), (*q.shape, *s.shape[:-1]))
        return np.expand_dims(found, tuple(q.ndim + i for i in sorted(axes))) if keepdims else found

    @composite(percentiles)
    def percentile(a, q, *args, **kwargs):
        return quantile(a, np.true_divide(as_array(q), 100), *args, **kwargs)

    @composite(medians)
    def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
        if not a.size:
            return np.mean(a, axis, keepdims=keepdims)  # nan, with NumPy's warning
        return quantile(a, 0.5, axis, keepdims=keepdims)


_define(False, np.quantile, np.percentile, np.median)
_define(True, np.nanquantile, np.nanpercentile, np.nanmedian)
