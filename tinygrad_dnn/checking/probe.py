"""A problem at one point: its values there, their noise, lines through the point, what is claimed.

Outputs are flat.  They are weighted by random *cotangents*, for which the gradients are claimed.
Which arguments the function is *analytic* in, so that the complex step may be taken, is found out
by comparing it with real differences; it is never assumed.  Where kinks are so close that real
differences cannot tell, they are compared at the nearest point around where they can.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.exceptions import ComplexWarning

from tinygrad_dnn.checking.arrays import real
from tinygrad_dnn.checking.call import UNDEFINED
from tinygrad_dnn.checking.claims import Claims
from tinygrad_dnn.checking.dual import Passage, carried
from tinygrad_dnn.checking.noise import measured_noise
from tinygrad_dnn.checking.numeric import EPS, SURE, Line, elastic_units
from tinygrad_dnn.checking.problem import Point, Problem
from tinygrad_dnn.checking.verdict import Claim, Judgement, judge
from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import CANNOT_TELL, KINK, RIGHT, WRONG

BAND = 1e3  # outputs that differ by more in size are weighted apart
BANDS = 6
WIDE = (-5, 1)  # exponents of steps at which a function of steps changes
JUMP = 1e3  # times its noise is f's value off if what it is computed from stands still
LEAST = 0.5  # of the entries of a random direction
AROUND = (2.0**-16, 2.0**-9, 2.0**-2, 2.0**5)  # where kinks may not be close, in elastic units
ROUGH = 0.25  # a relative error with which slopes must still agree, if everywhere


class Probe:
    """A problem at one point."""

    def __init__(self, problem: Problem, point: Point, rng: np.random.Generator) -> None:
        self.problem, self.point, self.rng = problem, point, rng
        out = real(problem.function, "what it returns", problem.value(point))
        self.calls, self.shape, self.base = 1, out.shape, out.ravel()
        self.undefined: list[Exception] = []  # raised at other points
        self.units = [elastic_units(x) for x in point]
        self.cotangents = random_cotangents(self.base, rng)
        self._along = [u * random_signs(u.shape, rng) for u in self.units]
        close = [nudge(x, rng) for x in point]
        known = self.units, self.cotangents, lambda: self.sizes, lambda: self.saturation
        self.claims = Claims(problem, point, close, *known)
        self.dual = False  # whether complex steps are taken with dual numbers
        self._needed = False  # whether complex numbers would not do
        self._analytic: dict[int, bool] = {}
        self._kinked: set[int] = set()  # the arguments of which it was not found out here
        self._around: dict[float, Probe] = {}

    # The function

    def value(self, t: complex, along: Sequence[Array | None], by: Passage | None = None) -> Array:
        """Return f at the point moved by ``t`` along a direction; None stands for zero."""
        moved = zip(self.point, along, strict=True)
        return self._at([x if d is None else x + t * d for x, d in moved], by)

    def again(self) -> Array:
        """Return f at the point once more."""
        return self._at(self.point)

    def _at(self, point: Point, by: Passage | None = None) -> Array:
        """Return f at another point, flat; nan where it raises what functions do out of domain."""
        self.calls += 1
        imaginary = any(np.iscomplexobj(x) for x in point)
        try:
            if imaginary and (self.dual or by):
                by = by or Passage()
                out = carried(self.problem.value, point, by)
                self._needed |= by.needed
            else:
                out = np.asarray(self.problem.value(point))
        except UNDEFINED as error:
            if imaginary:
                raise
            self.undefined.append(error)
            return np.full(self.base.shape, np.nan)
        if out.shape != self.shape:
            raise DimensionError(
                f"{self.problem.function} returns shape {self.shape} at the inputs, but "
                f"{out.shape} in another call"
            )
        return out.ravel() if out.dtype.kind == "c" else out.astype(np.float64).ravel()

    @cached_property
    def sigma(self) -> Array:
        """The noise of every output."""
        return measured_noise(lambda t: self.value(t, self._along), self.base, self.rng)

    @cached_property
    def sizes(self) -> list[float]:
        """The size of f, or of its change over one elastic unit, for each cotangent."""
        values = [self.base]
        far = [self.value(t, self._along) for t in (1.0, -1.0)]
        values += [v - self.base for v in far if np.all(np.isfinite(v))]
        weighted = [np.sqrt(((self.cotangents * v) ** 2).sum(axis=1)) for v in values]
        return [float(w) for w in np.max(weighted, axis=0)]

    @cached_property
    def saturation(self) -> list[float]:
        """What rounding makes of f's value beyond its noise, for each cotangent.

        log(1 - A) of an A next to 1 stands still over small steps, and then jumps: no noise shows
        that, but a value computed with more digits does, on machines that have them.  It is asked
        for costs: several values may come in another order then, as those of np.partition do.
        """
        if self.base.size > 1:
            return [0.0] * len(self.cotangents)
        try:
            exact = np.asarray(self.problem.value([x.astype(np.longdouble) for x in self.point]))
            off = np.absolute(exact.ravel() - self.base).astype(float)
        except Exception:  # whatever f thinks of such numbers
            return [0.0] * len(self.cotangents)
        usual = JUMP * (self.sigma + EPS * np.absolute(self.base))
        off = np.where(off > usual, off, 0.0)  # and 0 where it is no number
        return [float(w) for w in np.absolute(self.cotangents) @ off]

    # Lines

    def line_along(self, along: Sequence[Array | None]) -> Line:
        """Return f along a direction in which any argument may move."""
        return Line(lambda t: self.value(t, along), self.base, self.sigma, self.cotangents)

    def line(self, j: int, direction: Array) -> Line:
        """Return f along a direction of argument ``j``, flat and in elastic units."""
        along: list[Array | None] = [None] * len(self.point)
        along[j] = (direction * np.ravel(self.units[j])).reshape(self.point[j].shape)
        return self._marked(self.line_along(along), j)

    def entry(self, j: int, i: int) -> Line:
        """Return f along entry ``i`` (counted flat) of argument ``j``, in its elastic unit."""
        x, unit = self.point[j], float(self.units[j].flat[i])

        def f(t: complex) -> Array:
            moved = np.array(x, type(t) if isinstance(t, complex) else float)
            moved.flat[i] += t * unit
            return self._at([*self.point[:j], moved, *self.point[j + 1 :]])

        line = self._marked(Line(f, self.base, self.sigma, self.cotangents), j)
        size = abs(float(x.flat[i]))
        line.finest = int(np.log2(size / unit)) - 30 if size else line.finest
        return line

    def _marked(self, line: Line, j: int) -> Line:
        """Say of a line by argument ``j`` whether it is analytic, and has kinks close by."""
        line.analytic, line.kinked = self.analytic(j), j in self._kinked
        return line

    def analytic(self, j: int) -> bool:
        """Return whether the complex step agrees with real differences by argument ``j``."""
        if j not in self._analytic:
            self._analytic[j] = False  # while we find out
            before, self.dual = self.dual, True
            self._analytic[j] = self._found_analytic(j)
            self.dual = before or (self._needed and self._analytic[j])
        return self._analytic[j]

    def _found_analytic(self, j: int) -> bool:
        found = [self._agrees(j)]
        if found[0] not in (RIGHT, WRONG):
            self._kinked.add(j)
            with suppress(*UNDEFINED):
                for r in AROUND:
                    found.append(self._moved(r)._agrees(j))
                    if found[-1] in (RIGHT, WRONG):
                        break
        return found[-1] == RIGHT or {*found} == {CANNOT_TELL}

    def _agrees(self, j: int) -> str:
        """Return whether it is right at this point; KINK if kinks close by may hide it.

        CANNOT_TELL is: as far as rounding lets one see.
        """
        n = self.point[j].size
        found = RIGHT
        for _ in range(2 if n > 1 else 1):
            line = self.line(j, random_signs((n,), self.rng) * length(n))
            try:
                with catch_warnings():
                    simplefilter("error", ComplexWarning)
                    slopes = line.complex_slopes
            except Exception:  # whatever f thinks of complex numbers
                return WRONG
            if slopes is None or line.at_an_edge():
                return WRONG
            if not slopes.any() and any(line.changes_at(e) for e in WIDE):
                found = KINK  # or steps: their slope is 0 in either way
            for k, slope in enumerate(slopes):
                claim = Claim(float(slope), 64 * EPS * self.sizes[k], abs(slope), self.sizes[k])
                judgement = judge(line, k, claim)
                if judgement.stepwise or _contradicts(judgement, line, k):
                    return WRONG
                found = max(found, _roughly(judgement), key=(RIGHT, CANNOT_TELL, KINK).index)
        return found

    def _moved(self, r: float) -> "Probe":
        """Return the problem at a point at a distance ``r``, in elastic units, in all arguments."""
        if r not in self._around:
            arguments = zip(self.point, self.units, strict=True)
            point = [x + r * unit * random_signs(x.shape, self.rng) for x, unit in arguments]
            self._around[r] = Probe(self.problem, point, self.rng)
            self._around[r]._analytic = dict.fromkeys(range(len(point)), False)
        self._around[r].dual = self.dual
        return self._around[r]


def _contradicts(judgement: Judgement, line: Line, k: int) -> bool:
    """Return whether a slope is wrong over the smallest steps too: kinks are further away."""
    if judgement.verdict != WRONG or judgement.sides:
        return False
    steps = (line.step(e) for e in range(line.finest, line.finest + 4, 2))
    seen = next((s for s in steps if judgement.difference > 2 * SURE * s.noise[k]), None)
    return seen is not None and bool(
        abs(seen.slope[k] - judgement.claimed) > judgement.difference / 2
    )


def _roughly(judgement: Judgement) -> str:
    blur = judgement.error / abs(judgement.slope) if judgement.slope else np.inf
    if judgement.verdict == CANNOT_TELL and judgement.difference < judgement.error and blur < ROUGH:
        return CANNOT_TELL
    return RIGHT if judgement.verdict == RIGHT else KINK


def random_cotangents(out: Array, rng: np.random.Generator) -> Array:
    """Return weightings of the outputs without tiny ones, two for each band; (1,) for one output.

    Outputs of a band are weighted to count alike; what differs more in size is weighted apart.  An
    output that is exactly 0 says nothing about its size, and goes with the largest.
    """
    if out.size == 1:
        return np.ones((1, 1))
    size = np.absolute(out)
    largest = np.max(size, initial=0.0)
    size = np.where(size > 0, size, largest or 1.0)
    band = np.maximum(np.ceil(np.log(size / (largest or 1.0)) / np.log(BAND)), 1 - BANDS)
    return (
        np.stack(
            [
                random_signs(out.shape, rng) * np.where(band == b, (largest or 1.0) / size, 0.0)
                for b in np.unique(band)
                for _ in range(2)
            ]
        )
        if out.size
        else np.zeros((1, 0))
    )


def random_signs(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return random numbers from +-{4/8, 5/8, ..., 12/8}: none below LEAST, few bits are used."""
    return rng.integers(4, 13, shape) / 8 * rng.choice((-1.0, 1.0), shape)


def length(n: int) -> float:
    """Return how far an entry moves along a direction of ``n``, about n^(-1/4), a power of two.

    At 1 the slopes of all add up to more than one step resolves, at n^(-1/2) to no more than one of
    them; and the further they move, the more kinks they meet.
    """
    return float(2.0 ** -np.round(np.log2(max(n, 1)) / 4))


def nudge(x: Array, rng: np.random.Generator) -> Array:
    """Return ``x`` with every nonzero entry moved by one unit in its last place."""
    return x + np.where(x == 0, 0.0, np.spacing(np.absolute(x)) * rng.choice((-1.0, 1.0), x.shape))
