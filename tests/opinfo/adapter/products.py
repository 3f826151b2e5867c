"""Products of vectors and matrices, and sums of them."""

import numpy as np

from tests.opinfo.compare import Unsupported


def einsum(operands, equation):
    left, _, right = equation.partition("->")
    if right and "..." in left and "..." not in right:
        raise Unsupported("a sum over the ellipsis")
    return np.einsum(equation, *operands)


def tensordot(a, b, dims=2):
    if isinstance(dims, list | tuple):
        contracted = [[x.shape[i] for i in places] for x, places in zip((a, b), dims, strict=True)]
        if contracted[0] != contracted[1]:
            raise Unsupported("contracted axes of length one are not stretched")
    return np.tensordot(a, b, dims)


def cross(a, b, dim=-1):
    return np.cross(a, b, axis=dim)


def first_of_length_three(a, b, dim=None):
    """``torch.cross``: without ``dim``, the first axis of length three."""
    return np.cross(a, b, axis=a.shape.index(3) if dim is None else dim)


def plus(product):
    """``beta * c + alpha * product(a, b)``."""

    def add(c, a, b, *, beta=1, alpha=1):
        kept = 0 if beta == 0 else beta * c
        return kept + alpha * product(a, b)

    return add


def vecdot(a, b, dim=-1):
    return np.sum(a * b, axis=dim)


def bilinear(x, y, W, b=None):
    out = np.einsum("...i,kij,...j->...k", x, W, y)
    return out if b is None else out + b


OPERATIONS = {
    "matmul": np.matmul,
    "__rmatmul__": lambda a, b: b @ a,
    "mm": np.matmul,
    "bmm": np.matmul,
    "mv": np.matmul,
    "dot": np.dot,
    "vdot": np.vdot,
    "linalg.vecdot": vecdot,
    "inner": np.inner,
    "outer": np.outer,
    "kron": np.kron,
    "einsum": einsum,
    "tensordot": tensordot,
    "cross": first_of_length_three,
    "linalg.cross": cross,
    "linalg.multi_dot": lambda arrays: np.linalg.multi_dot(arrays),
    "linalg.matrix_power": lambda a, n: np.linalg.matrix_power(a, n),
    "addmm": plus(np.matmul),
    "addmm.decomposed": plus(np.matmul),
    "addmv": plus(np.matmul),
    "addr": plus(np.outer),
    "baddbmm": plus(np.matmul),
    "addbmm": plus(lambda a, b: np.sum(a @ b, axis=0)),
    "nn.functional.bilinear": bilinear,
}
