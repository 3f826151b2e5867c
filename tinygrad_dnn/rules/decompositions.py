"""What matrix decompositions have in common, and Cholesky's.

All are batched.  One call of NumPy's is one node: where it has several factors, they lie side by
side in one array, from which the fields of the result are cut.

``cholesky`` and ``eigh`` read one triangle of their argument; so does the derivative, and the
gradient lies in that triangle: write ``(a + a.T) / 2`` for a symmetric one.

Formulas: Giles, "Collected matrix derivative results for forward and reverse mode" (2008).
"""

import numpy as np

from tinygrad_dnn.primitives import rule
from tinygrad_dnn.rules.linalg import H, column, row


def real(x):
    """The real part; a real array passes untouched."""
    return np.real(x) if x.dtype.kind == "c" else x


def diagonal(x):
    """The diagonals of a stack of matrices."""
    return np.diagonal(x, axis1=-2, axis2=-1)


def _eye(x):
    return np.eye(x.shape[-1], dtype=bool)


def spread(d, x):
    """Matrices with ``d`` on the diagonal and zeros elsewhere, of the size of ``x``."""
    return row(d) * _eye(x)


def gaps(w):
    """How far value j lies above value i, for every i and j."""
    return row(w) - column(w)


def quotient(x, gap):
    """``x / gap``, where 0/0 is 0: a tie that nobody asks about."""
    return x / np.where((gap == 0) & (x == 0), 1, gap)


def off_diagonal(x, gap):
    """``x / gap`` with zeros on the diagonal."""
    return quotient(x * ~_eye(x), gap)


def hermitian(t, lower):
    """The Hermitian matrix of which ``t`` is one triangle; its diagonal is real."""
    part = np.tril(t, -1) if lower else np.triu(t, 1)
    return part + H(part) + spread(real(diagonal(t)), t)


def triangle(g, lower):
    """The transpose of ``hermitian``."""
    both = g + H(g)
    return (np.tril(both, -1) if lower else np.triu(both, 1)) + spread(real(diagonal(g)), g)


# ---- Cholesky --------------------------------------------------------------------------------
def _half(x):
    """The lower triangle with half the diagonal: of a + a^H it makes a, for triangular a."""
    return np.tril(x, -1) + spread(real(diagonal(x)) / 2, x)


def _cholesky_vjp(g, out, a, *, upper=False):
    L, g = (H(out), H(g)) if upper else (out, g)
    inner = _half(H(L) @ g)
    s = np.linalg.solve(H(L), H(np.linalg.solve(H(L), H(inner))))
    return triangle((s + H(s)) / 2, not upper)


def _cholesky_jvp(t, out, a, *, upper=False):
    L = H(out) if upper else out
    t = hermitian(t, not upper)
    t = L @ _half(np.linalg.solve(L, H(np.linalg.solve(L, t))))
    return H(t) if upper else t


rule(np.linalg.cholesky, vjps=(_cholesky_vjp,), jvps=(_cholesky_jvp,))
