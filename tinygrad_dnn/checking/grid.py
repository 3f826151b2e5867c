"""The numeric gradient itself, without any claim; of a large argument on a sub-grid."""

import numpy as np

from tinygrad_dnn.checking.probe import Probe
from tinygrad_dnn.checking.problem import Problem
from tinygrad_dnn.checking.search import glimpse
from tinygrad_dnn.report import Evidence


def measure(
    problem: Problem, j: int, *, at_most: int = 400, rng: np.random.Generator | None = None
) -> Evidence:
    """Return the numeric gradient of a scalar function by argument ``j``, without any claim.

    Of a large argument a sub-grid of ``at_most`` entries is measured; the others are nan.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    with np.errstate(all="ignore"):
        return measured(Probe(problem, problem.point, rng), j, at_most)


def measured(probe: Probe, j: int, at_most: int) -> Evidence:
    """Return the slopes by a sub-grid of argument ``j``, without any claim."""
    x, unit = probe.point[j], probe.units[j]
    numeric, error = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for i in grid(x.shape, at_most):
        slope, off = glimpse(probe.entry(j, i), 0)
        numeric.flat[i], error.flat[i] = slope / unit.flat[i], off / unit.flat[i]
    return Evidence(np.full(x.shape, np.nan), numeric, error)


def grid(shape: tuple[int, ...], at_most: int) -> list[int]:
    """Return the flat indices of a sub-grid of an array, evenly spread along every axis.

    >>> grid((2, 100), 10)
    [0, 25, 50, 74, 99, 100, 125, 150, 174, 199]
    """
    counts = list(shape)
    while np.prod(counts) > at_most:
        longest = int(np.argmax(counts))
        counts[longest] = max(1, int(counts[longest] * 0.9))
    axes = [
        np.linspace(0, n - 1, number).round().astype(int)
        for n, number in zip(shape, counts, strict=True)
    ]
    chosen = np.ravel_multi_index(np.ix_(*axes), shape) if shape else np.zeros(1, int)
    return [int(i) for i in chosen.ravel()]
