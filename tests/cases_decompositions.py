"""Cases of einsum, linear systems, decompositions and norms."""

from itertools import product

import numpy as np

from tests.case import case, normal, positive
from tinygrad_dnn.rules.eigen import eig, eigh
from tinygrad_dnn.rules.orthogonal import qr
from tinygrad_dnn.rules.singular import svd
from tinygrad_dnn.rules.solving import sign_and_logdet
from tinygrad_dnn.rules.triangular import solve_triangular

# ---- einsum ----------------------------------------------------------------------------------
for subscripts, *shapes in (
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ba", (2, 3)),
    ("i,i", (3,), (3,)),
    ("i,j->ji", (2,), (3,)),
    ("ij->", (2, 3)),
    ("ij->i", (2, 3)),
    ("ij,k->i", (2, 3), (2,)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iji->j", (3, 2, 3)),
    ("iii->i", (2, 2, 2)),
    ("iij,jk->ik", (2, 2, 3), (3, 4)),
    ("ij,ij,ij->j", (2, 3), (2, 3), (2, 3)),
    ("ijk,jil,lm->km", (2, 3, 4), (3, 2, 5), (5, 2)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...ij,...jk", (5, 2, 3), (4, 5, 3, 2)),
    ("...ij,...jk->...ik", (5, 1, 2, 3), (4, 3, 2)),
    ("i...->...", (2, 3, 4)),
    ("...ii->...", (2, 3, 3)),
    ("...,...", (2, 1), (3,)),
    ("i...j,j->i...", (2, 3, 4, 5), (5,)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("ij,kj->ik", (2, 1), (4, 3)),
    (" i j , j -> i ", (2, 3), (3,)),
    (",ij->ji", (), (2, 3)),
):
    case(np.einsum, subscripts, *(normal(*shape) for shape in shapes))
case(np.einsum, normal(2, 3), [0, 1], normal(3, 4), [1, 2], [0, 2])
case(np.einsum, normal(2, 3), [0, 1], normal(3, 4), [1, 2])
case(np.einsum, normal(5, 3, 3), [..., 0, 0], [..., 0])
case(np.einsum, "ij,jk,kl->il", normal(2, 3), normal(3, 4), normal(4, 2), optimize=True)
case(np.einsum, "ij,jk,kl->il", normal(2, 3), normal(3, 4), normal(4, 2), optimize="optimal")
case(
    np.einsum,
    "ij,jk,kl->il",
    normal(2, 3),
    normal(3, 4),
    normal(4, 2),
    optimize=["einsum_path", (0, 1), (0, 1)],
)
case(np.einsum, "ij,j->i", np.array([[1, 2], [3, 4]]), normal(2), keeps_float32=False)


# ---- linear systems --------------------------------------------------------------------------
def regular(*shape: int) -> np.ndarray:
    """Square matrices far from singular."""
    return normal(*shape) + 4 * np.eye(shape[-1])


for shape in ((1, 1), (3, 3), (2, 3, 3), (2, 1, 2, 2)):
    case(np.linalg.inv, regular(*shape))
    case(np.linalg.det, regular(*shape))
    case(sign_and_logdet, regular(*shape), through=lambda a: np.linalg.slogdet(a)[1], smooth=False)
case(sign_and_logdet, -regular(3, 3), smooth=False)
case(np.linalg.det, np.arange(1.0, 10.0).reshape(3, 3))  # singular
case(np.linalg.det, np.array([[1.0, 2.0], [2.0, 4.0]]))
case(np.linalg.det, np.array([[[1.0, 2.0], [2.0, 4.0]], [[3.0, 1.0], [0.0, 2.0]]]))
case(np.linalg.det, normal(0, 0))
case(
    np.linalg.inv, regular(6, 6), through=lambda a: np.linalg.tensorinv(np.reshape(a, (2, 3, 6)), 2)
)
case(np.linalg.matrix_power, regular(3, 3), -2)
for trans, lower, unit in product((0, 1, 2), (False, True), (False, True)):
    case(solve_triangular, regular(3, 3), normal(3, 2), trans, lower, unit, smooth=trans < 2)
for shape, of_b in (
    ((3, 3), (3,)),
    ((2, 3, 3), (3, 1)),
    ((2, 1, 3, 3), (4, 3, 2)),
    ((2, 2), (0, 2, 3)),
    ((0, 0), (0,)),
):
    case(solve_triangular, regular(*shape), normal(*of_b), "T", lower=True)
for shape, of_b in (
    ((3, 3), (3,)),
    ((3, 3), (3, 2)),
    ((2, 3, 3), (3,)),
    ((2, 3, 3), (2, 3, 4)),
    ((3, 3), (2, 3, 4)),
    ((2, 1, 3, 3), (5, 3, 1)),
    ((3, 3, 3), (3, 3)),
):
    case(np.linalg.solve, regular(*shape), normal(*of_b))
case(
    np.linalg.solve,
    regular(6, 6),
    normal(2, 3),
    through=lambda a, b: np.linalg.tensorsolve(np.reshape(a, (2, 3, 3, 2)), b),
)
case(np.linalg.solve, [[2.0, 1.0], [1.0, 3.0]], normal(2), keeps_float32=False)
for shape in ((3, 3), (4, 2), (2, 4), (2, 4, 3), (2, 3, 4)):
    case(np.linalg.pinv, normal(*shape) + 2 * np.eye(*shape[-2:]), smooth=False)
case(
    np.linalg.pinv,
    normal(3),
    normal(2),
    through=lambda x, y: np.linalg.pinv(np.outer(x, y), 1e-3),  # of rank one, and staying so
    smooth=False,
)


# ---- decompositions --------------------------------------------------------------------------
def definite(*shape: int) -> np.ndarray:
    """Positive definite matrices, their eigenvalues apart."""
    a = np.random.default_rng(shape[-1]).uniform(0.2, 0.5, size=shape)
    return a + np.swapaxes(a, -1, -2) + np.diag(2.0 * np.arange(1, shape[-1] + 1))


def settled(values, vectors):
    """What stays when LAPACK turns eigenvectors round or reorders them, which it does any time."""
    of_pairs = vectors * vectors[..., :1, :] * np.expand_dims(values, -2) ** 2
    return np.real(np.sum(of_pairs, axis=-1))


LAPACK = {"smooth": False, "exact": False}  # it rounds by where in memory a matrix lies


for shape in ((1, 1), (3, 3), (2, 3, 3)):
    case(np.linalg.cholesky, definite(*shape), smooth=False)
    case(np.linalg.cholesky, definite(*shape), upper=True, smooth=False)
    for triangle in "LU":
        case(np.linalg.eigvalsh, definite(*shape), triangle, smooth=False)
        case(eigh, definite(*shape), triangle == "L", smooth=False)
        case(
            eigh,
            definite(*shape),
            triangle,
            through=lambda a, t: np.linalg.eigh(a, t)[0],
            smooth=False,
        )
        case(
            eigh,
            definite(*shape),
            UPLO=triangle,
            through=lambda a, **t: np.linalg.eigh(a, **t)[1],
            smooth=False,
        )
    apart = definite(*shape) + np.tril(positive(*shape)) / 16
    case(eig, apart, through=lambda a: settled(*np.linalg.eig(a)), **LAPACK)
    case(
        eig,
        definite(*shape),
        through=lambda a: np.real(np.sum(np.linalg.eig(a)[0] ** 3, axis=-1)),
        **LAPACK,
    )
    case(
        eig,
        definite(*shape),
        through=lambda a: np.real(np.sum(np.linalg.eigvals(a) ** 3, axis=-1)),
        **LAPACK,
    )


def long(*shape: int) -> np.ndarray:
    """Matrices whose singular values are apart and not small."""
    m, n = shape[-2:]
    rng = np.random.default_rng(n)
    return rng.uniform(0.2, 0.5, size=shape) + np.eye(m, n) * 2.0 * np.arange(1, n + 1)


def mixed(*shape: int) -> np.ndarray:
    """Entries of both signs, no two of a size, and sums of sizes apart."""
    sizes = 0.1 + 0.15 * np.random.default_rng(1).permutation(int(np.prod(shape))) ** 1.3
    return np.reshape(sizes * np.where(np.arange(sizes.size) % 3, 1, -1), shape)


for shape in ((1, 1), (3, 3), (4, 2), (2, 4), (2, 4, 3), (2, 1, 3, 4)):
    case(svd, long(*shape), smooth=False)
    case(np.linalg.svdvals, long(*shape), smooth=False)
    case(np.linalg.svd, long(*shape), compute_uv=False, smooth=False)
    for i in range(3):
        factor = lambda a, i=i: np.linalg.svd(a, full_matrices=False)[i]
        case(svd, long(*shape), through=factor, smooth=False)
    case(qr, long(*shape), smooth=False)
    case(qr, long(*shape), through=lambda a: np.linalg.qr(a).Q, smooth=False)
    case(qr, long(*shape), through=lambda a: np.linalg.qr(a).R, smooth=False)
    case(np.linalg.qr, long(*shape), mode="r", smooth=False)
case(svd, long(3, 3), through=lambda a: np.linalg.svd(a).Vh, smooth=False)

# ---- norms -----------------------------------------------------------------------------------
for order in (None, 2, 1, 3, 0.5, np.inf, -np.inf, -1, 0):
    case(np.linalg.norm, mixed(5), order, smooth=False)
    case(np.linalg.norm, mixed(2, 3), order, axis=0, smooth=False)
    case(np.linalg.norm, mixed(2, 3, 2), order, 1, True, smooth=False)
case(np.linalg.norm, normal(2, 3, 2), smooth=False)
case(np.linalg.norm, normal(2, 3, 2), keepdims=True, smooth=False)
for order in (None, "fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf):
    matrix = mixed if order in (1, -1, np.inf, -np.inf) else long
    case(np.linalg.norm, matrix(3, 3), order, smooth=False)
    case(np.linalg.norm, matrix(2, 4, 3), order, axis=(1, 2), smooth=False)
    case(np.linalg.norm, matrix(2, 3, 4), order, axis=(-1, 0), keepdims=True, smooth=False)
    case(
        np.linalg.norm,
        long(2, 4, 3),
        through=lambda a, o=order: np.linalg.matrix_norm(a, ord=o or "fro"),
        smooth=False,
    )
    if order not in ("fro", "nuc"):
        case(np.linalg.cond, long(3, 3), order, smooth=False)
for axis in (None, 0, -1, (0, 2), (2, 1, 0)):
    for options in ({}, {"ord": 3}, {"ord": 1, "keepdims": True}):
        case(
            np.linalg.norm,
            mixed(2, 3, 2),
            axis=axis,
            **options,
            through=np.linalg.vector_norm,
            smooth=False,
        )
case(np.linalg.norm, positive(1), smooth=False)
