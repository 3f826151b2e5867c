"""Matrices taken apart: determinants, inverses, factorisations, norms."""

import numpy as np

import tinygrad_dnn as tg
from tests.opinfo.adapter.arguments import axes, refuse
from tests.opinfo.compare import Unsupported


def norm(x, ord=None, dim=None, keepdim=False, dtype=None):
    x = x if dtype is None else np.astype(x, dtype)
    if ord is not None and dim is None and x.ndim not in (1, 2):
        raise Unsupported("an order for the norm of more than two axes")
    return np.linalg.norm(x, ord, axes(x, dim), keepdim)


def old_norm(x, p="fro", dim=None, keepdim=False, dtype=None):
    """``torch.norm``: of any number of axes, all taken as one vector."""
    if p == "nuc":
        return norm(x, p, dim, keepdim, dtype)
    return vector_norm(x, 2 if p in ("fro", None) else p, dim, keepdim, dtype)


def vector_norm(x, ord=2, dim=None, keepdim=False, dtype=None):
    x = x if dtype is None else np.astype(x, dtype)
    return np.linalg.vector_norm(x, axis=axes(x, dim), keepdims=keepdim, ord=ord)


def matrix_norm(x, ord="fro", dim=(-2, -1), keepdim=False, dtype=None):
    return norm(x, ord, dim, keepdim, dtype)


def dist(x, y, p=2):
    return vector_norm(x - y, p)


def solve(a, b, left=True):
    refuse(right=not left)
    if b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]):
        return np.squeeze(np.linalg.solve(a, np.expand_dims(b, -1)), -1)
    return np.linalg.solve(a, b)


def solve_triangular(a, b, *, upper, left=True, unitriangular=False):
    options = {"lower": not upper, "unit_diagonal": unitriangular}
    if left:
        return tg.linalg.solve_triangular(a, b, **options)
    turned = (np.swapaxes(x, -1, -2) for x in (a, b))
    options["lower"] = upper
    return np.swapaxes(tg.linalg.solve_triangular(*turned, **options), -1, -2)


def triangular_solve(b, a, upper=True, transpose=False, unitriangular=False):
    options = {"lower": not upper, "unit_diagonal": unitriangular, "trans": int(transpose)}
    return tg.linalg.solve_triangular(a, b, **options), a


def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    n = x.shape[-1] + abs(offset)
    places = np.arange(x.shape[-1])
    rows, columns = places + max(-offset, 0), places + max(offset, 0)
    zeros = np.zeros((*x.shape[:-1], n, n), x.dtype)
    return np.moveaxis(tg.at(zeros)[..., rows, columns].set(x), (-2, -1), (dim1, dim2))


def cholesky(a, upper=False):
    L = np.linalg.cholesky(a)
    return np.swapaxes(L, -1, -2) if upper else L


def eigenvalues(a, UPLO="L"):
    return np.linalg.eigvalsh(a, UPLO)


def without_signs(parts):
    """Singular and eigenvectors have no sign of their own: the battery compares absolute values."""
    return [np.abs(part) for part in parts]


def eigh(a, UPLO="L"):
    return np.linalg.eigh(a, UPLO)


def svd(a, full_matrices=True, some=None):
    refuse(full_matrices=full_matrices if some is None else not some)
    return np.linalg.svd(a, full_matrices=False)


def cdist(x, y, p=2.0, compute_mode=None):
    between = np.expand_dims(x, -2) - np.expand_dims(y, -3)
    return np.linalg.vector_norm(between, axis=-1, ord=p)


def pinv(a, rcond=None, *, rtol=None, hermitian=False):
    rtol = rcond if rtol is None else getattr(rtol, "data", rtol)
    return np.linalg.pinv(a, rtol=rtol, hermitian=hermitian)


def logdet(a):
    sign, log = np.linalg.slogdet(a)
    return np.where(sign < 0, np.nan, log)


def vander(x, N=None):
    if x.ndim != 1:
        raise Unsupported("np.vander takes one vector")
    return np.vander(x, N, increasing=True)


def svdvals(a):
    return np.linalg.svd(a, compute_uv=False)


def cond(a, p=None):
    return np.linalg.cond(a, p)


OPERATIONS = {
    "linalg.solve_triangular": solve_triangular,
    "triangular_solve": triangular_solve,
    "diag_embed": diag_embed,
    "linalg.det": lambda a: np.linalg.det(a),
    "linalg.slogdet": lambda a: np.linalg.slogdet(a),
    "logdet": logdet,
    "linalg.inv": lambda a: np.linalg.inv(a),
    "linalg.pinv": pinv,
    "linalg.pinv.hermitian": pinv,
    "pinverse": pinv,
    "linalg.solve": solve,
    "linalg.cholesky": cholesky,
    "cholesky": cholesky,
    "linalg.eigh": lambda *args, **options: without_signs(eigh(*args, **options)),
    "linalg.svd": lambda *args, **options: without_signs(svd(*args, **options)),
    "linalg.qr": lambda a, mode="reduced": np.linalg.qr(a, mode),
    "cdist": cdist,
    "linalg.eigvalsh": eigenvalues,
    "linalg.svdvals": svdvals,
    "linalg.cond": cond,
    "linalg.tensorinv": lambda a, ind=2: np.linalg.tensorinv(a, ind),
    "linalg.tensorsolve": lambda a, b, dims=None: np.linalg.tensorsolve(a, b, dims),
    "linalg.vander": vander,
    "linalg.norm": norm,
    "linalg.norm.subgradients_at_zero": norm,
    "linalg.vector_norm": vector_norm,
    "linalg.matrix_norm": matrix_norm,
    "norm": old_norm,
    "norm.fro": old_norm,
    "norm.inf": old_norm,
    "norm.nuc": old_norm,
    "dist": dist,
    "trace": np.trace,
    "tril": lambda x, diagonal=0: np.tril(x, diagonal),
    "triu": lambda x, diagonal=0: np.triu(x, diagonal),
    "diag": lambda x, diagonal=0: np.diag(x, diagonal),
    "diagflat": lambda x, offset=0: np.diagflat(x, offset),
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "diagonal_copy": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: np.diagonal(x, offset, dim1, dim2),
}
