"""A race: every entry takes the same steps in turn, round after round, on the same core.

A round gives each entry one ratio, its seconds per step over those of the hand-written step in the
same round; reported are the median of these and a bootstrap interval of that median.  Before, all
take some steps from the same numbers, and whoever is then too far from the hand-written step run in
float64 is out: nobody races a wrong answer.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from benchmarks.cases import Case
from benchmarks.child import AbsentError, Child, Entry, FailedError
from benchmarks.contestants import HAND
from benchmarks.interval import Interval, median_of

TURN = 0.010  # seconds of a turn of the hand-written step; all take as many steps as it does then
IN_A_ROW = 5  # but no fewer: the first finds in no cache what the step before leaves there
AGREE_STEPS = 20  # taken before comparing; after 100 a ReLU's kink has set float32 runs apart
STRAY = 10  # a contestant may be so many times as far from the float64 run as the reference is
SURE = 0.005  # rounds end when every interval reaches no farther than this share of its median
FEWEST = 12  # but so many there are
ROUNDING = {"float32": 1e-5, "float64": 1e-11}  # and this far in any case (norm-wise)


@dataclass
class Result:
    """What became of one entry: its times (rounds,), or why it has none."""

    title: str
    versions: dict[str, str] = field(default_factory=dict)
    first: float = float("nan")  # seconds to build it and take the first step
    cost: float = float("nan")
    stray: float = float("nan")  # distance of its parameters from the float64 run, norm-wise
    seconds: list[float] = field(default_factory=list)
    out: str = ""  # why it does not take part
    broken: bool = False  # and whether that is somebody's fault

    def as_dict(self) -> dict[str, object]:
        """Return what is known of it, for a file; the times to four digits."""
        known = {k: v for k, v in vars(self).items() if v == v}  # nan is not
        return {**known, "seconds": [float(f"{s:.4g}") for s in self.seconds]}

    @property
    def median(self) -> float:
        """Its median time per step, in seconds."""
        return float(np.median(self.seconds))

    def over(self, other: "Result") -> Interval:
        """Return how many times as long as ``other`` it takes, round by round."""
        return median_of(np.divide(self.seconds, other.seconds))


def race(
    case: Case, dtype: str, entries: Sequence[Entry], rounds: int, reference: str = HAND
) -> dict[str, Result]:
    """Race ``entries``, one of which is the hand-written step; the results by their names.

    There are at most so many rounds: fewer if all ratios are known well before.
    """
    results = {entry.name: Result(entry.name) for entry in entries}
    with ExitStack() as stack:
        children = []
        for entry in entries:
            result = results[entry.name]
            try:
                child = stack.enter_context(Child(entry))
                title, result.versions = child.ask("title")
                result.title = title + entry.suffix
                result.first = child.ask("build", case, dtype)
            except (AbsentError, FailedError) as error:
                _leave_out(result, error)
            else:
                children.append(child)
        by_hand = next(c for c in children if c.entry.name == reference)
        children = _agreeing(case, dtype, children, results, reference)
        n = _steps(by_hand, TURN)
        order = np.random.default_rng(0)
        for done in range(rounds):
            if done >= FEWEST and done % 4 == 0 and _is_sure(results, reference):
                break
            for i in order.permutation(len(children)):
                child = children[i]
                results[child.entry.name].seconds.append(child.ask("time", n))
    return results


def _is_sure(results: dict[str, Result], reference: str) -> bool:
    """Say if the ratios of all that take part are known well enough."""
    found = [r.over(results[reference]) for r in results.values() if r.seconds]
    return all(max(high - x, x - low) <= SURE * x for low, x, high in found)


def _leave_out(result: Result, error: Exception) -> None:
    result.out, result.broken = str(error), isinstance(error, FailedError)


def _steps(child: Child, seconds: float) -> int:
    """Return how many steps ``child`` takes in so many seconds, at least IN_A_ROW."""
    one = child.ask("time", 1)
    one = child.ask("time", max(1, int(0.002 / one)))
    return max(IN_A_ROW, int(seconds / one))


def _agreeing(
    case: Case,
    dtype: str,
    children: Iterable[Child],
    results: dict[str, Result],
    reference: str,
) -> list[Child]:
    """Let all take AGREE_STEPS from the same numbers; return those that arrive where they must."""
    with Child(Entry(HAND)) as exact:
        exact.ask("build", case, "float64")
        cost, parameters = exact.ask("run", AGREE_STEPS)
    compared, arrived = [], []
    for child in children:
        result = results[child.entry.name]
        try:
            result.cost, found = child.ask("run", AGREE_STEPS)
        except FailedError as error:
            _leave_out(result, error)
            continue
        arrived.append(child)
        if found is not None:
            result.stray = max(distance([result.cost], [cost]), distance(found, parameters))
            compared.append(child)
    allowed = max(STRAY * results[reference].stray, ROUNDING[dtype])
    for child in compared:
        result = results[child.entry.name]
        if not result.stray <= allowed:
            why = f"wrong after {AGREE_STEPS} steps: {result.stray:.1e} off, allowed {allowed:.1e}"
            _leave_out(result, FailedError(why))
            arrived.remove(child)
    return arrived


def distance(found: Sequence, right: Sequence) -> float:
    """Return max |found - right| / max |right| of the worst array."""
    return max(
        float(np.max(np.abs(np.asarray(f, float) - r)) / (np.max(np.abs(r)) or 1.0))
        for f, r in zip(found, right, strict=True)
    )
