"""Covariances of variables, which are rows, or columns with ``rowvar=False``.

NumPy computes them in float64 at least; here float32 stays float32, and ``dtype=`` is NumPy's.
"""

import numpy as np

from tinygrad_dnn.primitives import as_array, composite


@composite(np.cov)
def _cov(
    m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None
):
    ddof = (0 if bias else 1) if ddof is None else ddof
    m = _variables(m, rowvar)
    m = m if y is None else np.concatenate([m, _variables(y, rowvar)])
    m = m if dtype is None else m.astype(dtype)
    if fweights is None and aweights is None:
        weights, count = None, m.shape[1] - ddof
    else:
        times, weights = (1 if w is None else _weights(w, m.dtype) for w in (fweights, aweights))
        total = np.sum(times * weights)
        spent = 1 if aweights is None else np.sum(times * weights**2) / total
        weights, count = times * weights, total - ddof * spent
    off = m - np.average(m, axis=1, weights=weights, keepdims=True)
    weighted = off if weights is None else off * weights
    return np.squeeze(weighted @ np.conjugate(np.transpose(off)) / count)


def _weights(w, dtype):  # whole numbers in the precision of what they weigh
    w = as_array(w)
    real = np.zeros(0, dtype).real.dtype
    return w.astype(real) if w.dtype.kind in "biu" and real.kind == "f" else w


def _variables(m, rowvar):
    if np.ndim(m) < 2:
        return np.reshape(m, (1, -1))
    return m if rowvar or m.shape[0] == 1 else np.transpose(m)


@composite(np.corrcoef)
def _corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = _cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    i = np.arange(c.shape[0])
    size = np.sqrt(np.real(c[i, i]))
    return c / np.expand_dims(size, 1) / size
