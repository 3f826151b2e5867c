"""Cases of the reductions."""

from inspect import signature

import numpy as np

from tests.case import case, normal, positive, spread
from tinygrad_dnn.rules.order import permuted
from tinygrad_dnn.rules.quantiles import METHODS

# ---- reductions ------------------------------------------------------------------------------
for fn in (np.sum, np.mean):
    case(fn, normal(2, 3))
    case(fn, normal())
    case(fn, normal(2, 3), axis=0)
    case(fn, normal(2, 3), -1)
    case(fn, normal(2, 3, 4), axis=(0, -1))
    case(fn, normal(2, 3, 4), axis=(2, 0), keepdims=True)
    case(fn, normal(2, 3), keepdims=True)
    case(fn, normal(2, 3), axis=())
    case(fn, normal(0, 3), axis=1)
    case(fn, normal(2, 3), where=np.array([[True], [False]]))
    case(fn, normal(2, 3), axis=1, where=np.array([True, False, True]))
case(np.sum, normal(0, 3))
case(np.sum, normal(2, 3), 1, None, None, True)
case(np.sum, normal(2, 3), axis=1, initial=2.0)
case(np.mean, normal(2, 3), 1, None, None, True)
for fn in (np.var, np.std):
    case(fn, normal(2, 3), smooth=False)
    case(fn, normal(2, 3), axis=0, smooth=False)
    case(fn, normal(2, 3), -1, None, None, 1, True, smooth=False)
    case(fn, normal(2, 3, 4), axis=(0, -1), ddof=1, smooth=False)
    case(fn, normal(2, 3, 4), axis=(2, 0), keepdims=True, smooth=False)
    case(fn, normal(2, 3), axis=1, correction=1, smooth=False)
    case(fn, normal(2, 3), axis=1, where=np.array([True, False, True]), smooth=False)
    case(fn, normal(3, 3), where=np.array([[True], [False], [True]]), ddof=1, smooth=False)
    case(fn, normal(2, 3), axis=0, mean=np.zeros((1, 3)).astype(np.float32), smooth=False)
case(np.var, normal(0, 3), axis=1, smooth=False)
for fn in (np.max, np.min, np.amax, np.amin):
    case(fn, spread(2, 3), smooth=False)
    case(fn, spread(), smooth=False)
    case(fn, spread(2, 3), 0, smooth=False)
    case(fn, spread(2, 3, 4), axis=(0, -1), keepdims=True, smooth=False)
    case(fn, spread(2, 3, 4), axis=(2, 0), smooth=False)
    case(fn, spread(0, 3), axis=1, smooth=False)
    case(fn, spread(2, 3), 1, None, True, smooth=False)
    case(fn, spread(2, 3), axis=1, initial=0.0, smooth=False)
    case(fn, spread(2, 3), axis=1, initial=0.0, where=np.array([True, False, True]), smooth=False)
case(np.ptp, spread(2, 3), smooth=False)
case(np.ptp, spread(2, 3), axis=1, keepdims=True, smooth=False)
case(np.average, normal(2, 3))
case(np.average, normal(2, 3), 1, positive(2, 3))
case(np.average, normal(2, 3), axis=-1, weights=[1, 2, 3], keepdims=True, keeps_float32=False)
case(np.average, normal(2, 3, 4), normal(4, 2), through=lambda x, w: np.average(x, (2, 0), w))

# ---- products --------------------------------------------------------------------------------
ZEROS = np.array([[0.0, 2.0, 3.0], [0.0, 0.5, 0.0], [1.5, -1.0, 2.0]])  # one, two, none in a row
for x in (normal(2, 3), ZEROS):
    case(np.prod, x)
    case(np.prod, x, axis=0)
    case(np.prod, x, 1, None, None, True)
    case(np.prod, x, axis=(1, 0))
    case(np.prod, x, axis=-1, initial=2.0, where=np.array([True, False, True]))
    for fn in (np.cumprod, np.cumulative_prod):
        case(fn, x, axis=0)
        case(fn, x, axis=-1)
    case(np.cumprod, x)
case(np.prod, normal())
case(np.prod, normal(2, 3, 4), axis=(0, 2))
case(np.prod, normal(2, 3, 4), axis=(-1, 0), keepdims=True)
case(np.prod, normal(2, 0), axis=0)
case(np.prod, normal(2, 0), axis=1)
case(np.cumprod, normal(9))
case(np.cumprod, normal(2, 0), axis=1)
case(np.cumprod, np.array(1.5), axis=0)  # to which NumPy gives an axis
case(np.cumulative_prod, normal(2, 3), axis=1, include_initial=True)

