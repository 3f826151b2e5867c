"""Rearrangements: linear maps whose transpose is the rearrangement back."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tinygrad_dnn.errors import DimensionError, MissingRuleError
from tinygrad_dnn.primitives import composite, multilinear

# ---- asking: the answer is no array, and has no history ---------------------------------------
composite(np.shape)(lambda a: a.shape)
composite(np.ndim)(lambda a: a.ndim)
composite(np.size)(lambda a, axis=None: a.size if axis is None else a.shape[axis])


# ---- the same entries under another shape ----------------------------------------------------
def _reshape(g, out, x, shape, order="C", copy=None):
    return _shaped_back(g, x, order)


def _ravel(g, out, x, order="C"):
    return _shaped_back(g, x, order)


def _shaped_back(g, x, order):
    if order == "C":
        return np.reshape(g, x.shape)
    if order != "F":
        raise MissingRuleError(
            f"order={order!r} follows the layout in memory, which a derivative does not know; "
            f"use order='C' or order='F'"
        )
    return np.reshape(g, x.shape, order="F")


multilinear(np.reshape, _reshape)
multilinear(np.ravel, _ravel)
multilinear(np.expand_dims, lambda g, out, x, axis: np.reshape(g, x.shape))
multilinear(np.squeeze, lambda g, out, x, axis=None: np.reshape(g, x.shape))
multilinear(np.broadcast_to, lambda g, out, x, shape, subok=False: g, broadcasts=True)
multilinear(np.copy, lambda g, out, x, order="K", subok=False: g)


@composite(np.full_like)
def _full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    full = np.zeros_like(a, dtype=dtype, shape=shape) + fill_value
    return np.astype(full, a.dtype if dtype is None else dtype)


@composite(np.full)  # reached by np.full(shape, v, like=v)
def _full(shape, fill_value, dtype=None, order="C", *, device=None):
    full = np.broadcast_to(fill_value, shape)
    return full if dtype is None else np.astype(full, dtype)


def _each(fn):
    """``fn`` of one array, or a tuple of it for each of several."""
    return lambda *arys: fn(arys[0]) if len(arys) == 1 else tuple(fn(a) for a in arys)


@composite(np.atleast_1d)
@_each
def _atleast_1d(a):
    return a if np.ndim(a) else np.reshape(a, (1,))


@composite(np.atleast_2d)
@_each
def _atleast_2d(a):
    return a if np.ndim(a) >= 2 else np.reshape(a, (1, np.size(a)))


@composite(np.atleast_3d)
@_each
def _atleast_3d(a):
    if np.ndim(a) >= 3:
        return a
    return np.reshape(a, (1, np.size(a), 1) if np.ndim(a) < 2 else (*np.shape(a), 1))


@composite(np.broadcast_arrays)
def _broadcast_arrays(*args, subok=False):
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(a, shape) for a in args)


@composite(np.meshgrid)
def _meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid: indexing is 'xy' or 'ij', got {indexing!r}")
    axes = list(range(len(xi)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    lines = [
        np.reshape(x, [np.size(x) if k == axis else 1 for k in axes])
        for axis, x in enumerate(xi)
    ]  # fmt: skip
    return tuple(lines) if sparse else np.broadcast_arrays(*lines)


# ---- axes in another order -------------------------------------------------------------------
def _transpose(g, out, x, axes=None):
    return np.transpose(g, None if axes is None else np.argsort(np.mod(axes, x.ndim)))


multilinear(np.transpose, _transpose)
multilinear(np.swapaxes, lambda g, out, x, axis1, axis2: np.swapaxes(g, axis1, axis2))
multilinear(np.moveaxis, lambda g, out, x, source, to: np.moveaxis(g, to, source))


@composite(np.rollaxis)
def _rollaxis(a, axis, start=0):
    if not -a.ndim <= start <= a.ndim:
        raise DimensionError(f"np.rollaxis: start={start}, but the array has {a.ndim} axes")
    axis, start = normalize_axis_index(axis, a.ndim), start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - (axis < start))


@composite(np.linalg.matrix_transpose)
@composite(np.matrix_transpose)
def _matrix_transpose(x, /):
    if x.ndim < 2:
        raise DimensionError(f"np.matrix_transpose takes matrices, got an array of shape {x.shape}")
    return np.swapaxes(x, -1, -2)


# ---- entries in another order along an axis --------------------------------------------------
multilinear(np.flip, lambda g, out, x, axis=None: np.flip(g, axis))
multilinear(
    np.roll, lambda g, out, x, shift, axis=None: np.roll(g, np.negative(shift).tolist(), axis)
)
composite(np.fliplr)(lambda m: np.flip(m, 1))
composite(np.flipud)(lambda m: np.flip(m, 0))


@composite(np.rot90)
def _rot90(m, k=1, axes=(0, 1)):
    first, second = normalize_axis_tuple(axes, m.ndim, allow_duplicate=True)
    if first == second:
        raise DimensionError(f"np.rot90 turns a plane of two axes, got axes={axes}")
    k %= 4
    if k >= 2:
        m = np.flip(m, (first, second))
    return np.flip(np.swapaxes(m, first, second), first) if k % 2 else m
