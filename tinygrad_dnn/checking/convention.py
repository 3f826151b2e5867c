"""Gradients known at one point only, which is on a kink: is the value a convention or wrong.

At one kink the value must lie between the slopes of the two sides.  Where several meet it need not:
with all weights 0, relu'(0) = 0 gives a gradient of 0 whatever the slopes are.  Which of the two it
is, the slopes close by tell: one kink has two, several have more.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.claims import one_hot
from tinygrad_dnn.checking.numeric import EPS, SURE
from tinygrad_dnn.checking.probe import Probe, length, random_signs
from tinygrad_dnn.checking.search import EXAMINED, Finding
from tinygrad_dnn.checking.verdict import Judgement
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import KINK, WRONG

SAMPLES = 128
FAR = 8.0  # times the range of these: a product of conventions is hardly further away
AWAY, STEP = 2.0**-14, 2.0**-22  # in elastic units: to a point close by, and for a slope there
TURN = 2.0**-8  # so much a complex step is turned towards an entry
SAME = 1e-3  # slopes so much alike, relatively, are one
AT_ONE_POINT = (
    "several kinks meet there: the value may be a convention, which cannot be judged by this point "
    "alone"
)


def settle_at_one_point(
    probe: Probe, j: int, finding: Finding, rng: np.random.Generator
) -> Finding:
    """Excuse wrong values at kinks if several meet there."""
    n, wrong = probe.point[j].size, finding.where(WRONG)
    kinked = [i for i in wrong if finding.entries[i].sides or probe.on_a_kink]
    suspects = [i for i in kinked if not finding.entries[i].reason]
    meeting = [
        i for i in suspects[:EXAMINED] if _several(probe, j, one_hot(n, i), rng, finding.entries[i])
    ]
    for i in suspects if len(meeting) == EXAMINED else meeting:
        finding.entries[i] = excused(finding.entries[i])
        finding.remark = AT_ONE_POINT
    blamed = [d for d in finding.directions if d.verdict == WRONG]
    kinked_too = all(d.sides or probe.on_a_kink for d in blamed)
    if not blamed or finding.where(WRONG) or not kinked_too:
        return finding
    if _several(probe, j, random_signs((n,), rng) * length(n), rng):
        finding.directions = [excused(d) for d in finding.directions]
        finding.remark = AT_ONE_POINT
    return finding


def _several(
    probe: Probe,
    j: int,
    direction: Array,
    rng: np.random.Generator,
    judgement: Judgement | None = None,
) -> bool:
    """Return whether f has more than two slopes along a direction, at points close by.

    Two are enough if the direction itself crosses no kink.  What is claimed must not be further
    from them than ``FAR`` times their range.
    """
    enough = 1 if judgement is None or judgement.sides else 0
    slopes: list[float] = []
    same = 0.0
    for _ in range(SAMPLES):
        slope, blur = (_beside if probe.on_a_kink else _close_by)(probe, j, direction, rng)
        slopes.append(slope)
        same = max(same, blur)
        if np.count_nonzero(np.diff(np.sort(slopes)) > same) > enough and _among(slopes, judgement):
            return True
    return False


def _close_by(
    probe: Probe, j: int, direction: Array, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the slope along a direction at a point close by, and by how much it may be off."""
    offset = [AWAY * u * random_signs(u.shape, rng) for u in probe.units]
    ahead, back = (_turned(probe, offset, j, sign * STEP * direction) for sign in (1.0, -1.0))
    change = probe.value(1.0, ahead) - probe.value(1.0, back)
    noise = SURE * float(np.linalg.norm(probe.sigma)) / STEP
    slope = float(probe.cotangents[0] @ change) / (2 * STEP)
    return slope, max(SAME * abs(slope), noise)


def _beside(
    probe: Probe, j: int, direction: Array, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the slope along a direction where complex steps go from here, and its rounding.

    They go to one side of every kink that the point is on, and reach no other.
    """
    ahead = probe.analytic_direction()
    slopes = [
        probe.line_along(along).complex_slopes
        for along in (ahead, _turned(probe, ahead, j, TURN * direction))
    ]
    first, turned = (0.0 if s is None else float(s[0]) for s in slopes)
    return (turned - first) / TURN, 64 * EPS * max(abs(first), abs(turned)) / TURN


def _turned(probe: Probe, along: Sequence[Array | None], j: int, by: Array) -> list[Array | None]:
    """Return a direction with something added for argument ``j``, flat and in elastic units."""
    before, more = along[j], (by * np.ravel(probe.units[j])).reshape(probe.units[j].shape)
    return [*along[:j], more if before is None else before + more, *along[j + 1 :]]


def _among(slopes: Sequence[float], judgement: Judgement | None) -> bool:
    low, high = min(slopes), max(slopes)
    reach = FAR * (high - low)
    return judgement is None or low - reach <= judgement.claimed <= high + reach


def excused(judgement: Judgement) -> Judgement:
    """Return a judgement that is not wrong, but at a kink."""
    return replace(judgement, verdict=KINK) if judgement.verdict == WRONG else judgement
