"""The slope of a function along a line, from its values alone, with an error estimate.

A *line* is x + t d; its function may have many outputs, which are weighted by K *cotangents*: one
set of evaluations gives K slopes.  Steps are t = 2**e in *elastic units*: d moves an entry by its
own size, so that inputs of 1e-8 and of 1e8 are the same problem, and exactly, because units are
powers of two.  *Noise* is the rounding of the outputs, as measured, divided by the step.

Where f is *analytic*, the imaginary part of f(x + i h d) / h is its slope, exact to rounding,
because nothing is subtracted (Squire & Trapp, SIAM Review 1998).

This file does not know what slope anybody claims.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tinygrad_dnn.primitives import Array

EPS = float(np.finfo(float).eps)
SURE = 6.0  # so many times the measured noise is never reached by chance
LARGE = 2.0**-6  # a step at which smooth functions bend
IMAGINARY = 2.0**-70  # the complex step: h squared is nothing
RATIO = 4.0  # between neighbouring steps of a ladder
BISECTIONS = 24  # a gradual change is nothing then
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
        self,
        f: Callable[[complex], Array],
        base: Array,
        sigma: Array,
        cotangents: Array,
        analytic: bool = False,
    ) -> None:
        self.f, self.base, self.sigma, self.cotangents = f, base, sigma, cotangents
        self.analytic = analytic
        self.touched = np.zeros(base.shape, bool)  # the outputs that have been seen to change
        self.steps: dict[int, Step] = {}
        self._counted = 0, np.zeros(len(cotangents))
        size = float(np.linalg.norm(base))
        self.relative = max(EPS, float(np.linalg.norm(sigma)) / size) if size else EPS
        self.finest = -37  # the exponent of the smallest step that makes sense

    @cached_property
    def complex_slopes(self) -> Array | None:
        """The slopes by a complex step; None if f does not carry complex numbers along."""
        out = self.f(1j * IMAGINARY)
        if out.dtype.kind != "c":
            return None
        off = np.absolute(out.real - self.base)
        if np.any(off > SURE * self.sigma + 8 * EPS * np.absolute(self.base)):
            return None
        return np.asarray(self.cotangents @ (out.imag / IMAGINARY))

    def column(self) -> Array:
        """Return the slopes of all outputs, unweighted and without an error estimate."""
        if self.analytic:
            return np.asarray(self.f(1j * IMAGINARY).imag / IMAGINARY)
        near, far = ((self.f(t) - self.f(-t)) / (2 * t) for t in (2.0**-12, 2.0**-11))
        return np.asarray((4 * near - far) / 3)

    def sides(self, t: float = 2.0**-22) -> tuple[Array, Array]:
        """Return the slopes of all outputs to the left and to the right over one small step."""
        return (self.base - self.f(-t)) / t, (self.f(t) - self.base) / t

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

    def at_an_edge(self) -> bool:
        """Return whether f is not finite to one of the sides."""
        near = self.step(-17)
        return not np.all(np.isfinite(near.right) & np.isfinite(near.left))

    def changes_at(self, e: int) -> bool:
        """Return whether a step of 2**e to one of the sides changes the weighted outputs."""
        step = self.step(e)
        return bool(step.right.any() or step.left.any())

    def first_change(self) -> int:
        """Return the exponent of the smallest step taken at which f is another; 99 for none."""
        return min((e for e in self.steps if self.changes_at(e)), default=99)

    def jump_ahead(self) -> Array:
        """Return by how much f jumps where it first changes; 0 if it begins to change gradually."""
        e = self.first_change()
        if e not in self.steps:
            return np.zeros_like(self.base)
        side = 1.0 if self.steps[e].right.any() else -1.0
        low, high = max((2.0**s for s in self.steps if s < e), default=0.0), 2.0**e
        change = whole = self.f(side * high) - self.base
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            here = self.f(side * middle) - self.base
            if here.any():
                high, change = middle, here
            else:
                low = middle
        size = float(np.max(np.absolute(whole)))
        return change if np.max(np.absolute(change)) > size / 64 else np.zeros_like(self.base)

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
    """A slope and a bound for its error; ``kink`` if the slopes of the two sides differ at x.

    ``jump`` is by how much f jumps at x: then the slopes are those beside the jump.
    """

    slope: float
    error: float
    right: float = np.nan
    left: float = np.nan
    kink: bool = False
    infinite: bool = False
    jump: float = 0.0


def estimate(steps: Sequence[Step], k: int) -> Estimate:
    """Return the slope for cotangent ``k`` from a ladder of steps, smallest first."""
    t = np.array([s.t for s in steps])
    right, left = (np.array([s.right[k] for s in steps]), np.array([s.left[k] for s in steps]))
    noise = np.array([s.noise[k] for s in steps])
    both = np.isfinite(right) & np.isfinite(left)
    if both.sum() < 4:
        return _at_the_edge(t, right, left, noise)
    t, right, left, noise = t[both], right[both], left[both], noise[both]
    jumps = [_jump(t, side, noise) for side in (right, left)]
    if any(jumps):
        return _beside_the_jump(t, right, left, noise, jumps)
    value, error = extrapolate(t, (right + left) / 2, noise, order=2)
    i = _kink(t, right - left, noise)
    if i is None:
        return Estimate(value, error)
    sides = [extrapolate(t[i:], side[i:], noise[i:], order=1) for side in (right, left)]
    (to_right, one), (to_left, other) = sides
    return Estimate(value, max(one, other), to_right, to_left, kink=True)


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


def _kink(t: Array, gap: Array, noise: Array) -> int | None:
    """Return the smallest step that shows different slopes right and left, if they stay different.

    Where f is smooth the gap is proportional to the step.  At a kink it is the same at all steps;
    beside one it is gone at every step that does not reach it.  What shows at large steps only may
    as well be f's own bending.
    """
    seen = np.flatnonzero(np.absolute(gap) > 2 * SURE * noise)
    if not seen.size or seen[0] + 3 >= len(gap) or t[seen[0]] > LARGE:
        return None
    i = int(seen[0])
    size = abs(gap[i])
    resolved_before = i > 0 and size > 4 * SURE * noise[i - 1]
    return None if resolved_before or abs(gap[i + 3]) > 4 * size else i


def _jump(t: Array, side: Array, noise: Array) -> float:
    """Return how much f jumps to one side: by the same amount, however small the step."""
    rise, blur = (side * t)[:5], (noise * t)[:5]
    same = np.max(rise) - np.min(rise) <= abs(rise[0]) / 100
    return float(rise[0]) if same and np.all(np.absolute(rise) > 2 * SURE * blur) else 0.0


def _beside_the_jump(
    t: Array, right: Array, left: Array, noise: Array, jumps: Sequence[float]
) -> Estimate:
    slopes, errors = [], []
    for side, jump in zip((right, left), jumps, strict=True):
        if jump:
            side = np.diff(side * t) / np.diff(t)
        blur = noise[-len(side) :] * (2 if jump else 1)
        slope, error = extrapolate(t[-len(side) :], side, blur, order=1)
        slopes.append(slope)
        errors.append(error)
    right_slope, left_slope = slopes
    jump = max(jumps, key=abs)
    return Estimate(right_slope, max(errors), right_slope, left_slope, kink=True, jump=jump)


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
