"""Reductions, cumulative functions and sorting."""

import numpy as np

from tests.opinfo.adapter.arguments import axes
from tests.opinfo.compare import Unsupported
from tinygrad_dnn import nn


def reduced(fn):
    """A reduction with PyTorch's ``dim``, ``keepdim`` and ``dtype``."""

    def reduce(x, dim=None, keepdim=False, dtype=None):
        x = x if dtype is None else np.astype(x, dtype)
        return fn(x, axis=axes(x, dim), keepdims=keepdim)

    return reduce


def plain(fn):
    """A reduction to one number; the form with ``dim`` is another operation."""

    def reduce(x, *args, **kwargs):
        if args or kwargs:
            raise Unsupported("dim=")
        return fn(x)

    return reduce


def spread(fn):
    """``np.var`` or ``np.std``: PyTorch divides by n - 1 unless told otherwise."""

    def reduce(x, dim=None, unbiased=None, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if correction is None:
            correction = 1 if unbiased is None else int(unbiased)
        return fn(x, axis=axes(x, dim), ddof=correction, keepdims=keepdim)

    return reduce


def spread_and_mean(fn):
    one = spread(fn)

    def reduce(x, dim=None, unbiased=None, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        mean = np.mean(x, axis=axes(x, dim), keepdims=keepdim)
        return one(x, dim, unbiased, keepdim, correction), mean

    return reduce


def with_places(extreme, place):
    """The extreme entries along an axis, and where they are."""

    def reduce(x, dim, keepdim=False):
        where = place(x, axis=axes(x, dim), keepdims=True)
        values = np.take_along_axis(x, where.data, axis=dim)
        return (values, where) if keepdim else (np.squeeze(values, dim), np.squeeze(where, dim))

    return reduce


def aminmax(x, *, dim=None, keepdim=False):
    options = {"axis": axes(x, dim), "keepdims": keepdim}
    return np.min(x, **options), np.max(x, **options)


def cumulative(fn):
    def accumulate(x, dim, dtype=None):
        x = x if dtype is None else np.astype(x, dtype)
        return fn(x, axis=axes(x, dim))

    return accumulate


def quantile(fn):
    def reduce(x, q, dim=None, keepdim=False, interpolation="linear"):
        return fn(x, q, axis=axes(x, dim), keepdims=keepdim, method=interpolation)

    return reduce


def place(fn):
    def reduce(x, dim=None, keepdim=False):
        if dim is None and keepdim:
            raise Unsupported("keepdim= without dim=")
        return fn(x, axis=axes(x, dim), keepdims=keepdim)

    return reduce


def ordered(x, dim=-1, descending=False, stable=False):
    axis = axes(x, dim)
    values = -np.sort(-x, axis) if descending else np.sort(x, axis)
    return values, argsort(x, dim, descending)


def argsort(x, dim=-1, descending=False, stable=False):
    return np.argsort(-x if descending else x, axes(x, dim), kind="stable")


def trapezoid(y, x=None, *, dx=1.0, dim=-1):
    return np.trapezoid(y, x, dx, dim)


def diff(x, n=1, dim=-1, prepend=None, append=None):
    given = {"prepend": prepend, "append": append}
    return np.diff(x, n, dim, **{k: v for k, v in given.items() if v is not None})


def gradient(x, *, spacing=1, dim=None, edge_order=1):
    spacing = 1 if spacing is None else spacing
    steps = spacing if isinstance(spacing, list | tuple) else [spacing]
    out = np.gradient(x, *steps, axis=axes(x, dim), edge_order=edge_order)
    return out if isinstance(out, list | tuple) else [out]


def cov(x, *, correction=1, fweights=None, aweights=None):
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


OPERATIONS = {
    "sum": reduced(np.sum),
    "nansum": reduced(np.nansum),
    "mean": reduced(np.mean),
    "nanmean": reduced(np.nanmean),
    "prod": reduced(np.prod),
    "amax": reduced(np.max),
    "amin": reduced(np.min),
    "all": reduced(np.all),
    "any": reduced(np.any),
    "count_nonzero": reduced(np.count_nonzero),
    "max.reduction_no_dim": plain(np.max),
    "min.reduction_no_dim": plain(np.min),
    "max.reduction_with_dim": with_places(np.max, np.argmax),
    "min.reduction_with_dim": with_places(np.min, np.argmin),
    "aminmax": aminmax,
    "argmax": place(np.argmax),
    "argmin": place(np.argmin),
    "var": spread(np.var),
    "var.unbiased": spread(np.var),
    "std": spread(np.std),
    "std.unbiased": spread(np.std),
    "var_mean": spread_and_mean(np.var),
    "var_mean.unbiased": spread_and_mean(np.var),
    "std_mean": spread_and_mean(np.std),
    "std_mean.unbiased": spread_and_mean(np.std),
    "logsumexp": reduced(nn.logsumexp),
    "cumsum": cumulative(np.cumsum),
    "cumprod": cumulative(np.cumprod),
    "quantile": quantile(np.quantile),
    "nanquantile": quantile(np.nanquantile),
    "sort": ordered,
    "msort": lambda x: np.sort(x, axis=axes(x, 0)),
    "argsort": argsort,
    "trapezoid": trapezoid,
    "trapz": trapezoid,
    "diff": diff,
    "gradient": gradient,
    "cov": cov,
    "corrcoef": np.corrcoef,
}
