"""Eigenvalues and eigenvectors, of Hermitian matrices and of any square ones.

Where eigenvalues tie, the vectors have no derivative: 0/0 counts as 0, so a gradient that does not
depend on the vectors is right, and any other infinite, with NumPy's warning.  Complex vectors are
known up to a phase, and so are their derivatives: use functions that it leaves alone.
"""

from typing import NamedTuple

import numpy as np

from tinygrad_dnn.primitives import Array, composite, primitive, rule
from tinygrad_dnn.rules.decompositions import (
    diagonal,
    gaps,
    hermitian,
    off_diagonal,
    real,
    spread,
    triangle,
)
from tinygrad_dnn.rules.linalg import H, conj, row


class EigResult(NamedTuple):
    """What ``np.linalg.eig`` and ``np.linalg.eigh`` return."""

    eigenvalues: Array
    eigenvectors: Array


# ---- eigenvalues of Hermitian matrices -------------------------------------------------------
@primitive
def eigh(a, lower=True):
    """``np.linalg.eigh`` as one array: the eigenvalues in the first row, the vectors below."""
    w, V = np.linalg.eigh(a, "L" if lower else "U")
    return np.concatenate([row(w.astype(V.dtype)), V], axis=-2)


def _eigh_vjp(g, out, a, lower=True):
    w, V = real(out[..., 0, :]), out[..., 1:, :]
    gw, gV = real(g[..., 0, :]), g[..., 1:, :]
    inner = spread(gw, V) + off_diagonal(H(V) @ gV, gaps(w))
    inner = V @ inner @ H(V)
    return triangle((inner + H(inner)) / 2, lower)


def _eigh_jvp(t, out, a, lower=True):
    w, V = real(out[..., 0, :]), out[..., 1:, :]
    inner = H(V) @ hermitian(t, lower) @ V
    dV = V @ off_diagonal(inner, gaps(w))
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
    inner = spread(gw, V) + off_diagonal(inner, conj(gaps(w)))
    return np.linalg.solve(H(V), inner @ H(V))


def _eig_jvp(t, out, a):
    w, V = out[..., 0, :], out[..., 1:, :]
    inner = np.linalg.solve(V, t @ V)
    dV = V @ off_diagonal(inner, gaps(w))
    dV = dV - V * row(real(np.sum(conj(V) * dV, axis=-2)))
    return np.concatenate([row(diagonal(inner)), dV], axis=-2)


rule(eig, vjps=(_eig_vjp,), jvps=(_eig_jvp,))


@composite(np.linalg.eig)
def _eig(a):
    out = eig(a)
    return EigResult(out[..., 0, :], out[..., 1:, :])


composite(np.linalg.eigvals)(lambda a: np.linalg.eig(a).eigenvalues)
