"""The slope of a function along a line, from its values alone, with an error estimate.

A *line* is x + t d; its function may have many outputs, which are weighted by K *cotangents*: one
set of evaluations gives K slopes.  Steps are t = 2**e in *elastic units*: d moves an entry by its
own size, so that inputs of 1e-8 and of 1e8 are the same problem, and exactly, because units are
powers of two.  *Noise* is the rounding of the outputs, as measured, divided by the step.

This file does not know what slope anybody claims.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinygrad_dnn.primitives import Array

EPS = float(np.finfo(float).eps)
SURE = 6.0  # so many times the measured noise is never reached by chance
RATIO = 4.0  # between neighbouring steps of a ladder
LADDER = range(-5, -31, -2)


def elastic_units(x: Array) -> Array:
    """Return the unit of each entry: a power of two, its size but at least rms(x) / 64.

    >>> elastic_units(np.array([3.0, 0.0, -1e-9])).tolist()
    [4.0, 0.03125, 0.03125]
    """
    size = np.absolute(x)
    largest = np.max(size, initial=0.0)
    if not largest:
        return np.ones_like(size)
    rms = largest * np.sqrt(np.mean((size / largest) ** 2))
    return np.asarray(np.exp2(np.ceil(np.log2(np.maximum(size, rms / 64)))))


@dataclass(frozen=True)
class Step:
    """Slopes to the right and to the left over one step, and their noise: K numbers each."""

    t: float
    right: Array
    left: Array
    noise: Array

    @property
    def slope(self) -> Array:
        """The central difference."""
        return (self.right + self.left) / 2


class Line:
    """A function of t with many outputs; evaluations are remembered.

    ``sigma`` is the noise of each output, ``cotangents`` has shape (K, outputs).
    """

    def __init__(
        self, f: Callable[[float], Array], base: Array, sigma: Array, cotangents: Array
    ) -> None:
        self.f, self.base, self.sigma, self.cotangents = f, base, sigma, cotangents
        self.touched = np.zeros(base.shape, bool)  # the outputs that have been seen to change
        self.steps: dict[int, Step] = {}
        self._counted = 0, np.zeros(len(cotangents))
        size = float(np.linalg.norm(base))
        self.relative = max(EPS, float(np.linalg.norm(sigma)) / size) if size else EPS
        self.finest = -37  # the exponent of the smallest step that makes sense

    def step(self, e: int) -> Step:
        """Return the slopes over a step of 2**e."""
        if e not in self.steps:
            t = 2.0**e
            up, down = self.f(t), self.f(-t)
            self.touched |= (up != self.base) | (down != self.base)
            beyond = np.maximum(np.absolute(up), np.absolute(down)) - np.absolute(self.base)
            grown = np.where(beyond > 0, beyond, 0.0)  # and 0 where it is no number
            extra = self.relative * np.linalg.norm(self.cotangents * grown, axis=1) / t
            right = self.cotangents @ (up - self.base) / t
            left = self.cotangents @ (self.base - down) / t
            self.steps[e] = Step(t, right, left, extra)
        step = self.steps[e]
        return replace(step, noise=step.noise + self._noise() / step.t)

    def _noise(self) -> Array:
        """Return the noise of the outputs touched so far, weighted."""
        number = int(np.count_nonzero(self.touched))
        if number != self._counted[0]:
            weighted = np.where(self.touched, self.cotangents * self.sigma, 0.0)
            self._counted = number, np.linalg.norm(weighted, axis=1)
        return self._counted[1]

    def ladder(self, exponents: Sequence[int]) -> list[Step]:
        """Return the steps 2**e, smallest first.

        The largest is evaluated first: it shows which outputs are touched.
        """
        return [self.step(e) for e in sorted(exponents, reverse=True)][::-1]


@dataclass(frozen=True)
class Estimate:
    """A slope and a bound for its error; ``kink`` if the slopes of the two sides differ at x."""

    slope: float
    error: float
    right: float = np.nan
    left: float = np.nan
    kink: bool = False
    infinite: bool = False


def estimate(steps: Sequence[Step], k: int) -> Estimate:
    """Return the slope for cotangent ``k`` from a ladder of steps, smallest first."""
    t = np.array([s.t for s in steps])
    right, left = (np.array([s.right[k] for s in steps]), np.array([s.left[k] for s in steps]))
    noise = np.array([s.noise[k] for s in steps])
    both = np.isfinite(right) & np.isfinite(left)
    if both.sum() < 4:
        return _at_the_edge(t, right, left, noise)
    t, right, left, noise = t[both], right[both], left[both], noise[both]
    value, error = extrapolate(t, (right + left) / 2, noise, order=2)
    i = _kink(right - left, noise)
    if i is None:
        return Estimate(value, error)
    blur = abs(right[i] - right[i + 1]) + abs(left[i] - left[i + 1]) + SURE * noise[i]
    return Estimate(value, float(blur), right[i], left[i], kink=True)


def extrapolate(t: Array, d: Array, noise: Array, *, order: int) -> tuple[float, float]:
    """Return a slope and its error from differences ``d`` over steps ``t``, smallest first.

    Richardson's extrapolation of neighbours; the error is how far it moves at the next smaller
    step, or in part at the next larger (two numbers may agree by chance, three do not), plus
    noise.  A larger step that contradicts a smaller one is thrown out, with all beyond (Lepski's
    rule): so a kink, a pole or saturation further away does no harm.
    """
    factor = RATIO**order
    r = (factor * d[:-1] - d[1:]) / (factor - 1)
    low, high, best = -np.inf, np.inf, (float("nan"), np.inf)
    for i in range(1, len(r) - 1):
        if t[i] > 2 and abs(d[i]) < abs(d[i - 1]) / 2:
            break  # f saturates, and its differences go to 0 like 1 / t: no slope of x
        moved = 2 * abs(r[i] - r[i - 1]) + abs(r[i + 1] - r[i]) / 8
        error = moved + SURE * noise[i] + 8 * EPS * abs(r[i])
        low, high = max(low, r[i] - error), min(high, r[i] + error)
        if not low <= high:
            break
        if error < best[1]:
            best = float(r[i]), float(error)
    return best


def _kink(gap: Array, noise: Array) -> int | None:
    """Return the smallest step that shows different slopes right and left, if they stay different.

    Where f is smooth the gap is proportional to the step.  At a kink it is the same at all steps;
    beside one it is gone at every step that does not reach it.
    """
    seen = np.flatnonzero(np.absolute(gap) > 2 * SURE * noise)
    if not seen.size or seen[0] + 3 >= len(gap):
        return None
    i = int(seen[0])
    size = abs(gap[i])
    resolved_before = i > 0 and size > 4 * SURE * noise[i - 1]
    return None if resolved_before or abs(gap[i + 3]) > 4 * size else i


def _at_the_edge(t: Array, right: Array, left: Array, noise: Array) -> Estimate:
    """Return the one-sided slope where f is not defined on the other side."""
    for side in (right, left):
        ok = np.isfinite(side)
        if ok.sum() < 5:
            continue
        d = side[ok]
        if np.all(np.absolute(d[:5]) > 1.3 * np.absolute(d[1:6][: len(d[:5])])) and d[0]:
            return Estimate(float(np.copysign(np.inf, d[0])), 0.0, infinite=True)
        return Estimate(*extrapolate(t[ok], d, noise[ok], order=1))
    return Estimate(float("nan"), float("inf"))
