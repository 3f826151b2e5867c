"""What is to be checked: a plain function of named arrays and the gradients claimed for it.

A ``Problem`` knows nothing of Tensors: ``run.check([problem])`` judges its claims and returns a
Report, ``run.measure(problem, j)`` gives the numeric gradient by argument j without any claim.  A
gradient known at this point only, as one derived by hand, is ``pull=Fixed([dW1, db1])``.

Everything here is float64, whatever the dtype of the user's inputs: the formulas are under test,
not their rounding.  Outputs are flat arrays.  A *probe* is a problem at one point, with random
*cotangents* (weights of the outputs), the gradients they give, and the noise of f measured there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_dnn.checking.noise import measured_noise
from tinygrad_dnn.checking.numeric import EPS, Line, elastic_units
from tinygrad_dnn.checking.verdict import Claim
from tinygrad_dnn.graph import Node
from tinygrad_dnn.primitives import Array

Point = Sequence[Array]


@dataclass(frozen=True)
class Fixed:
    """A ``pull`` for gradients of a scalar that are known at one point only."""

    gradients: Sequence[Array]

    def __call__(self, point: Point, g: Array) -> Point:
        return [np.asarray(d) * g.reshape(()) for d in self.gradients]


@dataclass(frozen=True)
class Problem:
    """A function ``value(point)``, its claimed vjp ``pull`` and, if there is one, jvp ``push``.

    ``names`` and ``point`` are the arguments; ``value`` changes none of them and returns an array
    of any shape.  ``pull(point, g)`` returns a gradient per argument, for a flat cotangent ``g``.
    ``graph(point)`` returns the last node of a recorded computation, in which kinks are looked for.
    """

    names: Sequence[str]
    point: Point
    value: Callable[[Point], Any]
    pull: Callable[[Point, Array], Point]
    push: Callable[[Point, Point], Array] | None = None
    graph: Callable[[Point], Node] | None = None

    @property
    def movable(self) -> bool:
        """Whether the claimed gradient can be computed at other points too."""
        return not isinstance(self.pull, Fixed)


class Probe:
    """A problem at one point."""

    def __init__(self, problem: Problem, point: Point, rng: np.random.Generator) -> None:
        self.problem, self.point = problem, point
        self.calls = 0
        self.base = self._value(point)
        self.units = [elastic_units(x) for x in point]
        self.cotangents = random_cotangents(self.base, rng)
        self._along = [u * random_signs(u.shape, rng) for u in self.units]
        self._rng = rng
        self._elsewhere = [nudge(x, rng) for x in point]

    @cached_property
    def sigma(self) -> Array:
        """The noise of every output."""
        return measured_noise(lambda t: self.value(t, self._along), self.base, self._rng)

    @cached_property
    def _far(self) -> list[Array]:
        return [self.value(t, self._along) for t in (1.0, -1.0)]

    @cached_property
    def gradients(self) -> list[Point]:
        """The claimed gradients, for each cotangent."""
        return [self.problem.pull(self.point, u) for u in self.cotangents]

    @cached_property
    def _nudged(self) -> list[Point]:
        return [self.problem.pull(self._elsewhere, u) for u in self.cotangents]

    def _value(self, point: Point) -> Array:
        """Return f's values, flat."""
        self.calls += 1
        return np.array(self.problem.value(point), np.float64).ravel()

    def again(self) -> Array:
        """Return f's values at the point once more."""
        return self._value(self.point)

    def value(self, t: float, along: Sequence[Array | None]) -> Array:
        """Return f at the point moved by ``t`` along a direction; None stands for zero."""
        moved = [x if d is None else x + t * d for x, d in zip(self.point, along, strict=True)]
        return self._value(moved)

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
            return self._value([*self.point[:j], moved, *self.point[j + 1 :]])

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
