"""The singular value decomposition, in its thin form.

Where singular values tie, 0/0 counts as 0: a gradient that does not depend on the vectors is right,
and any other infinite, with NumPy's warning.  A complex pair of vectors is known up to a phase, of
which each side is given half: use functions that it leaves alone.
"""

from typing import NamedTuple

import numpy as np

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import Array, composite, primitive, rule
from tinygrad_dnn.rules.decompositions import diagonal, gaps, off_diagonal, quotient, real, spread
from tinygrad_dnn.rules.linalg import H, column, conj, mT, row


class SVDResult(NamedTuple):
    """What ``np.linalg.svd`` returns."""

    U: Array
    S: Array
    Vh: Array


# ---- singular values -------------------------------------------------------------------------
@primitive
def svd(a):
    """``np.linalg.svd(a, full_matrices=False)`` as one array: U above S above Vh transposed."""
    U, S, Vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([U, row(S.astype(U.dtype)), mT(Vh)], axis=-2)


def _factors(x, a):
    """U, S and V of what ``svd`` returns, or of its cotangent."""
    m = a.shape[-2]
    return x[..., :m, :], real(x[..., m, :]), conj(x[..., m + 1 :, :])


def _beyond(x, s, U):
    """``x / s`` without its part in the space of ``U``'s columns, which may be all there is."""
    if U.shape[-2] == U.shape[-1]:
        return np.zeros_like(x)
    x = quotient(x, s)
    return x - U @ (H(U) @ x)


def _svd_vjp(g, out, a):
    U, S, V = _factors(out, a)
    gU, gS, gV = _factors(g, a)
    squares, s = gaps(S**2), row(S)
    of_U, of_V = H(U) @ gU, H(V) @ gV
    N, M = off_diagonal(of_U, squares), off_diagonal(of_V, squares)
    inner = spread(gS, N) + (N + H(N)) * s + column(S) * (M + H(M))
    if a.dtype.kind == "c":  # half of the change of phase goes to either side
        phase = np.imag(diagonal(of_U) - diagonal(of_V))
        inner = inner + spread(0.5j * quotient(phase, S), N)
    left, right = _beyond(gU, s, U), _beyond(gV, s, V)
    return (U @ inner + left) @ H(V) + U @ H(right)


def _svd_jvp(t, out, a):
    U, S, V = _factors(out, a)
    squares, s = gaps(S**2), row(S)
    tV, tU = t @ V, H(t) @ U
    inner = H(U) @ tV
    dU = U @ off_diagonal(inner * s + column(S) * H(inner), squares)
    dV = V @ off_diagonal(column(S) * inner + H(inner) * s, squares)
    dU, dV = dU + _beyond(tV, s, U), dV + _beyond(tU, s, V)
    if a.dtype.kind == "c":
        phase = row(0.5j * quotient(np.imag(diagonal(inner)), S))
        dU, dV = dU + U * phase, dV - V * phase
    return np.concatenate([dU, row(real(diagonal(inner))), conj(dV)], axis=-2)


rule(svd, vjps=(_svd_vjp,), jvps=(_svd_jvp,))


@composite(np.linalg.svd)
def _svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    if not compute_uv:
        return np.linalg.svdvals(a)
    m, n = a.shape[-2:]
    if hermitian or (full_matrices and m != n):
        raise MissingRuleError(
            f"np.linalg.svd of shape {a.shape} on Tensors: the vectors beyond the first "
            f"{min(m, n)} are arbitrary, and no symmetry is assumed; pass full_matrices=False and "
            f"leave hermitian out"
        )
    out = svd(a)
    return SVDResult(out[..., :m, :], real(out[..., m, :]), mT(out[..., m + 1 :, :]))


def _svdvals_vjp(g, out, a):
    U, _, Vh = np.linalg.svd(a, full_matrices=False)
    return U * row(g) @ Vh


def _svdvals_jvp(t, out, a):
    U, _, Vh = np.linalg.svd(a, full_matrices=False)
    return real(diagonal(H(U) @ t @ H(Vh)))


rule(np.linalg.svdvals, vjps=(_svdvals_vjp,), jvps=(_svdvals_jvp,))
