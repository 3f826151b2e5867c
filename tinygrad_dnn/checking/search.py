"""From slopes to arguments: every entry, or a few random directions and then the entries at fault.

The sum of the errors in two halves of a direction is the error of the whole, so a direction that
disagrees is halved until single entries are left, by two evaluations per halving.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tinygrad_dnn.checking.numeric import SURE, Line
from tinygrad_dnn.checking.problem import Probe, random_signs
from tinygrad_dnn.checking.verdict import FIRST, SEVERITY, Judgement, examine, glance, judge
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import RIGHT, WRONG, Evidence

FEW = 32  # arguments of so few entries are always checked entry by entry
DIRECTIONS = 3
EXAMINED = 40  # entries of one argument that get a ladder of their own; the rest share directions
NAMED = 6  # wrong entries looked for among many


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

    def where(self, verdict: str) -> list[int]:
        """Return the entries with this verdict, the largest difference first."""
        found = [i for i, x in self.entries.items() if x.verdict == verdict]
        return sorted(found, key=lambda i: -self.entries[i].difference)


def check_entries(probe: Probe, j: int, rng: np.random.Generator) -> Finding:
    """Check every entry of argument ``j`` by itself."""
    finding, doubtful = Finding(), []
    claims = [probe.claims(k, j) for k in range(len(probe.cotangents))]
    for i in range(probe.point[j].size):
        line, worst, judgement = probe.along_entry(j, i), 0.0, None
        for k, (slopes, rounding) in enumerate(claims):
            judgement = glance(line, k, probe.claim(k, j, slopes[i], rounding[i]))
            if judgement is None:
                off = abs(float(line.step(FIRST).slope[k]) - slopes[i])
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
        finding.glimpsed = {i: glimpse(line) for _, i, line in doubtful[EXAMINED:]}
        finding.directions = shared.directions
        finding.entries |= shared.entries
    return finding


def check_directions(
    probe: Probe, j: int, rng: np.random.Generator, *, within: Array | None = None
) -> Finding:
    """Check argument ``j`` along random directions, and name entries at fault if they disagree."""
    finding = Finding()
    n = probe.point[j].size
    chosen = np.arange(n) if within is None else within
    length = 2.0 ** -np.round(np.log2(max(len(chosen), 1)) / 2)
    for _ in range(DIRECTIONS):
        along = np.zeros(n)
        along[chosen] = random_signs(chosen.shape, rng) * length
        judgement, k, line = _judge_direction(probe, j, along)
        finding.directions.append(judgement)
        if judgement.verdict == WRONG and WRONG not in {
            x.verdict for x in finding.entries.values()
        }:
            for i in _halve(probe, j, k, along, line):
                finding.entries[i] = _judge_entry(probe, j, i, probe.along_entry(j, i))
    return finding


def glimpse(line: Line, k: int = 0) -> tuple[float, float]:
    """Return a slope from two steps, and its error."""
    near, far = line.step(FIRST), line.step(FIRST + 4)
    moved = abs(float(far.slope[k] - near.slope[k])) / 128
    return float(near.slope[k]), moved + float(SURE * near.noise[k])


def measured(probe: Probe, j: int, at_most: int) -> Evidence:
    """Return the slopes by a sub-grid of argument ``j``, without any claim."""
    x, unit = probe.point[j], probe.units[j]
    numeric, error = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for i in grid(x.shape, at_most):
        slope, off = glimpse(probe.along_entry(j, i))
        numeric.flat[i], error.flat[i] = slope / unit.flat[i], off / unit.flat[i]
    return Evidence(np.full(x.shape, np.nan), numeric, error)


def grid(shape: tuple[int, ...], at_most: int) -> list[int]:
    """Return the flat indices of a sub-grid of an array, evenly spread along every axis.

    >>> grid((2, 100), 10)
    [0, 25, 50, 74, 99, 100, 125, 150, 174, 199]
    """
    counts = list(shape)
    while np.prod(counts) > at_most:
        longest = int(np.argmax(counts))
        counts[longest] = max(1, int(counts[longest] * 0.9))
    axes = [
        np.linspace(0, n - 1, c).round().astype(int) for n, c in zip(shape, counts, strict=True)
    ]
    return [int(i) for i in np.ravel_multi_index(np.ix_(*axes), shape).ravel()] if shape else [0]


def _judge_entry(probe: Probe, j: int, i: int, line: Line) -> Judgement:
    found = []
    for k in range(len(probe.cotangents)):
        slopes, rounding = probe.claims(k, j)
        claim = probe.claim(k, j, slopes[i], rounding[i])
        found.append(glance(line, k, claim) or examine(line, k, claim))
    return _worst(found)


def _judge_direction(probe: Probe, j: int, along: Array) -> tuple[Judgement, int, Line]:
    """Return the worst judgement over the cotangents, which one it was, and the line."""
    line = probe.line(j, (along * np.ravel(probe.units[j])).reshape(probe.point[j].shape))
    found = []
    for k in range(len(probe.cotangents)):
        slopes, rounding = probe.claims(k, j)
        moving = along != 0
        slope = float(slopes[moving] @ along[moving])
        blur = float(np.sqrt(((rounding * along) ** 2).sum()) * 4)
        found.append(judge(line, k, probe.claim(k, j, slope, blur)))
    worst = _worst(found)
    return worst, found.index(worst), line


def _worst(found: Sequence[Judgement]) -> Judgement:
    return max(found, key=lambda x: (SEVERITY.index(x.verdict), x.difference))


def _halve(probe: Probe, j: int, k: int, along: Array, line: Line) -> list[int]:
    """Return up to NAMED entries that account for the error along a direction, by bisection."""
    slopes, _ = probe.claims(k, j)
    unit, shape = np.ravel(probe.units[j]), probe.point[j].shape
    bad = np.flatnonzero(~np.isfinite(slopes))
    if bad.size:
        return [int(i) for i in bad[:NAMED]]

    def error(part: Array, e: int) -> tuple[float, float]:
        d = np.zeros_like(along)
        d[part] = along[part]
        step = probe.line(j, (d * unit).reshape(shape)).step(e)
        return float(slopes[part] @ along[part] - step.slope[k]), float(SURE * step.noise[k])

    # the step at which the error stands out most from noise, among those that see the same error
    candidates = [e for e in line.steps if -25 <= e <= -9]
    e = max(candidates or [FIRST], key=lambda e: -abs(e + 13))
    everything = np.flatnonzero(along)
    total, noise = error(everything, e)
    todo = [(abs(total), total, everything)]
    named: list[int] = []
    while todo and len(named) < NAMED:
        todo.sort(key=lambda item: item[0])
        _, off, part = todo.pop()
        if len(part) == 1:
            named.append(int(part[0]))
            continue
        first, second = np.array_split(part, 2)
        off_first, noise = error(first, e)
        for half, off_half in ((first, off_first), (second, off - off_first)):
            if abs(off_half) > max(2 * noise, 0.01 * abs(total)):
                todo.append((abs(off_half), off_half, half))
    return named
