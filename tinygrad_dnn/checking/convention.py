"""Gradients known at one point only, which is on a kink: is the value a convention or wrong.

At one kink the value must lie between the slopes of the two sides.  Where several meet it need not:
with all weights 0, relu'(0) = 0 gives a gradient of 0 whatever the slopes are.  Which of the two it
is, the slopes close by tell: one kink has two, several have more.
"""

from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.claims import one_hot
from tinygrad_dnn.checking.numeric import SURE
from tinygrad_dnn.checking.probe import Probe, length, random_signs
from tinygrad_dnn.checking.search import EXAMINED, Finding
from tinygrad_dnn.checking.verdict import Judgement
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import KINK, WRONG

SAMPLES = 8
AWAY, STEP = 2.0**-14, 2.0**-22  # in elastic units: to a point close by, and for a slope there
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
    suspects = [i for i in wrong if finding.entries[i].sides and not finding.entries[i].reason]
    meeting = [i for i in suspects[:EXAMINED] if _several(probe, j, one_hot(n, i), rng)]
    for i in suspects if len(meeting) == EXAMINED else meeting:
        finding.entries[i] = excused(finding.entries[i])
        finding.remark = AT_ONE_POINT
    blamed = [d for d in finding.directions if d.verdict == WRONG]
    if not blamed or finding.where(WRONG) or not all(d.sides for d in blamed):
        return finding
    if _several(probe, j, random_signs((n,), rng) * length(n), rng):
        finding.directions = [excused(d) for d in finding.directions]
        finding.remark = AT_ONE_POINT
    return finding


def _several(probe: Probe, j: int, direction: Array, rng: np.random.Generator) -> bool:
    """Return whether f has more than two slopes along a direction, at points close by."""
    slopes = []
    for _ in range(SAMPLES):
        offset = [AWAY * u * random_signs(u.shape, rng) for u in probe.units]
        moved = np.zeros(direction.size)
        moved[:] = STEP * direction * np.ravel(probe.units[j])
        ahead, back = list(offset), list(offset)
        ahead[j] = offset[j] + moved.reshape(offset[j].shape)
        back[j] = offset[j] - moved.reshape(offset[j].shape)
        change = probe.value(1.0, ahead) - probe.value(1.0, back)
        slopes.append(float(probe.cotangents[0] @ change) / (2 * STEP))
    noise = SURE * float(np.linalg.norm(probe.sigma)) / STEP
    gaps = np.diff(np.sort(slopes)) > max(SAME * float(np.max(np.absolute(slopes))), noise)
    return bool(np.count_nonzero(gaps) > 1)


def excused(judgement: Judgement) -> Judgement:
    """Return a judgement that is not wrong, but at a kink."""
    return replace(judgement, verdict=KINK) if judgement.verdict == WRONG else judgement