# ---- running ---------------------------------------------------------------------------------
case(np.cumsum, normal(2, 3))
case(np.cumsum, normal(2, 3), 0)
case(np.cumsum, normal(2, 3), axis=-1)
case(np.cumsum, normal())
case(np.cumsum, normal(0, 3), axis=1)
case(np.cumulative_sum, normal(4))
case(np.cumulative_sum, normal(2, 3), axis=0)
case(np.cumulative_sum, normal(2, 3), axis=-1, include_initial=True)

# ---- between neighbours ----------------------------------------------------------------------
case(np.diff, normal(2, 4))
case(np.diff, normal(2, 4), 2)
case(np.diff, normal(3, 4), axis=0)
case(np.diff, normal(2, 4), 0)
case(np.diff, normal(2, 3), 0, prepend=0.0)
case(np.diff, normal(2, 3), prepend=0.0, append=1.0, keeps_float32=False)
case(np.diff, normal(2, 3), normal(2, 1), through=lambda x, end: np.diff(x, append=end))
case(np.ediff1d, normal(2, 3))
case(np.ediff1d, normal(4), to_begin=1.0, to_end=np.array([2, 3]))
UNEVEN = np.array([0.0, 1.0, 1.5, 3.5, 4.0])
for order in (1, 2):
    case(np.gradient, normal(5), edge_order=order)
    case(np.gradient, normal(5), 0.5, edge_order=order)
    case(np.gradient, normal(3, 4), axis=1, edge_order=order)
    case(np.gradient, normal(5), through=lambda f, k=order: np.gradient(f, UNEVEN, edge_order=k))
    case(np.gradient, normal(5, 3), through=lambda f, k=order: np.gradient(f, 2.0, UNEVEN[:3])[1])
case(np.gradient, normal(2))
case(np.trapezoid, normal(2, 4))
case(np.trapezoid, normal(4, 2), dx=0.5, axis=0)
case(np.trapezoid, normal(2, 4), normal(4))
case(np.trapezoid, normal(4, 2), normal(4), axis=0)
case(np.trapezoid, normal(4, 2), normal(4, 2), axis=0)

# ---- order -----------------------------------------------------------------------------------
case(permuted, normal(3, 2), np.array([[2, 0], [0, 1], [1, 2]]), 0)
case(permuted, normal(2, 3), np.array([[2, 0, 1], [0, 1, 2]]), axis=-1)
case(np.sort, spread(2, 5), smooth=False)
case(np.sort, spread(5, 2), axis=0, smooth=False)
case(np.sort, spread(2, 3), axis=None, smooth=False)
case(np.sort, spread(2, 5), kind="stable", smooth=False)
if "descending" in signature(np.sort).parameters:  # NumPy 2.5
    case(np.sort, spread(2, 5), descending=True, smooth=False)
    case(np.sort, spread(3, 2), None, descending=True, smooth=False)
case(np.sort, spread(0, 3), smooth=False)
case(np.partition, spread(3, 7), 3, smooth=False)
case(np.partition, spread(7, 2), (1, 4), axis=0, smooth=False)
case(np.partition, spread(2, 3), 2, axis=None, smooth=False)
case(np.median, spread(2, 5), smooth=False)
case(np.median, spread(2, 4), axis=1, smooth=False)
case(np.median, spread(2, 3, 4), axis=(0, -1), keepdims=True, smooth=False)
case(np.quantile, spread(2, 5), 0.3, smooth=False)
case(np.quantile, spread(2, 5), [0.1, 0.5, 1.0], axis=-1, smooth=False)
case(np.quantile, spread(2, 5), [[0.1, 0.6]], axis=0, keepdims=True, smooth=False)
case(np.percentile, spread(2, 3, 4), 30, axis=(2, 0), smooth=False)
for method in METHODS:
    case(np.quantile, spread(2, 5), [0.0, 0.33, 0.44, 0.5], axis=1, method=method, smooth=False)
for method in ("linear", "hazen", "weibull"):
    case(np.quantile, spread(2, 5), np.array([0.375, 0.62]), axis=1, method=method, smooth=False)

# ---- passing over NaN ------------------------------------------------------------------------
GAPS = np.array([[0, 1, 0], [1, 0, 0]]) > 0
NAN_REDUCTIONS = (
    np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd,
)  # fmt: skip


