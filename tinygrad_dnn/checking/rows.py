"""From findings to the rows of a report, in the units of the user's own arrays."""

from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.arrays import misfit, place
from tinygrad_dnn.checking.beside import settle_kinks
from tinygrad_dnn.checking.grid import measured
from tinygrad_dnn.checking.jacobian import Slope, kinked_output, worst_output
from tinygrad_dnn.checking.probe import LEAST, Probe, length
from tinygrad_dnn.checking.search import (
    DIRECTIONS,
    FEW,
    NAMED,
    Finding,
    check_directions,
    check_entries,
)
from tinygrad_dnn.checking.verdict import CLOSE, SEVERITY, Judgement
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import CANNOT_TELL, KINK, RIGHT, WRONG, Evidence, Row

GRID = 400  # entries measured of an argument that is wrong and was checked along directions
MANY = 3000  # more numbers than this, in all arguments together, are checked along directions
CANCELLING = 2e-4  # that two wrong entries hide each other in all directions: (1/18)^3, at most


def argument_rows(
    probe: Probe, rng: np.random.Generator, *, every_entry: bool | None
) -> tuple[list[Row], list[str]]:
    """Return a row for every argument of the problem, and notes on what was not looked at."""
    total = sum(x.size for x in probe.point)
    rows, notes = [], []
    for j, x in enumerate(probe.point):
        wrong = _misshapen(probe, j)
        if wrong:
            rows.append(wrong)
            continue
        one_by_one = x.size <= FEW or (total <= MANY if every_entry is None else every_entry)
        finding = (check_entries if one_by_one else check_directions)(probe, j, rng)
        finding.doubt_steps()
        finding = settle_kinks(probe, j, finding, rng)
        rows.append(_row(probe, j, finding, one_by_one=one_by_one))
        if not one_by_one:
            notes.append(_unseen(probe, j, finding))
    return rows, notes


def _misshapen(probe: Probe, j: int) -> Row | None:
    """Return the row of a gradient that has not the shape of its argument."""
    name, x = probe.problem.names[j], probe.point[j]
    claimed = probe.claims.misshapen.get(j)
    if claimed is None:
        return None
    advice = misfit("", claimed.shape, x.shape)
    why = f"the gradient has shape {claimed.shape}, not {x.shape}"
    row = unchecked_row(name, x, f"{why}; {advice}" if advice else why, WRONG)
    return replace(row, evidence=replace(measured(probe, j, GRID), claimed=claimed))


def _unseen(probe: Probe, j: int, finding: Finding) -> str:
    """Say what directions could have missed."""
    n, cotangents = probe.point[j].size, range(len(probe.cotangents))
    largest = max(probe.claims.gauge(k, j) for k in cotangents)
    floors = [max(d.error, CLOSE * max(abs(d.claimed), largest / 100)) for d in finding.directions]
    least = max(floors, default=0.0) / (LEAST * length(n))
    of = f"{least / largest:.0e} of the largest" if largest else f"{least:.0e}"
    return (
        f"{probe.problem.names[j]}: {DIRECTIONS} random directions stand for {n:,} entries; an "
        f"error of one entry below {of} would not be seen, and larger ones could cancel with "
        f"a probability below {CANCELLING:.0e}"
    )


def unchecked_row(name: str, x: Array, why: str, verdict: str = CANNOT_TELL) -> Row:
    """Return a row without numbers."""
    return Row(name, x.shape, np.nan, verdict, details("nothing"), why)


def details(
    checked: str, at: str = "", value: float = np.nan, slope: float = np.nan, by: float = np.nan
) -> dict[str, str]:
    """Return the further columns of a row."""

    def number(x: float) -> str:
        return "" if np.isnan(x) and not at else f"{x:.7g}"

    judged = "" if np.isnan(by) else f"{by:.0e}"
    return {
        "checked": checked,
        "worst at": at,
        "value": number(value),
        "numeric": number(slope),
        "judged by": judged,
    }


