"""Slopes of a function along a line over steps of any size, from its values alone.

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
IMAGINARY = 2.0**-70  # the complex step: h squared is nothing
KINKED = 1e-9  # slopes of complex steps up and down that differ by more, relatively, are two
NOISY = 1e-3  # a slope of which rounding makes so much may be nothing but rounding
BISECTIONS = 24  # a gradual change is nothing then


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

    ``sigma`` is the noise of each output, ``cotangents`` has shape (K, outputs).  Of an
    ``analytic`` function complex steps are taken; a ``kinked`` one has kinks close by, or here.
    """

    def __init__(
        self,
        f: Callable[[complex], Array],
        base: Array,
        sigma: Array,
        cotangents: Array,
        *,
        analytic: bool = False,
        kinked: bool = False,
    ) -> None:
        self.f, self.base, self.sigma, self.cotangents = f, base, sigma, cotangents
        self.analytic, self.kinked = analytic, kinked
        self.touched = np.zeros(base.shape, bool)  # the outputs that have been seen to change
        self.steps: dict[int, Step] = {}
        self._counted = 0, np.zeros(len(cotangents))
        size = float(np.linalg.norm(base))
        self.relative = max(EPS, float(np.linalg.norm(sigma)) / size) if size else EPS
        self.finest = -37  # the exponent of the smallest step that makes sense

    @cached_property
    def complex_slopes(self) -> Array | None:
        """The slopes by a complex step; None if f does not carry complex numbers along.

        Of a kinked line, None also where the steps up and down differ.
        """
        if not self.kinked:
            return self._complex_slopes(IMAGINARY)
        sides = self.complex_sides
        return None if sides is None or np.any(differing(*sides)) else sides[1]

    @cached_property
    def complex_sides(self) -> tuple[Array, Array] | None:
        """The slopes by complex steps down and up, which differ at a kink.

        Complex numbers are compared by their imaginary parts where the real ones are equal.
        """
        down, up = (self._complex_slopes(h) for h in (-IMAGINARY, IMAGINARY))
        return None if down is None or up is None else (down, up)

    def shaky(self, k: int) -> float | None:
        """Return how much rounding moves a slope by a complex step; None if that is all it is."""
        slopes = self.complex_slopes
        moved = [self.f(complex(t, IMAGINARY)).imag / IMAGINARY for t in (-4 * EPS, 4 * EPS)]
        if slopes is None:
            return None
        off = max(abs(float(self.cotangents[k] @ d - slopes[k])) for d in moved)
        return 64 * off if off < NOISY * abs(slopes[k]) else None

    def _complex_slopes(self, h: float) -> Array | None:
        out = self.f(1j * h)
        if out.dtype.kind != "c":
            return None
        off = np.absolute(out.real - self.base)
        if np.any(off > SURE * self.sigma + 8 * EPS * np.absolute(self.base)):
            return None
        return np.asarray(self.cotangents @ (out.imag / h))

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


def differing(left: Array | float, right: Array | float) -> Array:
    """Return where slopes by complex steps are two."""
    size = np.maximum(np.absolute(left), np.absolute(right))
    return np.asarray(np.absolute(right - left) > KINKED * size)
