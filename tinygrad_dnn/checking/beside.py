"""What a value at a kink is worth: the gradient beside it, and kinks that meet.

The value at a kink is a convention; the gradient beside it is not, and is checked.  Where several
kinks meet, a value made of their conventions need not lie between the slopes of the two sides:
relu(x) - relu(-x) has slope 1 everywhere, and no convention for relu(0) gives that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.call import UNDEFINED
from tinygrad_dnn.checking.convention import excused, settle_at_one_point
from tinygrad_dnn.checking.kinks import Kinks, kinks_at, left_behind, number
from tinygrad_dnn.checking.probe import Probe, random_signs
from tinygrad_dnn.checking.problem import Point
from tinygrad_dnn.checking.search import EXAMINED, Finding, check_directions
from tinygrad_dnn.checking.verdict import SEVERITY
from tinygrad_dnn.report import CANNOT_TELL, KINK, RIGHT, WRONG

MEETING = "several kinks meet there, and beside them the gradient is right"
CANCELLING = (
    "beside this point the gradient is right: if kinks cancel there, as in relu(x) - relu(-x), the "
    "value is a convention; if not, it is wrong at this very point"
)
PAIRS = 2  # of points, opposite each other: one of two is on each side of a kink
STEP = 2.0**-20  # in elastic units: leaves a kink, and reaches few others


def settle_kinks(probe: Probe, j: int, finding: Finding, rng: np.random.Generator) -> Finding:
    """Overrule kinks beside which the gradient is wrong; excuse wrong values where kinks meet."""
    everything = range(probe.point[j].size)
    kinks: Sequence[int] = finding.where(KINK)
    finding.remark = ", ".join(_names(probe, j, kinks[0])) if kinks else finding.remark
    if any(d.verdict == KINK for d in finding.directions):
        kinks = everything
    if kinks and _beside(probe, j, kinks, rng) == WRONG:
        finding.remark, finding.overruled = "beside the kink the gradient is wrong", WRONG
    if not probe.problem.movable:
        kinked = finding.verdict in (KINK, WRONG)
        return settle_at_one_point(probe, j, finding, rng) if kinked else finding
    if finding.verdict != WRONG or finding.overruled == WRONG:
        return finding
    finding = _where_kinks_meet(probe, j, finding, rng)
    if finding.verdict == WRONG and probe.problem.graph is None:
        return _where_kinks_cancel(probe, j, finding, rng)
    return finding


def _where_kinks_meet(probe: Probe, j: int, finding: Finding, rng: np.random.Generator) -> Finding:
    """Excuse wrong values where kinks meet, if beside them the gradient is right."""
    suspects = _where_kinks_may_meet(probe, j, finding)
    if suspects and _beside(probe, j, suspects, rng) in (RIGHT, KINK):
        for i in suspects:
            finding.entries[i] = excused(finding.entries[i])
        finding.remark = MEETING
    blamed = [d for d in finding.directions if d.verdict == WRONG]
    meeting = all(d.sides for d in blamed) or number(_kinks(probe)) >= 2
    if not blamed or not meeting or finding.where(WRONG):
        return finding
    if _beside(probe, j, range(probe.point[j].size), rng) in (RIGHT, KINK):
        finding.directions = [excused(d) for d in finding.directions]
        finding.remark = MEETING
    return finding


def _where_kinks_cancel(
    probe: Probe, j: int, finding: Finding, rng: np.random.Generator
) -> Finding:
    """Leave it open if values are wrong here only, at zeros and equal numbers, where kinks are."""
    wrong = finding.where(WRONG)
    numbers, count = np.unique(
        np.concatenate([np.absolute(x).ravel() for x in probe.point]), return_counts=True
    )
    common = {0.0, *numbers[count > 1]}
    if not wrong or any(abs(probe.point[j].flat[i]) not in common for i in wrong):
        return finding
    if _beside(probe, j, range(probe.point[j].size), rng) in (RIGHT, KINK):
        open_ = {i: replace(finding.entries[i], verdict=CANNOT_TELL) for i in wrong}
        finding.entries |= open_
        finding.directions = [d for d in finding.directions if d.verdict != WRONG]
        finding.remark = CANCELLING
    return finding


def _where_kinks_may_meet(probe: Probe, j: int, finding: Finding) -> list[int]:
    """Return the wrong entries whose values may be conventions of several kinks.

    The graph tells; without one, it may be so wherever there is a kink.
    """
    wrong = finding.where(WRONG)
    if probe.problem.graph is None:
        return [i for i in wrong if finding.entries[i].sides]
    if number(_kinks(probe)) < 2:
        return []
    meeting = [i for i in wrong[:EXAMINED] if _number_left(probe, j, i) >= 2]
    return wrong if len(meeting) == EXAMINED else meeting


def _beside(probe: Probe, j: int, entries: Sequence[int], rng: np.random.Generator) -> str:
    """Return the verdict on the gradient by these entries close by, where the kinks are not.

    At several points: of two that are equal, now one will be larger and now the other.
    """
    worst = RIGHT
    for point in _points(probe, rng) if probe.problem.movable else ():
        try:
            close = Probe(probe.problem, point, rng)
        except UNDEFINED:
            continue
        found = check_directions(close, j, rng, within=np.array(entries, int))
        probe.calls += close.calls
        worst = max(worst, *(x.verdict for x in found.all), key=SEVERITY.index)
        if worst == WRONG:
            break
    return worst


def _points(probe: Probe, rng: np.random.Generator) -> Iterator[Point]:
    for _ in range(PAIRS):
        offsets = [
            2.0**-8 * np.where(x == 0, unit, np.absolute(x)) * random_signs(x.shape, rng)
            for x, unit in zip(probe.point, probe.units, strict=True)
        ]
        yield [x + offset for x, offset in zip(probe.point, offsets, strict=True)]
        yield [x - offset for x, offset in zip(probe.point, offsets, strict=True)]


def _kinks(probe: Probe, j: int = 0, i: int | None = None) -> list[Kinks]:
    """Return the kinks at the point, or after entry ``i`` has moved."""
    if probe.problem.graph is None:
        return []
    point = list(probe.point)
    if i is not None:
        point[j] = np.array(point[j])
        point[j].flat[i] += STEP * probe.units[j].flat[i]
    return kinks_at(probe.problem.graph(point))


def _number_left(probe: Probe, j: int, i: int) -> int:
    """Return how many functions, exactly on a kink, leave it when entry ``i`` moves."""
    return number(_kinks(probe)) - number(_kinks(probe, j, i))


def _names(probe: Probe, j: int, i: int) -> list[str]:
    """Name the kinks that entry ``i`` is on."""
    return left_behind(_kinks(probe), _kinks(probe, j, i))