def _row(probe: Probe, j: int, finding: Finding, *, one_by_one: bool) -> Row:
    x, unit = probe.point[j], np.ravel(probe.units[j])
    name, verdict = probe.problem.names[j], finding.verdict
    checked = f"all {x.size:,}" if one_by_one else f"{DIRECTIONS} directions"
    if not finding.all:
        return Row(name, x.shape, 0.0, verdict, details(checked))
    # in the user's units; directions have none of their own
    found = [(i, judgement, unit[i]) for i, judgement in finding.entries.items()]
    if not one_by_one or finding.overruled != RIGHT:
        found = [(-1, judgement, 1.0) for judgement in finding.directions] or found
    off = np.array([judgement.difference / u for _, judgement, u in found])
    size = np.max([abs(judgement.slope) / u for _, judgement, u in found])
    blur = np.array([judgement.error / u for _, judgement, u in found])
    if size <= np.max(blur):  # a gradient of zero: measure against f itself
        size = max(probe.sizes) / np.min(unit)
    severe = np.array([SEVERITY.index(judgement.verdict) for _, judgement, _ in found])
    worst = int(np.lexsort((off, severe))[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        error, by = np.max(off) / size if np.max(off) else 0.0, blur[worst] / size
    named = [i for v in (WRONG, CANNOT_TELL, KINK) for i in finding.where(v)]
    i = found[worst][0] if found[worst][0] >= 0 or not named else named[0]
    shown = _shown(probe, j, i, finding.entries[i] if i >= 0 else found[worst][1])
    return Row(
        name,
        x.shape,
        float(error),
        verdict,
        details(checked, shown.at, shown.claimed, shown.numeric, by),
        _note(finding, x.shape, unit, {i: shown}),
        None if probe.claims.by_tangents else _evidence(probe, j, finding),
    )


def _shown(probe: Probe, j: int, i: int, judgement: Judgement) -> Slope:
    """Return what stands for a judgement: of several outputs, the entry of one in the Jacobian."""
    if i < 0:
        return Slope("a direction", judgement.claimed, judgement.slope)
    shape, unit = probe.point[j].shape, float(probe.units[j].flat[i])
    if probe.base.size > 1 and judgement.sides and "jumps" not in judgement.reason:
        return kinked_output(probe, j, i)
    if probe.base.size > 1 and judgement.verdict in (RIGHT, WRONG):
        found = worst_output(probe, j, i, wrong=judgement.verdict == WRONG)
        if found:
            return found
    return Slope(place(i, shape), judgement.claimed / unit, judgement.slope / unit)


def _evidence(probe: Probe, j: int, finding: Finding) -> Evidence:
    """Return the numbers in the user's units; a sub-grid of them if directions were wrong.

    Of many outputs, those for the first weighting: judgements are of whichever was the worst.
    """
    x, unit = probe.point[j], probe.units[j]
    claimed = np.array(probe.claims.gradients[0][j], np.float64)
    kinks = tuple(finding.where(KINK))
    unexplained = len(finding.entries) in (0, *range(NAMED, x.size - len(finding.glimpsed)))
    if finding.verdict == WRONG and (unexplained or probe.base.size > 1):
        found = replace(measured(probe, j, GRID), claimed=claimed, kinks=kinks)
        if probe.base.size > 1:
            return found
    else:
        found = Evidence(claimed, np.full(x.shape, np.nan), np.full(x.shape, np.nan), kinks)
    for i, (slope, error) in finding.glimpsed.items():
        found.numeric.flat[i], found.error.flat[i] = slope / unit.flat[i], error / unit.flat[i]
    for i, judged in finding.entries.items():
        numbers = np.array([judged.claimed, judged.slope, judged.error]) / unit.flat[i]
        claimed.flat[i], found.numeric.flat[i], found.error.flat[i] = numbers
    return found


def _note(finding: Finding, shape: tuple[int, ...], unit: Array, shown: dict[int, Slope]) -> str:
    """Say which entries are wrong, on a kink or not decided, and how one can see it."""
    said = []
    words = {WRONG: "wrong", CANNOT_TELL: "cannot tell", KINK: "kink"}
    for verdict, word in words.items():
        entries = finding.where(verdict)
        if entries:
            i, more = entries[0], len(entries) - 1
            at = f" at {place(i, shape)}" if shape else ""
            others = f" and at {more} more" if more else ""
            reason = _reason(finding.entries[i], unit[i], shown.get(i))
            said.append(f"{word}{at}{others}: {reason}")
        elif finding.verdict == verdict and finding.directions:
            judgement = next((d for d in finding.directions if d.verdict == verdict), None)
            if judgement:
                said.append(f"{word} along a direction: {_reason(judgement, 1.0, None)}")
    remarkable = [i for i in finding.where(RIGHT) if finding.entries[i].reason]
    if remarkable:
        said.append(f"at {place(remarkable[0], shape)} {finding.entries[remarkable[0]].reason}")
    if finding.remark:
        said.append(finding.remark)
    if finding.unexamined:
        said.append(f"{finding.unexamined} doubtful entries were judged along directions only")
    return "; ".join(said)


def _reason(judgement: Judgement, unit: float, shown: Slope | None) -> str:
    shown = shown or Slope("", judgement.claimed / unit, judgement.slope / unit)
    value = f"the value is {shown.claimed:.7g}"
    sides = shown.sides or (judgement.sides and tuple(s / unit for s in judgement.sides))
    if sides:
        left, right = (f"{side:.7g}" for side in sides)
        beside = f"slopes {left} from the left, {right} from the right; {value}"
        return f"{judgement.reason}; {beside}" if judgement.reason else beside
    if judgement.reason:
        return f"{judgement.reason}; {value}"
    return f"{value}, numeric {shown.numeric:.7g}"
