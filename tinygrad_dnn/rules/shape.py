"""Rearrangements: linear maps whose transpose is the rearrangement back."""

import numpy as np

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import Each, composite, multilinear, primitive, rule

# ---- asking: the answer is no array, and has no history ---------------------------------------
composite(np.shape)(lambda a: a.shape)
composite(np.ndim)(lambda a: a.ndim)
composite(np.size)(lambda a, axis=None: a.size if axis is None else a.shape[axis])


# ---- the same entries in another arrangement -------------------------------------------------
def _reshape(g, out, x, shape, order="C", copy=None):
    return np.reshape(g, x.shape, order=_fixed(order))


def _ravel(g, out, x, order="C"):
    return np.reshape(g, x.shape, order=_fixed(order))


def _fixed(order):
    if order not in ("C", "F"):
        raise MissingRuleError(
            f"order={order!r} follows the layout in memory, which a derivative does not know; "
            f"use order='C' or order='F'"
        )
    return order


multilinear(np.reshape, _reshape)
multilinear(np.ravel, _ravel)
multilinear(np.swapaxes, lambda g, out, x, axis1, axis2: np.swapaxes(g, axis1, axis2))
multilinear(np.expand_dims, lambda g, out, x, axis: np.reshape(g, x.shape))
multilinear(np.squeeze, lambda g, out, x, axis=None: np.reshape(g, x.shape))
multilinear(np.broadcast_to, lambda g, out, x, shape, subok=False: g, broadcasts=True)


def _transpose_vjp(g, out, x, axes=None):
    return np.transpose(g, None if axes is None else np.argsort(np.mod(axes, x.ndim)))


multilinear(np.transpose, _transpose_vjp)


# ---- joining: the pieces are positional arguments --------------------------------------------
@primitive
def concatenate(*pieces, axis=0):
    """``np.concatenate``, the pieces as arguments: ``np.concatenate`` on Tensors records this."""
    return np.concatenate(pieces, axis=axis)


def _slot(i, pieces, axis):
    """Where piece ``i`` lies in the whole."""
    lengths = [p.shape[axis] for p in pieces]
    start = sum(lengths[:i])
    before = (slice(None),) * (axis % pieces[0].ndim)
    return (*before, slice(start, start + lengths[i]))


def _concatenate_vjp(i, g, out, *pieces, axis=0):
    if axis is None:
        start = sum(p.size for p in pieces[:i])
        return np.reshape(g[start : start + pieces[i].size], pieces[i].shape)
    return g[_slot(i, pieces, axis)]


def _concatenate_jvp(i, t, out, *pieces, axis=0):
    return np.concatenate([t if k == i else np.zeros_like(p) for k, p in enumerate(pieces)], axis)


rule(concatenate, vjps=Each(_concatenate_vjp), jvps=Each(_concatenate_jvp))


@composite(np.concatenate)
def _concatenate(arrays, /, axis=0, **options):
    if options:
        raise TypeError(f"np.concatenate on Tensors takes no {', '.join(options)}")
    return concatenate(*arrays, axis=axis)


@composite(np.stack)
def _stack(arrays, axis=0, **options):
    if options:
        raise TypeError(f"np.stack on Tensors takes no {', '.join(options)}")
    return concatenate(*(np.expand_dims(a, axis) for a in arrays), axis=axis)
