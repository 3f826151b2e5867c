"""Inverses, determinants and linear systems, batched over the leading axes.

At a singular matrix only the determinant has a derivative; the others raise NumPy's LinAlgError.
``pinv`` is differentiated at constant rank.
"""

from typing import NamedTuple

import numpy as np

from tinygrad_dnn.primitives import Array, as_array, as_one, composite, primitive, rule
from tinygrad_dnn.rules.linalg import H, column, conj, mT, row


def _trace(x):
    return np.trace(x, axis1=-2, axis2=-1)


def _square(v):
    """Turn numbers into matrices of one entry."""
    return v[..., None, None]


# ---- inverse ---------------------------------------------------------------------------------
rule(
    np.linalg.inv,
    vjps=(lambda g, out, a: -H(out) @ g @ H(out),),
    jvps=(lambda t, out, a: -out @ t @ out,),
)


def _pinv_vjp(g, out, a, *rcond, **options):
    p, ph, gh = out, H(out), H(g)
    left, right = p @ a, a @ p  # the projections on its rows and on its columns
    outside = gh @ p @ ph - right @ gh @ p @ ph
    return ph @ p @ gh - ph @ p @ gh @ left + outside - ph @ g @ ph


def _pinv_jvp(t, out, a, *rcond, **options):
    p, ph, th = out, H(out), H(t)
    outside = p @ ph @ th - p @ ph @ th @ a @ p
    return th @ ph @ p - p @ a @ th @ ph @ p + outside - p @ t @ p


rule(np.linalg.pinv, vjps=(_pinv_vjp,), jvps=(_pinv_jvp,))


@composite(np.linalg.lstsq)
def _lstsq(a, b, rcond=None):
    a, b = as_array(a), as_array(b)
    m, n = a.shape
    least = np.finfo(a.dtype).eps * (1 if rcond == -1 else max(m, n))
    least = least if rcond in (None, -1) else rcond
    S = np.linalg.svdvals(a)
    rank = int(np.sum(least * S[0] < S))
    x = np.linalg.pinv(a, least) @ b
    left = np.zeros(0, S.dtype)
    if rank == n < m:
        left = np.sum(np.absolute(b - a @ x) ** 2, axis=0, keepdims=b.ndim == 1)
    return x, left, rank, S


# ---- determinant -----------------------------------------------------------------------------
@as_one
def _cofactors(out, a):
    """The gradient of the determinant: also where there is no inverse, or hardly one."""
    sizes = np.prod(np.linalg.norm(a, axis=-1), axis=-1)  # Hadamard: no determinant is larger
    if np.all(np.absolute(out) > np.sqrt(np.finfo(a.dtype).eps) * sizes):
        return _square(conj(out)) * H(np.linalg.inv(a))
    U, S, Vh = np.linalg.svd(a, full_matrices=False)
    others = np.prod(np.where(np.eye(a.shape[-1], dtype=bool), 1, row(S)), axis=-1)
    return _square(conj(np.linalg.det(U) * np.linalg.det(Vh))) * (U * row(others) @ Vh)


rule(
    np.linalg.det,
    vjps=(lambda g, out, a: _square(g) * _cofactors(out, a),),
    jvps=(lambda t, out, a: np.sum(conj(_cofactors(out, a)) * t, axis=(-2, -1)),),
)


@primitive
def sign_and_logdet(a):
    """``np.linalg.slogdet`` as one array, the sign and the logarithm in its last axis."""
    sign, log = np.linalg.slogdet(a)
    return np.stack([sign, log.astype(sign.dtype)], axis=-1)


def _slogdet_vjp(g, out, a):
    if a.dtype.kind != "c":  # the sign of a real determinant is a step function
        return _square(g[..., 1]) * mT(np.linalg.inv(a))
    turn = np.real(np.conjugate(g[..., 0]) * 1j * out[..., 0])
    return _square(np.real(g[..., 1]) + 1j * turn) * H(np.linalg.inv(a))


def _slogdet_jvp(t, out, a):
    change = _trace(np.linalg.solve(a, t))
    if a.dtype.kind != "c":
        return np.stack([np.zeros_like(change), change], axis=-1)
    return np.stack([1j * out[..., 0] * np.imag(change), np.real(change)], axis=-1)


rule(sign_and_logdet, vjps=(_slogdet_vjp,), jvps=(_slogdet_jvp,))


class SlogdetResult(NamedTuple):
    """What ``np.linalg.slogdet`` returns."""

    sign: Array
    logabsdet: Array


@composite(np.linalg.slogdet)
def _slogdet(a):
    both = sign_and_logdet(a)
    log = both[..., 1]
    return SlogdetResult(both[..., 0], np.real(log) if log.dtype.kind == "c" else log)


# ---- linear systems --------------------------------------------------------------------------
def _solved(a, v, b):
    """Solve for ``v``, which holds vectors exactly if ``b`` is one."""
    if np.ndim(b) == 1:
        return np.squeeze(np.linalg.solve(a, column(v)), -1)
    return np.linalg.solve(a, v)


def _solve_da(g, out, a, b):
    g = _solved(H(a), g, b)
    return -column(g) * row(conj(out)) if np.ndim(b) == 1 else -g @ H(out)


def _solve_ahead_a(t, out, a, b):
    return -_solved(a, np.squeeze(t @ column(out), -1) if np.ndim(b) == 1 else t @ out, b)


rule(
    np.linalg.solve,
    vjps=(_solve_da, lambda g, out, a, b: _solved(H(a), g, b)),
    jvps=(_solve_ahead_a, lambda t, out, a, b: np.linalg.solve(a, t)),
    broadcasts=True,
)


@composite(np.linalg.tensorsolve)
def _tensorsolve(a, b, axes=None):
    if axes is not None:
        a = np.moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    shape = np.shape(a)[np.ndim(b) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (np.size(b),) * 2), np.ravel(b)), shape)


@composite(np.linalg.tensorinv)
def _tensorinv(a, ind=2):
    rows, columns = a.shape[:ind], a.shape[ind:]
    inverse = np.linalg.inv(np.reshape(a, (int(np.prod(rows)), int(np.prod(columns)))))
    return np.reshape(inverse, (*columns, *rows))
