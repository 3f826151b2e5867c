"""Gradients known at one point only, which is on a kink: is the value a convention, or wrong.

At one kink the value lies between the slopes of the two sides.  Where several meet it need not:
with all weights 0, relu'(0) = 0 gives a gradient of 0 whatever the slopes are.  With dual numbers
every convention can be tried: at each call that meets equal numbers, the slope of the one side, of
the other, or half of each.  A value that none of them gives is wrong, between the slopes too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from tinygrad_dnn.checking.claims import one_hot
from tinygrad_dnn.checking.dual import Passage
from tinygrad_dnn.checking.numeric import EPS, IMAGINARY, SURE
from tinygrad_dnn.checking.probe import Probe, length, random_signs
from tinygrad_dnn.checking.search import EXAMINED, Finding
from tinygrad_dnn.checking.verdict import TRUST, Judgement
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import CANNOT_TELL, KINK, WRONG

SIDES = (0.0, 1.0, 0.5)
ALL, TWO = 6, 9  # of no more calls with equal numbers are all choices tried, or those of one side
SAMPLES = 16
AWAY, STEP = 2.0**-14, 2.0**-22  # in elastic units: to a point close by, and for a slope there
SAME = 1e-3  # slopes so much alike, relatively, are one
CONVENTION = "several kinks meet there: the value is what a convention, as relu'(0) = 0, gives"
NONE = "no convention at the kinks, as relu'(0) = 0, gives the value"
AT_ONE_POINT = (
    "several kinks meet there: the value may be a convention, which cannot be judged by this point "
    "alone"
)


def settle_at_one_point(
    probe: Probe, j: int, finding: Finding, rng: np.random.Generator
) -> Finding:
    """Excuse values that are a convention, and blame values at kinks that are none."""
    if not probe.analytic(j):
        return _leave_open(probe, j, finding, rng)
    tried = _Conventions(probe, j)
    if not tried.ties:
        return finding
    everywhere = random_signs((probe.point[j].size,), rng) * length(probe.point[j].size)
    if tried.give(everywhere, mixed=True):
        for i in finding.where(WRONG):
            finding.entries[i] = excused(finding.entries[i])
            finding.remark = CONVENTION
        finding.directions = [excused(d) for d in finding.directions]
        return finding
    for verdict in (KINK, WRONG):
        for i in finding.where(verdict)[:EXAMINED]:
            given = tried.give(one_hot(probe.point[j].size, i))
            if given and verdict == WRONG:
                finding.entries[i], finding.remark = excused(finding.entries[i]), CONVENTION
            elif not given and verdict == KINK and tried.complete:
                finding.entries[i] = replace(finding.entries[i], verdict=WRONG, reason=NONE)
    return finding


class _Conventions:
    """The slopes that conventions for the kinks at a point give."""

    def __init__(self, probe: Probe, j: int) -> None:
        self.probe, self.j = probe, j
        natural = Passage()
        self._slope(np.ones(probe.point[j].size), natural)
        self.ties = natural.ties
        self.complete = not natural.others and self.ties <= TWO
        self._best: Sequence[float] = SIDES[:1]

    def _slope(self, direction: Array, by: Passage) -> float:
        along: list[Array | None] = [None] * len(self.probe.point)
        unit = self.probe.units[self.j]
        along[self.j] = (direction * np.ravel(unit)).reshape(unit.shape)
        out = self.probe.value(1j * IMAGINARY, along, by)
        return float(self.probe.cotangents[0] @ (out.imag / IMAGINARY))

    def give(self, direction: Array, *, mixed: bool = False) -> bool:
        """Return whether one of them gives what is claimed along a direction.

        One for all kinks, or ``mixed``, of which there are many.
        """
        claim = self.probe.claims.along(0, self.j, direction)
        slopes, _ = self.probe.claims.entries(0, self.j)
        terms = float(np.linalg.norm(slopes * direction))
        error = claim.rounding + claim.close + 64 * TRUST * EPS * terms
        for choices in self._candidates(mixed):
            try:
                slope = self._slope(direction, Passage(choices))
            except Exception:  # half of a choice is no index
                self.complete = False
                continue
            if abs(slope - claim.slope) <= error:
                self._best = choices
                return True
        return False

    def _candidates(self, mixed: bool) -> Iterator[Sequence[float]]:
        yield self._best
        yield from ((side,) for side in SIDES)
        if mixed and 1 < self.ties <= TWO:
            yield from product(SIDES if self.ties <= ALL else SIDES[:2], repeat=self.ties)


def _leave_open(probe: Probe, j: int, finding: Finding, rng: np.random.Generator) -> Finding:
    """Leave wrong values open where several kinks meet, as far as real differences show."""
    n = probe.point[j].size
    for i in finding.where(WRONG)[:EXAMINED]:
        judgement = finding.entries[i]
        if judgement.sides and not judgement.reason and _several(probe, j, one_hot(n, i), rng):
            finding.entries[i] = replace(judgement, verdict=CANNOT_TELL)
            finding.remark = AT_ONE_POINT
    blamed = [d for d in finding.directions if d.verdict == WRONG]
    if not blamed or finding.where(WRONG) or not all(d.sides for d in blamed):
        return finding
    if _several(probe, j, random_signs((n,), rng) * length(n), rng):
        finding.directions = [
            replace(d, verdict=CANNOT_TELL) if d.verdict == WRONG else d for d in finding.directions
        ]
        finding.remark = AT_ONE_POINT
    return finding


def _several(probe: Probe, j: int, direction: Array, rng: np.random.Generator) -> bool:
    """Return whether f has more than two slopes along a direction, at points close by."""
    slopes: list[float] = []
    same = 0.0
    for _ in range(SAMPLES):
        slope, blur = _close_by(probe, j, direction, rng)
        slopes.append(slope)
        same = max(same, blur)
        if np.count_nonzero(np.diff(np.sort(slopes)) > same) > 1:
            return True
    return False


def _close_by(
    probe: Probe, j: int, direction: Array, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the slope along a direction at a point close by, and by how much it may be off."""
    offset: list[Array] = [AWAY * u * random_signs(u.shape, rng) for u in probe.units]
    by = (STEP * direction * np.ravel(probe.units[j])).reshape(probe.units[j].shape)
    ahead, back = ([*offset[:j], offset[j] + s * by, *offset[j + 1 :]] for s in (1.0, -1.0))
    change = probe.value(1.0, ahead) - probe.value(1.0, back)
    noise = SURE * float(np.linalg.norm(probe.sigma)) / STEP
    slope = float(probe.cotangents[0] @ change) / (2 * STEP)
    return slope, max(SAME * abs(slope), noise)


def excused(judgement: Judgement) -> Judgement:
    """Return a judgement that is not wrong, but at a kink."""
    return replace(judgement, verdict=KINK) if judgement.verdict == WRONG else judgement
