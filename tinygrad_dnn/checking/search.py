"""From slopes to arguments: every entry, or a few random directions and then the entries at fault.

The sum of the errors in two halves of a direction is the error of the whole, so a direction that
disagrees is halved until single entries are left, by one or two evaluations per halving.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinygrad_dnn.checking.numeric import SURE, Line
from tinygrad_dnn.checking.probe import Probe, length, random_signs
from tinygrad_dnn.checking.verdict import FIRST, SEVERITY, Judgement, glance, judge
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import CANNOT_TELL, RIGHT, WRONG

FEW = 32  # arguments of so few entries are always checked entry by entry
DIRECTIONS = 3
EXAMINED = 40  # entries of one argument that get a ladder of their own; the rest share directions
NAMED = 6  # wrong entries looked for among many
STEPWISE = "f changes with others in steps, and with this one at no step"
BLOCKS = 64  # parts of a direction judged by themselves where the whole cannot be told


@dataclass
class Finding:
    """What was found about one argument: judgements of entries (flat index) and directions."""

    entries: dict[int, Judgement] = field(default_factory=dict)
    directions: list[Judgement] = field(default_factory=list)
    unexamined: int = 0  # entries that disagreed and were judged in common only
    glimpsed: dict[int, tuple[float, float]] = field(default_factory=dict)  # their slope, error
    remark: str = ""
    overruled: str = RIGHT  # a verdict from elsewhere than these judgements

    @property
    def all(self) -> list[Judgement]:
        """Every judgement."""
        return [*self.entries.values(), *self.directions]

    @property
    def verdict(self) -> str:
        """The worst verdict."""
        return max((self.overruled, *(x.verdict for x in self.all)), key=SEVERITY.index)

    def doubt_steps(self) -> None:
        """Leave open what f does not change with, if it changes with other entries in steps."""
        if not any(x.stepwise and x.verdict == CANNOT_TELL for x in self.all):
            return
        for i in self.where(WRONG):
            if self.entries[i].slope == 0 and not self.entries[i].sides:
                self.entries[i] = replace(self.entries[i], verdict=CANNOT_TELL, reason=STEPWISE)

    def where(self, verdict: str) -> list[int]:
        """Return the entries with this verdict, the largest difference first."""
        found = [i for i, x in self.entries.items() if x.verdict == verdict]
        return sorted(found, key=lambda i: -self.entries[i].difference)


def check_entries(probe: Probe, j: int, rng: np.random.Generator) -> Finding:
    """Check every entry of argument ``j`` by itself."""
    finding, doubtful = Finding(), []
    claims = [probe.claims.entries(k, j) for k in range(len(probe.cotangents))]
    for i in range(probe.point[j].size):
        line, worst, judgement = probe.entry(j, i), 0.0, None
        for k, (slopes, rounding) in enumerate(claims):
            judgement = glance(line, k, probe.claims.claim(k, j, slopes[i], rounding[i]))
            if judgement is None:
                off = abs(glimpse(line, k)[0] - slopes[i])
                doubtful.append((off if off == off else np.inf, i, line))
                break
            if i not in finding.entries or judgement.difference > worst:
                finding.entries[i], worst = judgement, judgement.difference
    doubtful.sort(key=lambda found: -found[0])
    for _, i, line in doubtful[:EXAMINED]:
        finding.entries[i] = _judge_entry(probe, j, i, line)
    rest = np.array([i for _, i, _ in doubtful[EXAMINED:]], int)
    if rest.size:
        shared = check_directions(probe, j, rng, within=rest)
        finding.unexamined = int(rest.size)
        finding.glimpsed = {i: glimpse(line, 0) for _, i, line in doubtful[EXAMINED:]}
        finding.directions = shared.directions
        finding.entries |= shared.entries
    return finding


def check_directions(
    probe: Probe, j: int, rng: np.random.Generator, *, within: Array | None = None
) -> Finding:
    """Check argument ``j`` along random directions, and name entries at fault if they disagree.

    Entries whose claim is infinite, or nan, would hide all others: they are looked at one by one.
    """
    finding = Finding()
    n = probe.point[j].size
    chosen = np.arange(n) if within is None else within
    singular = chosen[~probe.claims.finite(j)[chosen]]
    for i in map(int, singular[:EXAMINED]):
        finding.entries[i] = _judge_entry(probe, j, i, probe.entry(j, i))
    if singular.size > EXAMINED:
        finding.remark = f"the gradient is not finite at {singular.size:,}, {EXAMINED} looked at"
    chosen = np.setdiff1d(chosen, singular)
    for _ in range(DIRECTIONS if chosen.size else 0):
        along = np.zeros(n)
        along[chosen] = random_signs(chosen.shape, rng) * length(chosen.size)
        judgement, k, line = _judge_direction(probe, j, along)
        if judgement.verdict == CANNOT_TELL and not judgement.stepwise:
            judgement = _in_blocks(probe, j, along) or judgement
        finding.directions.append(judgement)
        named = any(x.verdict == WRONG for x in finding.entries.values())
        if judgement.verdict == WRONG and not named:
            for i in _halve(probe, j, k, along, line):
                finding.entries[i] = _judge_entry(probe, j, i, probe.entry(j, i))
    return finding


def glimpse(line: Line, k: int) -> tuple[float, float]:
    """Return a slope from a step or two, and its error."""
    if line.analytic and (slopes := line.complex_slopes) is not None:
        slope = float(slopes[k])
        size = float(np.linalg.norm(line.cotangents[k] * line.base))
        return slope, 16 * line.relative * max(abs(slope), size)
    near, far = line.step(FIRST), line.step(FIRST + 4)
    moved = abs(float(far.slope[k] - near.slope[k])) / 128
    return float(near.slope[k]), moved + float(SURE * near.noise[k])


def _judge_entry(probe: Probe, j: int, i: int, line: Line) -> Judgement:
    cotangents = range(len(probe.cotangents))
    return _worst([judge(line, k, probe.claims.at(k, j, i)) for k in cotangents])


def _judge_direction(probe: Probe, j: int, along: Array) -> tuple[Judgement, int, Line]:
    """Return the worst judgement over the cotangents, which one it was, and the line."""
    line = probe.line(j, along)
    cotangents = range(len(probe.cotangents))
    found = [judge(line, k, probe.claims.along(k, j, along)) for k in cotangents]
    worst = _worst(found)
    return worst, found.index(worst), line


def _in_blocks(probe: Probe, j: int, along: Array) -> Judgement | None:
    """Judge a direction part by part: fewer entries have fewer kinks close by.

    Return the worst judgement if every part can be told, or the one that is wrong, else None.
    """
    todo = [np.flatnonzero(along)]
    found: list[Judgement] = []
    for _ in range(BLOCKS):
        if not todo:
            return _worst(found)
        part = todo.pop()
        for half in np.array_split(part, 2):
            only = np.zeros_like(along)
            only[half] = along[half]
            judgement = _judge_direction(probe, j, only)[0]
            if judgement.verdict != CANNOT_TELL:
                found.append(judgement)
            elif half.size > 1:
                todo.append(half)
            else:
                return None
    return None


def _worst(found: Sequence[Judgement]) -> Judgement:
    return max(found, key=lambda x: (SEVERITY.index(x.verdict), x.difference))


def _halve(probe: Probe, j: int, k: int, along: Array, line: Line) -> list[int]:
    """Return up to NAMED entries that account for the error along a direction, by bisection."""
    # the step at which the error stands out most from noise, among those that see the same error
    e = min((e for e in line.steps if -25 <= e <= -9), key=lambda e: abs(e + 13), default=FIRST)

    def error(part: Array) -> tuple[float, float]:
        only = np.zeros_like(along)
        only[part] = along[part]
        there = probe.line(j, only)
        if there.analytic and (exact := there.complex_slopes) is not None:
            slope, blur = float(exact[k]), 0.0
        else:
            step = there.step(e)
            sides = np.array([step.slope[k], step.right[k], step.left[k]])
            slope = float(sides[np.argmax(np.isfinite(sides))])  # one-sided at an edge
            blur = float(SURE * step.noise[k])
        return probe.claims.along(k, j, only).slope - slope, blur

    everything = np.flatnonzero(along)
    total, _ = error(everything)
    todo = [(abs(total), total, everything)]
    named: list[int] = []
    while todo and len(named) < NAMED:
        todo.sort(key=lambda item: item[0])
        _, off, part = todo.pop()
        if len(part) == 1:
            named.append(int(part[0]))
            continue
        first, second = np.array_split(part, 2)
        off_first, noise = error(first)
        for half, off_half in ((first, off_first), (second, off - off_first)):
            if abs(off_half) > max(2 * noise, 0.01 * abs(total)):
                todo.append((abs(off_half), off_half, half))
    return named
