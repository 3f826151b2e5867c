"""The slope of a function at a point from those over steps of many sizes, with an error estimate.

This file does not know what slope anybody claims.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinygrad_dnn.checking.numeric import EPS, SURE, Step
from tinygrad_dnn.primitives import Array

LARGE = 2.0**-6  # a step at which smooth functions bend
RATIO = 4.0  # between neighbouring steps of a ladder
LADDER = range(-5, -31, -2)


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
    unsure = noise + _unresolved(right - left, noise) / SURE
    value, error = extrapolate(t, (right + left) / 2, unsure, order=2)
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


def _unresolved(gap: Array, noise: Array) -> Array:
    """Return the part of a gap between the two sides that does not grow with the step.

    Kinks do that which are closer than any step that can be told from noise: the slopes on both
    sides are of f beyond them, and that at x is between, or it may be anything.
    """
    gap = np.absolute(gap)
    grows = np.append(gap[1:] > RATIO / 2 * gap[:-1], True)
    return np.where((gap > 2 * SURE * noise) & ~grows, gap, 0.0)


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
