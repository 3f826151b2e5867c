"""Linear systems with a triangular matrix, batched over the leading axes; SciPy solves them.

Only the triangle is read, hence only the triangle has a derivative.
"""

import numpy as np

from tinygrad_dnn.primitives import as_data, primitive, rule
from tinygrad_dnn.rules.linalg import H, column, conj, mT, row
from tinygrad_dnn.rules.special import scipy

_TURNED = {0: lambda a: a, 1: mT, 2: H, "N": lambda a: a, "T": mT, "C": H}


@primitive
def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False):
    """Solve op(a) x = b for x, where ``a`` is triangular: ``scipy.linalg.solve_triangular``.

    Shapes: a (..., n, n), b (n,) or (..., n, k) -> x, as b.  op(a) is a for ``trans`` = 0 or "N",
    its transpose for 1 or "T", the conjugate of that for 2 or "C".  Of ``a`` only the upper
    triangle is read, or the ``lower``; with ``unit_diagonal`` its diagonal counts as ones.

    Raises LinAlgError if there is a zero on the diagonal.

    >>> solve_triangular(np.array([[2.0, 0.0], [1.0, 4.0]]), np.array([2.0, 9.0]), lower=True)
    array([1., 2.])
    """
    a, b = as_data(a), as_data(b)
    solve, options = scipy("linalg", "solve_triangular"), (trans, lower, unit_diagonal)
    if a.ndim == 2 and b.ndim <= 2 and b.size:
        return solve(a, b, *options, check_finite=False)
    rest = b.shape[b.ndim - min(b.ndim, 2) :]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[: b.ndim - len(rest)])
    a, b = np.broadcast_to(a, batch + a.shape[-2:]), np.broadcast_to(b, batch + rest)
    x = np.empty(b.shape, np.result_type(a, b))
    for i in np.ndindex(batch if b.size else (0,)):
        x[i] = solve(a[i], b[i], *options, check_finite=False)
    return x


def _triangle(a, lower, unit_diagonal):
    k = int(unit_diagonal)
    return np.tril(a, -k) if lower else np.triu(a, k)


def _db(g, out, a, b, trans=0, lower=False, unit_diagonal=False):
    if trans in (0, "N"):
        return solve_triangular(a, g, "C", lower, unit_diagonal)
    return solve_triangular(conj(a) if trans in (1, "T") else a, g, "N", lower, unit_diagonal)


def _da(g, out, a, b, trans=0, lower=False, unit_diagonal=False):
    db = _db(g, out, a, b, trans, lower, unit_diagonal)
    whole = -column(db) * row(conj(out)) if out.ndim == 1 else -db @ H(out)
    return _triangle(_TURNED[trans](whole), lower, unit_diagonal)


def _ahead_a(t, out, a, b, trans=0, lower=False, unit_diagonal=False):
    t = _TURNED[trans](_triangle(t, lower, unit_diagonal))
    return -solve_triangular(a, t @ out, trans, lower, unit_diagonal)


rule(
    solve_triangular,
    vjps=(_da, _db),
    jvps=(
        _ahead_a,
        lambda t, out, a, b, *options, **kwargs: solve_triangular(a, t, *options, **kwargs),
    ),
    broadcasts=True,
)
