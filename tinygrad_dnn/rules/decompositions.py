"""Matrix decompositions, batched: one call is one node, its factors side by side in one array.

``cholesky`` and ``eigh`` read one triangle of their argument; so does the derivative, and the
gradient lies in that triangle: write ``(a + a.T) / 2`` for a symmetric one.  Where eigenvalues or
singular values tie, 0/0 counts as 0: a gradient that does not depend on the vectors is right, any
other infinite, with NumPy's warning.  Complex vectors are known up to a phase; so are derivatives.

Formulas: Giles, "Collected matrix derivative results for forward and reverse mode" (2008).
"""

from typing import NamedTuple

import numpy as np

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import Array, composite, primitive, rule
from tinygrad_dnn.rules.linalg import H, column, conj, mT, row


class EigResult(NamedTuple):
    """What ``np.linalg.eig`` and ``np.linalg.eigh`` return."""

    eigenvalues: Array
    eigenvectors: Array


class SVDResult(NamedTuple):
    """What ``np.linalg.svd`` returns."""

    U: Array
    S: Array
    Vh: Array


class QRResult(NamedTuple):
    """What ``np.linalg.qr`` returns."""

    Q: Array
    R: Array


# ---- small pieces ----------------------------------------------------------------------------
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


# ---- eigenvalues of Hermitian matrices -------------------------------------------------------
@primitive
def eigh(a, lower=True):
    """``np.linalg.eigh`` as one array: the eigenvalues in the first row, the vectors below."""
    w, V = np.linalg.eigh(a, "L" if lower else "U")
    return np.concatenate([row(w.astype(V.dtype)), V], axis=-2)


def _gaps(w):
    return row(w) - column(w)


def _eigh_vjp(g, out, a, lower=True):
    w, V = real(out[..., 0, :]), out[..., 1:, :]
    gw, gV = real(g[..., 0, :]), g[..., 1:, :]
    inner = spread(gw, V) + off_diagonal(H(V) @ gV, _gaps(w))
    inner = V @ inner @ H(V)
    return triangle((inner + H(inner)) / 2, lower)


def _eigh_jvp(t, out, a, lower=True):
    w, V = real(out[..., 0, :]), out[..., 1:, :]
    inner = H(V) @ hermitian(t, lower) @ V
    dV = V @ off_diagonal(inner, _gaps(w))
    return np.concatenate([row(real(diagonal(inner))), dV], axis=-2)


rule(eigh, vjps=(_eigh_vjp,), jvps=(_eigh_jvp,))


@composite(np.linalg.eigh)
def _eigh(a, UPLO="L"):
    out = eigh(a, UPLO.upper() == "L")
    return EigResult(real(out[..., 0, :]), out[..., 1:, :])


def _eigvalsh_vjp(g, out, a, UPLO="L"):
    V = np.linalg.eigh(a, UPLO)[1]
    return triangle(V * row(g) @ H(V), UPLO.upper() == "L")


def _eigvalsh_jvp(t, out, a, UPLO="L"):
    V = np.linalg.eigh(a, UPLO)[1]
    return real(diagonal(H(V) @ hermitian(t, UPLO.upper() == "L") @ V))


rule(np.linalg.eigvalsh, vjps=(_eigvalsh_vjp,), jvps=(_eigvalsh_jvp,))


# ---- eigenvalues of any square matrices ------------------------------------------------------
@primitive
def eig(a):
    """``np.linalg.eig`` as one array: the eigenvalues in the first row, the vectors below."""
    w, V = np.linalg.eig(a)
    return np.concatenate([row(w), V], axis=-2)


def _eig_vjp(g, out, a):
    w, V = out[..., 0, :], out[..., 1:, :]
    gw, gV = g[..., 0, :], g[..., 1:, :]
    inner = H(V) @ gV
    inner = inner - H(V) @ V * row(real(diagonal(inner)))  # vectors keep length one
    inner = spread(gw, V) + off_diagonal(inner, conj(_gaps(w)))
    return np.linalg.solve(H(V), inner @ H(V))


def _eig_jvp(t, out, a):
    w, V = out[..., 0, :], out[..., 1:, :]
    inner = np.linalg.solve(V, t @ V)
    dV = V @ off_diagonal(inner, _gaps(w))
    dV = dV - V * row(real(np.sum(conj(V) * dV, axis=-2)))
    return np.concatenate([row(diagonal(inner)), dV], axis=-2)


rule(eig, vjps=(_eig_vjp,), jvps=(_eig_jvp,))


@composite(np.linalg.eig)
def _eig(a):
    out = eig(a)
    return EigResult(out[..., 0, :], out[..., 1:, :])


composite(np.linalg.eigvals)(lambda a: np.linalg.eig(a).eigenvalues)


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


def _beyond(x, U):
    """``x`` without its part in the space of ``U``'s columns, of which there may be no other."""
    return x - U @ (H(U) @ x) if U.shape[-2] > U.shape[-1] else np.zeros_like(x)


def _svd_vjp(g, out, a):
    U, S, V = _factors(out, a)
    gU, gS, gV = _factors(g, a)
    squares, s = _gaps(S**2), row(S)
    of_U, of_V = H(U) @ gU, H(V) @ gV
    N, M = off_diagonal(of_U, squares), off_diagonal(of_V, squares)
    inner = spread(gS, N) + (N + H(N)) * s + column(S) * (M + H(M))
    if a.dtype.kind == "c":  # half of the change of phase goes to either side
        phase = np.imag(diagonal(of_U) - diagonal(of_V))
        inner = inner + spread(0.5j * quotient(phase, S), N)
    left, right = _beyond(quotient(gU, s), U), _beyond(quotient(gV, s), V)
    return (U @ inner + left) @ H(V) + U @ H(right)


def _svd_jvp(t, out, a):
    U, S, V = _factors(out, a)
    squares, s = _gaps(S**2), row(S)
    tV, tU = t @ V, H(t) @ U
    inner = H(U) @ tV
    dU = U @ off_diagonal(inner * s + column(S) * H(inner), squares)
    dV = V @ off_diagonal(column(S) * inner + H(inner) * s, squares)
    dU, dV = dU + _beyond(quotient(tV, s), U), dV + _beyond(quotient(tU, s), V)
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
