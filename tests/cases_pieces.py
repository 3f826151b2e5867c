"""Cases of functions that call others on parts, of fits, and of what lists are allowed in."""

import numpy as np

from tests.case import case, normal, positive, spread

PROMOTED = {"smooth": False, "keeps_float32": False}  # by integers, as NumPy does

# ---- a function on parts ---------------------------------------------------------------------
case(np.piecewise, spread(6), through=lambda x: np.piecewise(x, [x < 0], [np.exp, np.sin]))
case(
    np.piecewise,
    spread(2, 3),
    through=lambda x: np.piecewise(
        x, [x < -0.2, x > 0.2], [lambda x, n: x**n, 2.0, lambda x, n: -x], n=3
    ),
)
case(np.piecewise, spread(4), through=lambda x: np.piecewise(x, x < 0, [np.exp, 1]))
for axis in (0, 1, -1):
    case(
        np.apply_along_axis,
        normal(2, 3, 4),
        through=lambda x, axis=axis: np.apply_along_axis(np.cumsum, axis, x),
    )
    case(
        np.apply_along_axis,
        normal(2, 3),
        through=lambda x, axis=axis: np.apply_along_axis(lambda r: np.sum(r * r), axis, x),
    )
    case(
        np.apply_along_axis,
        normal(2, 3, 2),
        through=lambda x, axis=axis: np.apply_along_axis(lambda r: np.outer(r, r), axis, x),
    )
case(np.apply_over_axes, normal(2, 3, 4), through=lambda x: np.apply_over_axes(np.sum, x, [0, 2]))
case(np.apply_over_axes, normal(2, 3), through=lambda x: np.apply_over_axes(np.mean, x, -1))

# ---- fits ------------------------------------------------------------------------------------
TALL = np.array([[1.0, 0.3], [0.2, 1.5], [-0.7, 0.4], [0.9, -1.1]])
for a in (TALL, TALL.T.copy(), TALL[:2]):
    for columns in ((), (3,)):
        case(np.linalg.lstsq, a, normal(len(a), *columns), smooth=False,
             through=lambda a, b: np.linalg.lstsq(a, b)[0])  # fmt: skip
case(np.linalg.lstsq, TALL, normal(4), through=lambda a, b: np.linalg.lstsq(a, b)[1], smooth=False)
case(np.linalg.lstsq, TALL, normal(4), through=lambda a, b: np.linalg.lstsq(a, b)[3] * np.sum(b),
     smooth=False)  # fmt: skip
for deg in (0, 1, 3):
    case(np.polyfit, spread(7), normal(7), deg, **PROMOTED)
case(np.polyfit, spread(6), normal(6, 2), 2, **PROMOTED)
case(np.polyfit, spread(6), normal(6), positive(6), **PROMOTED,
     through=lambda x, y, w: np.polyfit(x, y, 1, w=w))  # fmt: skip

# ---- phases, periods, weights ----------------------------------------------------------------
case(np.unwrap, np.array([0.3, 3.0, -2.9, -1.0, 2.5]), smooth=False)
case(np.unwrap, np.array([[0.5, 1.0], [5.0, 1.5], [-2.0, 7.0]]), axis=0, smooth=False)
case(
    np.interp,
    spread(5),
    through=lambda x: np.interp(x, [0.0, 0.4, 0.8], [1, 3, 2], period=1),
    smooth=False,
    keeps_float32=False,
)
case(
    np.interp,
    spread(4),
    spread(3) / 9,
    normal(3),
    through=lambda x, xp, fp: np.interp(x, xp, fp, period=1.7),
    smooth=False,
)
TIMES = np.array([1, 2, 1, 3])
case(np.cov, normal(2, 4), through=lambda m: np.cov(m, fweights=TIMES), **PROMOTED)
case(np.cov, normal(2, 4), positive(4), through=lambda m, w: np.cov(m, aweights=w), **PROMOTED)
case(
    np.cov,
    normal(2, 4),
    positive(4),
    through=lambda m, w: np.cov(m, fweights=TIMES, aweights=w, ddof=0),
    **PROMOTED,
)

# ---- lists beside a Tensor -------------------------------------------------------------------
L = [0.5, -1.0, 2.0]
for call in (
    lambda x: np.convolve(L, x),
    lambda x: np.correlate(L, x),
    lambda x: np.correlate(x, L),
    lambda x: np.trapezoid(L, x),
    lambda x: np.gradient(L, np.cumsum(x * x)),
    lambda x: np.interp([0.1, 0.6], [0.0, 1.0, 2.0], x),
    lambda x: np.interp(L, np.cumsum(x * x), L),
    lambda x: np.diff(L, prepend=x[0], append=x),
    lambda x: np.average(L, weights=x),
    lambda x: np.dot(L, x),
    lambda x: np.kron(x, L),
    lambda x: np.linalg.solve([[2.0, 0, 0], [1, 1, 0], [0, 0, 1]], x),
    lambda x: np.hypot(x, L),
):
    case(np.average, positive(3), through=call, smooth=False, keeps_float32=False)
