"""Methods of ufuncs, ``np.add.reduce`` and its like, in terms of NumPy's functions."""

import numpy as np

from tinygrad_dnn.primitives import RULES, composite, constant, primitive
from tinygrad_dnn.rules import elementwise, steps, trigonometric  # noqa: F401  (their ufuncs)
from tinygrad_dnn.rules.indexing import scatter
from tinygrad_dnn.rules.network import logsumexp


# ---- reduce and accumulate -------------------------------------------------------------------
def _along_axis_0(fn):
    def method(a, axis=0, dtype=None, out=None, *args, **options):
        a = a if dtype is None else np.astype(a, dtype)
        options |= zip(("keepdims", "initial", "where"), args, strict=False)
        return fn(a, axis=axis, **options)

    return method


for _method, _fn in (
    (np.add.reduce, np.sum),
    (np.multiply.reduce, np.prod),
    (np.maximum.reduce, np.max),
    (np.minimum.reduce, np.min),
    (np.logical_and.reduce, np.all),
    (np.logical_or.reduce, np.any),
    (np.logaddexp.reduce, logsumexp),
    (np.add.accumulate, np.cumsum),
    (np.multiply.accumulate, np.cumprod),
):
    composite(_method)(_along_axis_0(_fn))


@primitive
def reached_at(x, axis=0, ufunc=np.maximum):
    """Where along ``axis`` a running maximum or minimum was reached first, for every place."""
    x = np.moveaxis(x, axis, 0)
    best = ufunc.accumulate(x)
    fresh = np.ones(x.shape, bool)
    fresh[1:] = (best[1:] != best[:-1]) & ~np.isnan(best[:-1])
    here = np.reshape(np.arange(len(x)), (-1,) + (1,) * (x.ndim - 1))
    return np.moveaxis(np.maximum.accumulate(fresh * here), 0, axis)


constant(reached_at)


def _running(ufunc):
    return lambda x, axis: np.take_along_axis(x, reached_at(x, axis, ufunc), axis)


for _fn in (np.maximum, np.minimum):
    composite(_fn.accumulate)(_along_axis_0(_running(_fn)))


# ---- reduceat --------------------------------------------------------------------------------
@composite(np.add.reduceat)
def _sums_of_stretches(a, indices, axis=0, dtype=None, out=None):
    a = np.moveaxis(a if dtype is None else np.astype(a, dtype), axis, 0)
    starts = np.asarray(indices)
    lengths = np.maximum(np.append(starts[1:], len(a)) - starts, 1)  # as NumPy has it
    owner = np.repeat(np.arange(len(starts)), lengths)
    places = np.arange(len(owner)) + (starts - np.cumsum(lengths) + lengths)[owner]
    sums = scatter(a[places], (len(starts), *a.shape[1:]), owner)
    return np.moveaxis(sums, 0, axis)


# ---- outer -----------------------------------------------------------------------------------
def _outer(ufunc):
    return lambda a, b, **options: ufunc(
        np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **options
    )


for _fn in [fn for fn in RULES if isinstance(fn, np.ufunc) and fn.nin == 2 and not fn.signature]:
    composite(_fn.outer)(_outer(_fn))
