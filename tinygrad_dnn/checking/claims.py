"""What is claimed at a point: the slopes along entries and directions, and how they are rounded.

Slopes are in elastic units, one set for each cotangent.  Claims come as gradients or, where a jvp
is under test, as tangents: few numbers are then turned into gradients, many are asked one
direction at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_dnn.checking.numeric import EPS
from tinygrad_dnn.checking.precision import is_single
from tinygrad_dnn.checking.problem import Point, Problem
from tinygrad_dnn.checking.verdict import Claim
from tinygrad_dnn.primitives import Array

SINGLE = 8 * float(np.finfo(np.float32).eps)  # of the size of f and of all claims: rounding
SATURATED = (
    64.0  # times the rounding of f's value may its slope be off: the range of exp's argument
)
CANCELLED = 1e3  # terms of a gradient are taken to be no more times larger than itself
FEW_TANGENTS = 3000  # a jvp is evaluated along every entry of no more numbers


class Claims:
    """The claims of a problem at one point, for each of the cotangents.

    ``close`` is the point moved by rounding; ``sizes()`` that of f for each cotangent,
    ``saturation()`` what rounding makes of its value.
    """

    def __init__(
        self,
        problem: Problem,
        point: Point,
        close: Point,
        units: Point,
        cotangents: Array,
        sizes: Callable[[], Sequence[float]],
        saturation: Callable[[], Sequence[float]],
    ) -> None:
        self.problem, self.point, self.close = problem, point, close
        self.units, self.cotangents, self.sizes = units, cotangents, sizes
        self.saturation = saturation
        total = sum(x.size for x in point)
        self.misshapen: dict[int, Array] = {}
        self.by_tangents = problem.pull is None and total > FEW_TANGENTS

    @cached_property
    def gradients(self) -> list[list[Any]]:
        """The claimed gradients for each cotangent, in the user's units."""
        return self._pulled(self.point)

    @cached_property
    def _gradients_close(self) -> list[list[Any]]:
        return self._pulled(self.close)

    def _pulled(self, point: Point) -> list[list[Any]]:
        if self.problem.pull is not None:
            return [self._fitting(self.problem.pull(point, u)) for u in self.cotangents]
        found = [[np.zeros(x.shape) for x in point] for _ in self.cotangents]
        for j, x in enumerate(point):
            for i in range(x.size):
                slopes = self._pushed(point, j, one_hot(x.size, i))
                for gradient, slope in zip(found, slopes, strict=True):
                    gradient[j].flat[i] = slope
        return found

    def _fitting(self, gradients: Sequence[Any]) -> list[Any]:
        """Put nan in the place of gradients that have not the shape of their argument."""
        found = [np.asarray(g) for g in gradients]
        for j, (g, x) in enumerate(zip(found, self.point, strict=True)):
            if g.shape != x.shape:
                self.misshapen[j] = g
                found[j] = np.full(x.shape, np.nan)
        return found

    def not_linear(self) -> str:
        """Say how the claims are not linear in the cotangent, or tangent, or return ''."""
        for factor, word in ((0.0, "zero"), (2.0, "doubled")):
            for k, u in enumerate(self.cotangents):
                for j, (once, scaled) in enumerate(self._scaled(k, u, factor)):
                    if np.shape(once) != np.shape(scaled):
                        continue
                    off = np.max(np.absolute(scaled - factor * once), initial=0.0)
                    if off > 1e-6 * np.max(np.absolute(once), initial=0.0):
                        kind = "gradient" if self.problem.pull else "tangent"
                        return (
                            f"the claimed derivative by {self.problem.names[j]} is not linear: "
                            f"with the incoming {kind} {word} it is not {word} too; is the "
                            f"incoming {kind} used, exactly once?"
                        )
        return ""

    def _scaled(self, k: int, u: Array, factor: float) -> Iterator[tuple[Array, Array]]:
        """Yield the claims for a cotangent, or a tangent, and for a multiple of it."""
        if self.problem.pull is not None:
            yield from zip(
                self.gradients[k], self.problem.pull(self.point, factor * u), strict=True
            )
        elif self.problem.push is not None and k == 0:
            for j in range(len(self.point)):
                tangents = [np.zeros(y.shape) for y in self.point]
                tangents[j] = np.array(self.units[j])
                once = self.problem.push(self.point, tangents)
                tangents[j] = factor * tangents[j]
                yield once, self.problem.push(self.point, tangents)

    def _pushed(self, point: Point, j: int, tangent: Array) -> Array:
        """Return the claimed slopes along a flat tangent of argument ``j``, in the user's units."""
        assert self.problem.push is not None
        tangents = [np.zeros(x.shape) for x in point]
        tangents[j] = tangent.reshape(point[j].shape)
        return np.asarray(self.cotangents @ np.ravel(self.problem.push(point, tangents)))

    @cached_property
    def _gauges(self) -> list[list[float]]:
        sizes = (
            [np.absolute(g * u) for g, u in zip(gs, self.units, strict=True)]
            for gs in self.gradients
        )
        return [[float(np.max(g[np.isfinite(g)], initial=0.0)) for g in gs] for gs in sizes]

    @cached_property
    def _single(self) -> bool:
        """Whether the claims carry the rounding of float32: if one does, all may.

        One program computed them, and NumPy takes part of it to float64: np.where(Z > 0, 1, 0.1).
        """
        claims = [] if self.by_tangents else [g for gs in self.gradients for g in gs]
        return self.problem.single or any(is_single(g) for g in claims)

    @cached_property
    def _entries(self) -> list[list[tuple[Array, Array]]]:
        arguments = range(len(self.point))
        return [[self._rounded(k, j) for j in arguments] for k in range(len(self.cotangents))]

    def _rounded(self, k: int, j: int) -> tuple[Array, Array]:
        unit = self.units[j]
        g = self.gradients[k][j] * unit
        with np.errstate(invalid="ignore"):
            moved = np.absolute(self._gradients_close[k][j] * unit - g)
            small = moved <= 1e-6 * max(self.gauge(k, j), EPS)
        rounding = 4 * np.where(small, moved, 0.0) + 16 * EPS * np.absolute(g)
        return np.ravel(g), np.ravel(np.where(np.isfinite(rounding), rounding, 0.0))

    def entries(self, k: int, j: int) -> tuple[Array, Array]:
        """Return the claimed slopes of argument ``j``'s entries, flat, and their rounding.

        Rounding is what a change of x in its last digit does; a change by more than 1e-6 of them
        is a kink nearby, not rounding.
        """
        return self._entries[k][j]

    def finite(self, j: int) -> Array:
        """Return at which of argument ``j``'s entries the claims are finite, flat."""
        found = np.ones(self.point[j].size, bool)
        for gradients in () if self.by_tangents else self.gradients:
            found &= np.isfinite(np.ravel(gradients[j]))
        return found

    def gauge(self, k: int, j: int) -> float:
        """Return the largest claimed slope of argument ``j``'s entries; 0 where it is not known."""
        return 0.0 if self.by_tangents else self._gauges[k][j]

    def at(self, k: int, j: int, i: int) -> Claim:
        """Return the claim about entry ``i`` of argument ``j``."""
        if self.by_tangents:
            return self.along(k, j, one_hot(self.point[j].size, i))
        slopes, rounding = self.entries(k, j)
        return self.claim(k, j, slopes[i], rounding[i])

    def along(self, k: int, j: int, direction: Array) -> Claim:
        """Return the claim about a direction of argument ``j``, flat and in elastic units."""
        if self.by_tangents:
            tangent = direction * np.ravel(self.units[j])
            slope, close = (self._pushed(x, j, tangent)[k] for x in (self.point, self.close))
            off = abs(slope - close)
            blur = 4 * off if off <= 1e-6 * abs(slope) else 0.0
            return self.claim(k, j, slope, blur + 16 * EPS * abs(slope))
        slopes, rounding = self.entries(k, j)
        moving = direction != 0
        blurs = np.absolute(rounding * direction)
        largest = float(np.max(blurs, initial=0.0)) or 1.0  # squares would overflow
        blur = 4 * largest * float(np.linalg.norm(blurs / largest))
        return self.claim(k, j, slopes[moving] @ direction[moving], blur, direction)

    def claim(
        self, k: int, j: int, slope: float, rounding: float, along: Array | float = 1.0
    ) -> Claim:
        """Return a claim with what is needed to judge it."""
        size = self.sizes()[k]
        gauge = self.gauge(k, j) or abs(float(slope)) * self.by_tangents
        floor = 4 * EPS * size + SATURATED * self.saturation()[k]
        single = 0.0
        if self._single:
            terms = min(max(*self._gauges[k], size), CANCELLED * gauge or np.inf)
            single = SINGLE * terms * float(np.linalg.norm(along))
        return Claim(float(slope), float(rounding) + floor, gauge, size, single, floor)


def one_hot(n: int, i: int) -> Array:
    """Return the direction of one entry among ``n``."""
    direction = np.zeros(n)
    direction[i] = 1.0
    return direction
