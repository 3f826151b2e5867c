"""What is to be checked: a function of arrays and the gradients somebody computes for it.

Everything here is float64, whatever the dtype of the user's inputs: the formulas are under test,
not their rounding.  Outputs are flat arrays.  A *probe* is a problem at one point, with random
*cotangents* (weights of the outputs), the gradients they give, and the noise of f measured there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinygrad_dnn.checking.noise import measured_noise
from tinygrad_dnn.checking.numeric import EPS, Line, elastic_units
from tinygrad_dnn.checking.verdict import Claim
from tinygrad_dnn.graph import Node
from tinygrad_dnn.primitives import Array

Point = Sequence[Array]


@dataclass(frozen=True)
class Problem:
    """A function ``value(point)``, its claimed vjp ``pull`` and, if there is one, jvp ``push``.

    ``graph(point)`` returns the last node of the recorded computation, in which kinks are looked
    for.
    """

    names: Sequence[str]
    point: Point
    value: Callable[[Point], Array]
    pull: Callable[[Point, Array], Point]
    push: Callable[[Point, Point], Array] | None
    graph: Callable[[Point], Node]


class Probe:
    """A problem at one point."""

    def __init__(self, problem: Problem, point: Point, rng: np.random.Generator) -> None:
        self.problem, self.point = problem, point
        self.base = problem.value(point)
        self.units = [elastic_units(x) for x in point]
        self.cotangents = random_cotangents(self.base, rng)
        along = [u * random_signs(u.shape, rng) for u in self.units]
        self.sigma = measured_noise(lambda t: self.value(t, along), self.base, rng)
        self._far = [self.value(t, along) for t in (1.0, -1.0)]
        self.gradients = [problem.pull(point, u) for u in self.cotangents]
        nudged = [nudge(x, rng) for x in point]
        self._nudged = [problem.pull(nudged, u) for u in self.cotangents]

    def value(self, t: float, along: Sequence[Array | None]) -> Array:
        """Return f at the point moved by ``t`` along a direction; None stands for zero."""
        moved = [x if d is None else x + t * d for x, d in zip(self.point, along, strict=True)]
        return self.problem.value(moved)

    def line(self, j: int, direction: Array) -> Line:
        """Return f along a direction in which only argument ``j`` moves."""
        along: list[Array | None] = [None] * len(self.point)
        along[j] = direction
        return self.line_along(along)

    def line_along(self, along: Sequence[Array | None]) -> Line:
        """Return f along a direction in which any argument may move."""
        return Line(lambda t: self.value(t, along), self.base, self.sigma, self.cotangents)

    def along_entry(self, j: int, i: int) -> Line:
        """Return f along entry ``i`` (counted flat) of argument ``j``, in its elastic unit."""
        x, unit = self.point[j], float(self.units[j].flat[i])

        def f(t: float) -> Array:
            moved = np.array(x)
            moved.flat[i] += t * unit
            return self.problem.value([*self.point[:j], moved, *self.point[j + 1 :]])

        line = Line(f, self.base, self.sigma, self.cotangents)
        size = abs(float(x.flat[i]))
        line.finest = int(np.log2(size / unit)) - 30 if size else line.finest
        return line

    def claims(self, k: int, j: int) -> tuple[Array, Array]:
        """Return the claimed slopes of argument ``j``'s entries, flat, and their rounding.

        In elastic units.  Rounding is what a change of x in its last digit does; a change by more
        than 1e-6 of them is a kink nearby, not rounding.
        """
        unit = self.units[j]
        g = self.gradients[k][j] * unit
        with np.errstate(invalid="ignore"):
            moved = np.absolute(self._nudged[k][j] * unit - g)
            small = moved <= 1e-6 * max(self.gauge(k, j), EPS)
        rounding = 4 * np.where(small, moved, 0.0) + 16 * EPS * np.absolute(g)
        return np.ravel(g), np.ravel(np.where(np.isfinite(rounding), rounding, 0.0))

    def gauge(self, k: int, j: int) -> float:
        """Return the largest claimed slope of argument ``j``'s entries, in elastic units."""
        g = np.absolute(self.gradients[k][j] * self.units[j])
        return float(np.max(g[np.isfinite(g)], initial=0.0))

    @cached_property
    def sizes(self) -> list[float]:
        """The size of f, or of its change over one elastic unit, for each cotangent."""
        values = [self.base]
        values += [v - self.base for v in self._far if np.all(np.isfinite(v))]
        weighted = [np.sqrt(((self.cotangents * v) ** 2).sum(axis=1)) for v in values]
        return [float(w) for w in np.max(weighted, axis=0)]

    def claim(self, k: int, j: int, slope: float, rounding: float) -> Claim:
        """Return a claim with what is needed to judge it."""
        least = 4 * EPS * self.sizes[k]
        return Claim(float(slope), float(rounding) + least, self.gauge(k, j), self.sizes[k])


def random_cotangents(out: Array, rng: np.random.Generator) -> Array:
    """Return two weightings of the outputs without tiny ones; (1,) for a single output.

    Outputs of very different size are weighted to count alike, down to 1/1000 of the largest; one
    that is exactly 0 says nothing about its size.
    """
    if out.size == 1:
        return np.ones((1, 1))
    size = np.absolute(out)
    largest = np.max(size, initial=0.0)
    weight = np.ones_like(size)
    np.divide(largest, np.maximum(size, largest / 1000), out=weight, where=size > 0)
    return np.stack([random_signs(out.shape, rng) * weight for _ in range(2)])


def random_signs(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return random numbers from +-{4/8, 5/8, ..., 12/8}: none is small, few bits are used."""
    return rng.integers(4, 13, shape) / 8 * rng.choice((-1.0, 1.0), shape)


def nudge(x: Array, rng: np.random.Generator) -> Array:
    """Return ``x`` with every nonzero entry moved by one unit in its last place."""
    return x + np.where(x == 0, 0.0, np.spacing(np.absolute(x)) * rng.choice((-1.0, 1.0), x.shape))
