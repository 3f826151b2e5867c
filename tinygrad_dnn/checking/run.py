"""A whole check: is the function fit to be checked, then every argument, then forward mode."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinygrad_dnn.checking.forward import forward_row
from tinygrad_dnn.checking.problem import Point, Probe, Problem
from tinygrad_dnn.checking.rows import argument_rows, unchecked_row
from tinygrad_dnn.checking.verdict import SEVERITY
from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import RIGHT, WRONG, Report, Row


def run(
    title: str, problems: Sequence[Problem], rng: np.random.Generator, *, every_entry: bool | None
) -> Report:
    """Return the report on problems that share a function."""
    rows: list[Row] = []
    notes: list[str] = []
    calls = 0

    for problem in problems:

        def counted(point: Point, problem: Problem = problem) -> Array:
            nonlocal calls
            calls += 1
            return problem.value(point)

        with np.errstate(all="ignore"):
            found, said = _check(replace(problem, value=counted), rng, every_entry)
        rows += found
        notes += said
    notes.append(f"{calls:,} evaluations of the function, in float64")
    return Report(title, rows, notes)


def _check(
    problem: Problem, rng: np.random.Generator, every_entry: bool | None
) -> tuple[list[Row], list[str]]:
    why = _unfit(problem)
    if why:
        names = zip(problem.names, problem.point, strict=True)
        return [unchecked_row(name, x, why) for name, x in names], []
    try:
        probe = Probe(problem, problem.point, rng)
    except DimensionError as error:
        names = zip(problem.names, problem.point, strict=True)
        return [unchecked_row(name, x, str(error), WRONG) for name, x in names], []
    rows, notes = argument_rows(probe, rng, every_entry=every_entry)
    if probe.base.size > 1:
        notes.append(f"gradients are of a random weighting of the {probe.base.size:,} outputs")
    reverse = max((row.verdict for row in rows), key=SEVERITY.index, default=RIGHT)
    forward = forward_row(probe, reverse, rng)
    if isinstance(forward, Row):
        rows.append(forward)
    elif forward:
        notes.append(forward)
    return rows, notes


def _unfit(problem: Problem) -> str:
    """Say why nothing can be told about this function at this point, or return ''."""
    for name, x in zip(problem.names, problem.point, strict=True):
        if not np.all(np.isfinite(x)):
            return f"{name} itself holds nan or inf"
    first, second = problem.value(problem.point), problem.value(problem.point)
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
