"""Polynomials, convolution and interpolation in one dimension."""

import numpy as np

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import as_array, composite, constant, multilinear, primitive
from tinygrad_dnn.rules.indexing import getitem

# ---- convolution -----------------------------------------------------------------------------
_MODES = {0: "valid", 1: "same", 2: "full"}


def _in_full(g, a, v, mode):
    """Give the cotangent of a part of the convolution the length of the whole."""
    mode = _MODES.get(mode, mode)
    whole, short = a.size + v.size - 1, min(a.size, v.size)
    start = {"full": 0, "same": (short - 1) // 2, "valid": short - 1}[mode]
    rest = whole - start - g.size
    return np.concatenate([np.zeros(start, g.dtype), g, np.zeros(rest, g.dtype)])


multilinear(
    np.convolve,
    lambda g, out, a, v, mode="full": np.correlate(_in_full(g, a, v, mode), v, "valid"),
    lambda g, out, a, v, mode="full": np.correlate(_in_full(g, a, v, mode), a, "valid"),
)


@composite(np.correlate)
def _correlate(a, v, mode="valid"):
    a, v = as_array(a), as_array(v)
    if np.size(v) > np.size(a):
        found = _correlate(v, a, mode)
        return np.conjugate(found[::-1])
    return np.convolve(a, np.conjugate(v)[::-1], mode)


# ---- polynomials, the highest power first ----------------------------------------------------
@composite(np.polyval)
def _polyval(p, x):
    y = np.zeros_like(x)
    for coefficient in p:
        y = y * x + coefficient
    return y


def _padded(short, like):  # with zeros in front
    free = np.zeros(max(np.size(like) - np.size(short), 0), short.dtype)
    return np.concatenate([free, np.ravel(short)])


@composite(np.polyadd)
def _polyadd(a1, a2):
    a1, a2 = as_array(a1), as_array(a2)
    return _padded(a1, a2) + _padded(a2, a1)


@composite(np.polysub)
def _polysub(a1, a2):
    return _polyadd(a1, -as_array(a2))


@composite(np.polymul)
def _polymul(a1, a2):
    return np.convolve(np.ravel(a1), np.ravel(a2))


@composite(np.polyder)
def _polyder(p, m=1):
    for _ in range(m):
        p = p[:-1] * np.arange(p.shape[0] - 1, 0, -1)
    return p


@composite(np.polyint)
def _polyint(p, m=1, k=None):
    constants = np.zeros(m) if k is None else np.broadcast_to(k, (m,))
    for i in range(m):
        p = np.concatenate([p / np.arange(p.shape[0], 0, -1), constants[i : i + 1]])
    return p


@composite(np.vander)
def _vander(x, N=None, increasing=False):
    powers = np.arange(x.shape[0] if N is None else N)
    return np.expand_dims(x, 1) ** (powers if increasing else powers[::-1])


@composite(np.polyfit)
def _polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    if full or cov:
        raise MissingRuleError("np.polyfit on Tensors takes no full= and no cov=")
    x, y = as_array(x), as_array(y)
    powers = np.vander(x, deg + 1)
    if w is not None:
        w = as_array(w)
        powers, y = powers * np.expand_dims(w, 1), np.transpose(np.transpose(y) * w)
    size = np.sqrt(np.sum(powers**2, axis=0))
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    found = np.linalg.pinv(powers / size, rcond) @ y
    return np.transpose(np.transpose(found) / size)


# ---- phases ----------------------------------------------------------------------------------
@primitive
def turns(p, discont=None, axis=-1, period=2 * np.pi):
    """What ``np.unwrap`` adds to ``p``: whole periods."""
    return np.unwrap(p, discont, axis, period=period) - p


constant(turns)
composite(np.unwrap)(
    lambda p, discont=None, axis=-1, *, period=2 * np.pi: p + turns(p, discont, axis, period)
)


# ---- interpolation ---------------------------------------------------------------------------
@composite(np.interp)
def _interp(x, xp, fp, left=None, right=None, period=None):
    x, xp, fp = as_array(x), as_array(xp), as_array(fp)
    if period is not None:
        x, xp, left, right = x % period, xp % period, None, None
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    n = np.shape(xp)[0]
    above = np.clip(np.searchsorted(xp, x, "right"), 1, max(n - 1, 1))
    x0, x1 = getitem(xp, above - 1), getitem(xp, np.minimum(above, n - 1))
    y0, y1 = getitem(fp, above - 1), getitem(fp, np.minimum(above, n - 1))
    inside = y0 + (x - x0) * ((y1 - y0) / np.where(x1 == x0, 1, x1 - x0))
    found = np.where(x < getitem(xp, 0), getitem(fp, 0) if left is None else left, inside)
    return np.where(x > getitem(xp, n - 1), getitem(fp, n - 1) if right is None else right, found)
