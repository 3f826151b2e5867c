"""Matrix products of every rank: each linear in each factor, so its transpose is a product too.

``conj`` matters to complex factors only: the gradient by a factor is the adjoint of the product
with the other one.  ``H`` is the conjugate transpose of the last two axes.
"""

from functools import wraps

import numpy as np
from numpy import ndarray

from tinygrad_dnn.errors import DimensionError, MissingRuleError
from tinygrad_dnn.primitives import (
    RULES,
    Each,
    composite,
    is_recorded,
    multilinear,
    primitive,
    rule,
)


def conj(x):
    """Conjugate ``x``, which may be a list or a number; real arrays pass untouched."""
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    return np.conjugate(x) if x.dtype.kind == "c" else x


def mT(x):
    """Transpose the last two axes."""
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


def H(x):
    """Transpose the last two axes and conjugate."""
    return mT(conj(x))


def column(x):
    """Turn vectors into matrices of one column."""
    return np.expand_dims(x, -1)


def row(x):
    """Turn vectors into matrices of one row."""
    return np.expand_dims(x, -2)


# ---- matrices and vectors in the last axes, broadcast over the others ------------------------
@wraps(np.matmul)
def _matmul(a, b):  # of two matrices by the method, which NumPy enters in half the time
    if a.ndim == b.ndim == 2:
        return a.dot(b) if type(a) is type(b) else np.dot(a, b)
    return np.matmul(a, b)


def _of_matrices(a, b):
    if is_recorded(type(a)) or is_recorded(type(b)):
        return a @ b
    return a.dot(b) if type(a) is type(b) else np.dot(a, b)


def _left(g, out, a, b):
    if a.ndim == b.ndim == 2:
        b = H(b) if b.dtype.kind == "c" else b.T
        return g.dot(b) if type(g) is type(b) is ndarray else _of_matrices(g, b)
    if b.ndim == 1:
        return column(g) * conj(b)
    return (row(g) if a.ndim == 1 else g) @ H(b)


def _right(g, out, a, b):
    if a.ndim == b.ndim == 2:
        a = H(a) if a.dtype.kind == "c" else a.T
        return a.dot(g) if type(a) is type(g) is ndarray else _of_matrices(a, g)
    if a.ndim == 1:
        return g * conj(a) if b.ndim == 1 else column(conj(a)) * row(g)
    return np.squeeze(H(a) @ column(g), -1) if b.ndim == 1 else H(a) @ g


multilinear(np.matmul, _left, _right, broadcasts=True)
RULES[np.matmul].call = _matmul
multilinear(
    np.vecdot,  # conjugates its first factor
    lambda g, out, x, y: column(conj(g)) * y,
    lambda g, out, x, y: column(g) * x,
    broadcasts=True,
)
multilinear(
    np.matvec,
    lambda g, out, a, x: column(g) * row(conj(x)),
    lambda g, out, a, x: np.matvec(H(a), g),
    broadcasts=True,
)
multilinear(
    np.vecmat,  # conjugates its first factor
    lambda g, out, x, a: np.matvec(a, conj(g)),
    lambda g, out, x, a: column(x) * row(g),
    broadcasts=True,
)


@composite(np.linalg.vecdot)
def _vecdot(x1, x2, /, *, axis=-1):
    return np.vecdot(np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1))


composite(np.linalg.matmul)(lambda x1, x2, /: np.matmul(x1, x2))


# ---- products that contract chosen axes ------------------------------------------------------
def _axes(a, b, axes):
    """The contracted axes of ``a`` and of ``b``, as two lists of the same length."""
    if np.ndim(axes) == 0:
        return list(range(a.ndim - axes, a.ndim)), list(range(axes))
    of_a, of_b = (np.atleast_1d(part) for part in axes)
    return list(of_a % a.ndim), list(of_b % b.ndim)


def _others(ndim, axes):
    return [i for i in range(ndim) if i not in axes]


def _tensordot_da(g, out, a, b, axes=2):
    b = conj(b)
    of_a, of_b = _axes(a, b, axes)
    free_a, free_b = _others(a.ndim, of_a), _others(b.ndim, of_b)
    da = np.tensordot(g, b, (list(range(len(free_a), g.ndim)), free_b))
    order = free_a + [of_a[i] for i in np.argsort(of_b)]  # whose axes da has
    return np.transpose(da, np.argsort(order))


def _tensordot_db(g, out, a, b, axes=2):
    a = conj(a)
    of_a, of_b = _axes(a, b, axes)
    free_a, free_b = _others(a.ndim, of_a), _others(b.ndim, of_b)
    db = np.tensordot(a, g, (free_a, list(range(len(free_a)))))
    order = [of_b[i] for i in np.argsort(of_a)] + free_b
    return np.transpose(db, np.argsort(order))


multilinear(np.tensordot, _tensordot_da, _tensordot_db)
composite(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes))


