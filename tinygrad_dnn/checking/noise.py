"""How much rounding there is in a function's values, measured, per output.

Values at equally spaced points along a line are differenced three to six times: what is smooth
vanishes, rounding stays and looks alike in every order (Moré & Wild, "Estimating computational
noise", SIAM J. Sci. Comput. 2011).  One kink among the points spoils three of the nine third
differences, hence medians; it lies in one direction, hence the smaller of two.  Values that all
lie on a *grid* much coarser than float64 (float32 inside, a large number added) have its noise.
"""

from collections.abc import Callable
from math import comb

import numpy as np

from tinygrad_dnn.checking.numeric import EPS
from tinygrad_dnn.primitives import Array

FINE, COARSE, COARSEST = (np.pi / 3 * 2.0**e for e in (-33, -20, -9))  # on no grid of ours
POINTS = 12
FEW_POINTS = 8
ORDERS = range(3, 7)
MEDIAN = 0.6745  # of |x|, for x standard normal
SAMPLE = 4096  # of so many outputs, the noise is measured; the others are taken to be like them


def measured_noise(
    f: Callable[[float], Array], base: Array, rng: np.random.Generator | None = None
) -> Array:
    """Return the standard deviation of the rounding in each output of ``f(t)`` near t = 0.

    >>> x = np.arange(1.0, 5.0)
    >>> f = lambda t: np.sin(x * (1 + t)).astype(np.float32).astype(float)
    >>> bool(np.all(measured_noise(f, f(0.0)) > 1e-9))
    True
    """
    if base.size > SAMPLE:
        return _noise_of_many(f, base, rng or np.random.default_rng(0))
    ordinary = _ordinary_noise(f, base)
    return _uncommon_noise(f, base) if ordinary is None else ordinary


def _ordinary_noise(f: Callable[[float], Array], base: Array) -> Array | None:
    """Return the noise of a float64 function, from few points; None if it seems not to be one."""
    size = EPS * np.absolute(base)
    found = [size / 2]
    for h in (FINE, COARSE):
        values = np.stack([base, *(f(i * h) for i in range(1, FEW_POINTS))])
        if np.any((np.diff(values, axis=0) == 0).sum(axis=0) > 1):
            return None
        found += _by_order(values)
    sigma = np.max(found, axis=0)
    return np.asarray(sigma) if np.all(sigma <= 8 * size) else None


def _uncommon_noise(f: Callable[[float], Array], base: Array) -> Array:
    values = [_values(f, h) for h in (FINE, COARSE)]
    fine, coarse = (_from_differences(v) for v in values)
    size = EPS * np.absolute(base)
    grid = _grid(np.concatenate([side for both in values for side in both]), base)
    # stairs, or a sum of them, move seldom in fine steps; else what is coarse may be curvature
    stairs = _still(values[0]) | (grid > np.maximum(32 * size, fine))
    sigma = np.where(fine > 8 * size, np.clip(coarse, fine, 32 * _largest(values[0])), fine)
    sigma = np.where(stairs, np.maximum(fine, coarse), sigma)
    if np.any(_still(values[1])):
        values.append(_values(f, COARSEST))
        sigma = np.where(_still(values[1]), np.maximum(sigma, _from_differences(values[2])), sigma)
        grid = _grid(np.concatenate([side for both in values for side in both]), base)
        grid = np.where(_flat(values), 0.0, grid)
    sigma = np.maximum(sigma, grid / np.sqrt(12))
    coarser = sigma > 8 * size  # few digits: errors of few numbers, not Gaussian
    return np.maximum(np.where(coarser, 2 * sigma, sigma), size / 2)


def _noise_of_many(f: Callable[[float], Array], base: Array, rng: np.random.Generator) -> Array:
    chosen = rng.choice(base.size, SAMPLE, replace=False)
    sigma = measured_noise(lambda t: f(t)[chosen], base[chosen])
    size = np.absolute(base[chosen])
    relative = np.quantile(sigma[size > 0] / size[size > 0], 0.9) if np.any(size) else 0.0
    estimate = np.maximum(np.maximum(relative, EPS / 2) * np.absolute(base), np.median(sigma))
    estimate[chosen] = sigma
    return estimate


def _values(f: Callable[[float], Array], h: float) -> tuple[Array, Array]:
    """Return f at POINTS points to the right of 0, and to the left."""
    right, left = (np.stack([f(sign * i * h) for i in range(POINTS)]) for sign in (1.0, -1.0))
    return right, left


def _from_differences(sides: tuple[Array, Array]) -> Array:
    found = []
    for values in sides:
        sigma = np.min(_by_order(values), axis=0)
        found.append(np.where(np.isfinite(sigma), sigma, 0.0))
    return np.minimum(*found)


def _by_order(values: Array) -> list[Array]:
    """Return the noise as it looks in the differences of each order."""
    return [
        np.median(np.absolute(np.diff(values, n=k, axis=0)), axis=0)
        / (MEDIAN * np.sqrt(comb(2 * k, k)))
        for k in ORDERS
    ]


def _largest(sides: tuple[Array, Array]) -> Array:
    """Return the noise by third differences, on average: a rare jump counts."""
    squares = np.mean([np.mean(np.diff(v, n=3, axis=0) ** 2, axis=0) for v in sides], axis=0)
    return np.asarray(np.sqrt(squares / 20))


def _still(sides: tuple[Array, Array]) -> Array:
    """Return which outputs sometimes do not move: stairs, whose height differences do not show."""
    still = [(np.diff(v, axis=0) == 0).sum(axis=0) > 1 for v in sides]
    return np.asarray(still[0] | still[1])


def _flat(values: list[tuple[Array, Array]]) -> Array:
    """Return which outputs are constant on each side of 0: a jump at 0, or nothing at all."""
    sides = ([both[i][1:] for both in values] for i in (0, 1))
    return np.asarray(np.all([np.ptp(np.concatenate(side), axis=0) == 0 for side in sides], axis=0))


def _grid(values: Array, base: Array) -> Array:
    """Return the largest power of two that divides all values of an output; 0 for a constant."""
    values = np.where(np.isfinite(values), values, 0.0)
    mantissa, exponent = np.frexp(values)
    digits = np.ldexp(mantissa, 53).astype(np.int64)
    lowest = np.ldexp((digits & -digits).astype(float), exponent - 53)
    grid = np.min(np.where(values == 0, np.inf, lowest), axis=0, initial=np.inf)
    return np.where(np.all(values == base, axis=0), 0.0, grid)
