"""A whole check: is the function fit to be checked, then every argument, then forward mode."""

from collections.abc import Sequence

import numpy as np

from tinygrad_dnn.checking.forward import forward_row
from tinygrad_dnn.checking.problem import Probe, Problem
from tinygrad_dnn.checking.rows import argument_rows, unchecked_row
from tinygrad_dnn.checking.search import measured
from tinygrad_dnn.checking.verdict import SEVERITY
from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.report import CANNOT_TELL, RIGHT, WRONG, Evidence, Report, Row


def check(
    title: str,
    problems: Sequence[Problem],
    *,
    every_entry: bool | None = None,
    rng: np.random.Generator | None = None,
) -> Report:
    """Return the report on problems that share a function."""
    rng = np.random.default_rng(0) if rng is None else rng
    rows: list[Row] = []
    notes: list[str] = []
    calls = 0
    for problem in problems:
        with np.errstate(all="ignore"):
            found, said, number = _check(problem, rng, every_entry)
        rows += found
        notes += said
        calls += number
    notes.append(f"{calls:,} evaluations of the function, in float64")
    return Report(title, rows, notes)


def measure(
    problem: Problem, j: int, *, at_most: int = 400, rng: np.random.Generator | None = None
) -> Evidence:
    """Return the numeric gradient of a scalar function by argument ``j``, without any claim.

    Of a large argument a sub-grid of ``at_most`` entries is measured; the others are nan.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    with np.errstate(all="ignore"):
        return measured(Probe(problem, problem.point, rng), j, at_most)


def _check(
    problem: Problem, rng: np.random.Generator, every_entry: bool | None
) -> tuple[list[Row], list[str], int]:
    def unchecked(why: str, verdict: str, calls: int) -> tuple[list[Row], list[str], int]:
        names = zip(problem.names, problem.point, strict=True)
        return [unchecked_row(name, x, why, verdict) for name, x in names], [], calls

    for name, x in zip(problem.names, problem.point, strict=True):
        if not np.all(np.isfinite(x)):
            return unchecked(f"{name} itself holds nan or inf", CANNOT_TELL, 0)
    probe = Probe(problem, problem.point, rng)
    why = _unfit(probe)
    if why:
        return unchecked(why, CANNOT_TELL, probe.calls)
    try:
        _ = probe.gradients
    except DimensionError as error:
        return unchecked(str(error), WRONG, probe.calls)
    rows, notes = argument_rows(probe, rng, every_entry=every_entry)
    if probe.base.size > 1:
        notes.append(f"gradients are of a random weighting of the {probe.base.size:,} outputs")
    reverse = max((row.verdict for row in rows), key=SEVERITY.index, default=RIGHT)
    forward = forward_row(probe, reverse, rng)
    if isinstance(forward, Row):
        rows.append(forward)
    elif forward:
        notes.append(forward)
    return rows, notes, probe.calls


def _unfit(probe: Probe) -> str:
    """Say why nothing can be told about this function at this point, or return ''."""
    first, second = probe.base, probe.again()
    if not np.all(np.isfinite(first)):
        bad = first[~np.isfinite(first)][0]
        return f"the function is {bad} at these inputs; choose others, where it is finite"
    off = float(np.max(np.absolute(first - second), initial=0.0))
    if off > 1e-6 * float(np.max(np.absolute(first), initial=0.0)):
        return (
            f"the function is not deterministic: two calls at the same inputs differ by {off:.2g}; "
            f"switch dropout off (net.eval()) or draw the same random numbers in every call"
        )
    return ""