def _contraction(last_of_b):
    """The vjps of np.dot or np.inner, which contract the last axis of a and ``last_of_b`` of b."""

    def axes(a, b):
        return -1, last_of_b if np.ndim(b) > 1 else -1

    def da(g, out, a, b):
        numbers = np.ndim(a) == 0 or np.ndim(b) == 0
        return g * conj(b) if numbers else _tensordot_da(g, out, a, b, axes(a, b))

    def db(g, out, a, b):
        numbers = np.ndim(a) == 0 or np.ndim(b) == 0
        return g * conj(a) if numbers else _tensordot_db(g, out, a, b, axes(a, b))

    return da, db


multilinear(np.dot, *_contraction(-2), broadcasts=True)
multilinear(np.inner, *_contraction(-1), broadcasts=True)
multilinear(
    np.vdot,  # conjugates its first factor
    lambda g, out, a, b: np.reshape(conj(g) * np.reshape(b, a.shape), a.shape),
    lambda g, out, a, b: np.reshape(g * np.reshape(a, b.shape), b.shape),
)


# ---- every entry with every entry ------------------------------------------------------------
@composite(np.outer)
def _outer(a, b, out=None):
    return column(np.ravel(a)) * row(np.ravel(b))


@composite(np.linalg.outer)
def _outer_of_vectors(x1, x2, /):
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise DimensionError(
            f"np.linalg.outer takes two vectors, got shapes {np.shape(x1)} and {np.shape(x2)}; "
            f"np.outer flattens what it is given"
        )
    return np.outer(x1, x2)


def _interleaved(g, a, b):
    """``g`` with the axes of a and of b separate, one of each in turn."""
    ndim = g.ndim
    of_a, of_b = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    return np.reshape(g, [n for pair in zip(of_a, of_b, strict=True) for n in pair]), of_a, of_b


def _kron_da(g, out, a, b):
    b = conj(b)
    apart, _, of_b = _interleaved(g, a, b)
    of_all = list(range(g.ndim))
    return np.reshape(
        np.tensordot(apart, np.reshape(b, of_b), ([2 * i + 1 for i in of_all], of_all)), a.shape
    )


def _kron_db(g, out, a, b):
    a = conj(a)
    apart, of_a, _ = _interleaved(g, a, b)
    of_all = list(range(g.ndim))
    return np.reshape(
        np.tensordot(apart, np.reshape(a, of_a), ([2 * i for i in of_all], of_all)), b.shape
    )


multilinear(np.kron, _kron_da, _kron_db)


# ---- the cross product -----------------------------------------------------------------------
@primitive
def cross(a, b):
    """``np.cross`` of the vectors in the last axis: ``np.cross`` on Tensors records this."""
    return np.cross(a, b)


multilinear(
    cross,
    lambda g, out, a, b: cross(conj(b), g),
    lambda g, out, a, b: cross(g, conj(a)),
    broadcasts=True,
)


@composite(np.cross)
def _cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if not np.shape(a)[-1] == 3 == np.shape(b)[-1]:
        raise MissingRuleError(
            f"np.cross on Tensors takes vectors of three entries, got {np.shape(a)[-1]} and "
            f"{np.shape(b)[-1]}; for two entries write a[0] * b[1] - a[1] * b[0]"
        )
    return np.moveaxis(cross(a, b), -1, axisc)


composite(np.linalg.cross)(lambda x1, x2, /, *, axis=-1: np.cross(x1, x2, axis=axis))


# ---- products of many ------------------------------------------------------------------------
@primitive
def multi_dot(*factors):
    """``np.linalg.multi_dot``, the factors as arguments: on Tensors it records this."""
    return np.linalg.multi_dot(factors)


def _product(factors):
    return factors[0] if len(factors) == 1 else np.linalg.multi_dot(factors)


def _multi_dot_vjp(i, g, out, *factors):
    before = [row(f) if f.ndim == 1 else f for f in map(conj, factors[:i])]
    after = [column(f) if f.ndim == 1 else f for f in map(conj, factors[i + 1 :])]
    rows = 1 if np.ndim(factors[0]) == 1 else np.shape(factors[0])[0]
    columns = 1 if np.ndim(factors[-1]) == 1 else np.shape(factors[-1])[1]
    g = np.reshape(g, (rows, columns))
    if before:
        g = _product(before).T @ g
    if after:
        g = g @ _product(after).T
    return np.reshape(g, factors[i].shape)


def _multi_dot_jvp(i, t, out, *factors):
    return np.linalg.multi_dot([*factors[:i], t, *factors[i + 1 :]])


rule(multi_dot, vjps=Each(_multi_dot_vjp), jvps=Each(_multi_dot_jvp))
composite(np.linalg.multi_dot)(lambda arrays, *, out=None: multi_dot(*arrays))


@composite(np.linalg.matrix_power)
def _matrix_power(a, n):
    if n == 0:
        return np.zeros_like(a) + np.eye(a.shape[-1], dtype=a.dtype)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:
        return a @ a @ a
    result, square = None, None
    while n:
        square = a if square is None else square @ square
        n, odd = divmod(n, 2)
        if odd:
            result = square if result is None else result @ square
    return result