SOME = np.array([[1, 1, 1], [0, 1, 0]]) > 0


def gappy(fn, **kwargs):
    return lambda x: fn(np.where(GAPS, np.nan, x), **kwargs)


for fn in NAN_REDUCTIONS:
    case(fn, spread(2, 3), through=gappy(fn), smooth=False)
    case(fn, spread(2, 3), through=gappy(fn, axis=1), smooth=False)
    case(fn, spread(2, 3), through=gappy(fn, axis=(0, 1), keepdims=True), smooth=False)
for fn in (np.nancumsum, np.nancumprod):
    case(fn, spread(2, 3), through=gappy(fn, axis=1), smooth=False)
case(np.nanmedian, spread(2, 3), through=gappy(np.nanmedian, axis=1), smooth=False)
case(np.nanquantile, spread(2, 3), through=gappy(np.nanquantile, q=[0.2, 0.7]), smooth=False)
case(np.nanquantile, spread(2, 3), through=gappy(np.nanquantile, q=0.7, axis=1), smooth=False)
case(
    np.nanpercentile,
    spread(2, 3),
    through=gappy(np.nanpercentile, q=[0, 30], axis=0, keepdims=True),
    smooth=False,
)
case(np.nanvar, spread(2, 3), through=gappy(np.nanvar, ddof=1), smooth=False)
case(np.nanmean, spread(2, 3), through=gappy(np.nanmean, axis=1, where=SOME), smooth=False)

# ---- polynomials and convolution -------------------------------------------------------------
for mode in ("full", "same", "valid"):
    for fn, analytic in ((np.convolve, True), (np.correlate, False)):
        case(fn, normal(5), normal(2), mode=mode, smooth=analytic)
        case(fn, normal(5), normal(3), mode, smooth=analytic)
        case(fn, normal(3), normal(6), mode, smooth=analytic)
        case(fn, normal(4), normal(4), mode, smooth=analytic)
        case(fn, normal(1), normal(1), mode, smooth=analytic)
case(np.convolve, normal(5), np.array([1, 2]), keeps_float32=False)
case(np.polyval, normal(3), normal(2, 2))
case(np.polyval, [1, 2, 3], normal(4))
case(np.vander, positive(3), keeps_float32=False)
case(np.vander, positive(3), 4, increasing=True, keeps_float32=False)
KNOTS, LEVELS = np.array([0, 1, 2]), np.array([1, 3, 2])
case(
    np.interp,
    spread(6),
    np.array([-1.0, -0.4, 0.2, 0.6]),
    normal(4),
    smooth=False,
    keeps_float32=False,
)
case(np.interp, spread(6), KNOTS, LEVELS, left=-1.0, right=0.0, smooth=False, keeps_float32=False)
case(np.cov, normal(2, 5), smooth=False)
case(np.cov, normal(5, 2), rowvar=False, bias=True, smooth=False)
case(np.cov, normal(4), normal(4), ddof=0, smooth=False)
case(np.cov, normal(4), smooth=False)
case(np.cov, normal(2, 4), dtype=np.float64, smooth=False, keeps_float32=False)
case(np.corrcoef, normal(3, 5), smooth=False)
case(np.polyadd, normal(3), normal(2))
case(np.polysub, normal(2), normal(3))
case(np.polymul, normal(3), normal(2))
case(np.polyder, normal(4), keeps_float32=False)
case(np.polyder, normal(4), 2, keeps_float32=False)
case(np.polyint, normal(3), keeps_float32=False)
case(np.polyint, normal(3), 2, normal(2), keeps_float32=False)

# ---- ranges ----------------------------------------------------------------------------------
for fn in (np.linspace, np.geomspace, np.logspace):
    case(fn, positive(), 2 + positive(), 4, keeps_float32=False)
    case(fn, positive(2, 1), 2 + positive(3), 3, endpoint=False, axis=-1, keeps_float32=False)
    case(fn, positive(), 5.0, num=3, keeps_float32=False)


# ---- methods of ufuncs -----------------------------------------------------------------------
for axis in (0, 1, -1):
    case(np.maximum.accumulate, spread(4, 3), axis, smooth=False)
    case(np.minimum.accumulate, spread(4, 3), axis, smooth=False)
    case(np.logaddexp.reduce, normal(4, 3), axis, smooth=False)
    case(np.add.reduceat, normal(4, 3), [0, 2, 1], axis)
    case(np.add.reduceat, normal(4, 3), [1, 1, 2], axis)
