"""Norms of vectors and matrices, and the condition number.

The gradient of a norm is its ``slope``: 0 where the norm is, and shared equally by entries or by
singular values that tie for the largest or smallest.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from tinygrad_dnn.errors import DimensionError, MissingRuleError
from tinygrad_dnn.primitives import composite, rule
from tinygrad_dnn.rules.linalg import conj, row

_LAST_TWO = (-2, -1)


def _over(x, length):
    """``x / length``, and 0 where the length is."""
    return x * ((length != 0) / np.where(length == 0, 1, length))


def _shares(hit, axis):
    """What of 1 each of the entries that hit gets."""
    return hit / np.sum(hit, axis=axis, keepdims=True)


def _vector_slope(x, out, order, axis):
    """The gradient of the vector norm ``out``, which kept its axes."""
    if order is None or order == 2:
        return _over(x, out)
    if order == 1:
        return np.sign(x)
    if order == 0:  # how many are not 0: a step function
        return x * 0
    size = np.absolute(x)
    if np.isinf(order):
        return np.sign(x) * _shares(size == out, axis)
    return np.sign(x) * np.where(size == 0, 1, _over(size, out)) ** (order - 1)


def _matrix_slope(x, order):
    """The gradient of a norm of the matrices in the last two axes."""
    if order in (1, -1, np.inf, -np.inf):
        along = -2 if abs(order) == 1 else -1
        sums = np.sum(np.absolute(x), axis=along, keepdims=True)
        extreme = (np.max if order > 0 else np.min)(sums, axis=_LAST_TWO, keepdims=True)
        return np.sign(x) * _shares(sums == extreme, _LAST_TWO)
    U, S, Vh = np.linalg.svd(x, full_matrices=False)
    if order == "nuc":
        weights = np.sign(S)
    else:
        extreme = (np.max if order > 0 else np.min)(S, axis=-1, keepdims=True)
        weights = _shares(extreme == S, -1) * np.sign(S)
    return U * row(weights) @ Vh


def _slope(x, out, order, axis, keepdims):
    """The gradient of the norm ``out`` of ``x``, and what gives a reduced array its axes back."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(axis) % x.ndim)
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    out = np.reshape(out, kept)
    if order is None or order == "fro" or len(axes) == 1:
        return _vector_slope(x, out, None if order == "fro" else order, axes), kept
    if order in ("nuc", 1, -1, 2, -2, np.inf, -np.inf):
        slope = _matrix_slope(np.moveaxis(x, axes, _LAST_TWO), order)
        return np.moveaxis(slope, _LAST_TWO, axes), kept
    raise MissingRuleError(f"np.linalg.norm: its derivative for ord={order!r} is not known")


def _norm_vjp(g, out, x, ord=None, axis=None, keepdims=False):
    slope, kept = _slope(x, out, ord, axis, keepdims)
    return np.reshape(g, kept) * slope


def _norm_jvp(t, out, x, ord=None, axis=None, keepdims=False):
    slope, _ = _slope(x, out, ord, axis, keepdims)
    change = np.sum(conj(slope) * t, axis=axis, keepdims=keepdims)
    return np.real(change) if change.dtype.kind == "c" else change


rule(np.linalg.norm, vjps=(_norm_vjp,), jvps=(_norm_jvp,))


@composite(np.linalg.vector_norm)
def _vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    if axis is None:
        found = np.linalg.norm(np.ravel(x), ord)
        return np.reshape(found, (1,) * x.ndim) if keepdims else found
    axes = list(normalize_axis_tuple(axis, x.ndim))
    if len(axes) == 1:
        return np.linalg.norm(x, ord, axes[0], keepdims)
    others = [i for i in range(x.ndim) if i not in axes]
    count = int(np.prod([x.shape[a] for a in axes]))
    x_last = np.transpose(x, axes + others)
    flat = np.reshape(x_last, (count, *(x.shape[i] for i in others)))
    found = np.linalg.norm(flat, ord, 0)
    kept = [1 if i in axes else n for i, n in enumerate(x.shape)]
    return np.reshape(found, kept) if keepdims else found


@composite(np.linalg.matrix_norm)
def _matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return np.linalg.norm(x, ord, _LAST_TWO, keepdims)


@composite(np.linalg.cond)
def _cond(x, p=None):
    if x.ndim < 2:
        raise DimensionError(f"np.linalg.cond takes matrices, got an array of shape {x.shape}")
    if p in (None, 2, -2):
        S = np.linalg.svdvals(x)
        return S[..., -1] / S[..., 0] if p == -2 else S[..., 0] / S[..., -1]
    return np.linalg.norm(x, p, _LAST_TWO) * np.linalg.norm(np.linalg.inv(x), p, _LAST_TWO)
