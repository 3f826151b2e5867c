"""A whole check: is the function fit to be checked; then every argument; at several points."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_dnn.checking.arrays import not_finite
from tinygrad_dnn.checking.call import UNDEFINED
from tinygrad_dnn.checking.described import described
from tinygrad_dnn.checking.dual import ROUNDED, in_double, rounds
from tinygrad_dnn.checking.fitness import remarks, unfit
from tinygrad_dnn.checking.forward import forward_row
from tinygrad_dnn.checking.options import Settings, chosen
from tinygrad_dnn.checking.probe import Probe, random_signs
from tinygrad_dnn.checking.problem import Point, Problem
from tinygrad_dnn.checking.randomness import Randomness, frozen_words
from tinygrad_dnn.checking.rows import argument_rows, unchecked_row
from tinygrad_dnn.checking.verdict import SEVERITY
from tinygrad_dnn.errors import ChangedDataError, DimensionError
from tinygrad_dnn.report import CANNOT_TELL, RIGHT, WRONG, Report, Row

Found = tuple[list[Row], list[str], int]  # rows, notes, evaluations


def check(
    title: str,
    problems: Sequence[Problem],
    settings: Settings | None = None,
    explained: Callable[[Row], Row] = described,
) -> Report:
    """Return the report on problems that share a function, at more points if wanted.

    ``explained`` adds to a row what made it wrong.
    """
    settings = settings or chosen("check", {})
    points, reset = settings.points, settings.reset
    rows: list[Row] = []
    notes: list[str] = []
    calls = 0
    with np.errstate(all="ignore"):
        for problem in problems if reset is None else [p.after(reset) for p in problems]:
            found, said, number = _at_points(problem, settings)
            rows += map(explained, found)
            notes += said
            calls += number
    at = f", at {points + 1} points" if points else ""
    notes.append(f"{calls:,} evaluations of the function, in float64{at}")
    return Report(title, rows, list(dict.fromkeys(notes)), settings.strict)


def _at_points(problem: Problem, settings: Settings) -> Found:
    """Check a problem, with its random numbers frozen, at its point and at others around."""
    rng, every_entry = settings.rng, settings.every_entry
    randomness = Randomness(*problem.roots)
    with randomness.unmoved():
        frozen = _frozen(problem, randomness)
        found, said, number = _check(frozen, rng, every_entry)
        for which in range(1, settings.points + 1):
            moved = replace(frozen, point=_around(frozen, rng), given=None)
            more, _, extra = _check(moved, rng, every_entry)
            found = [_worse(a, b, which) for a, b in zip(found, more, strict=True)]
            number += extra
    if frozen is not problem:
        said = [frozen_words(randomness.names), *said]
    return found, said, number + 1


def _frozen(problem: Problem, randomness: Randomness) -> Problem:
    """Return the problem with the generators put back before all that is computed, if any draws."""
    point = [np.array(x) for x in problem.point]
    with suppress(Exception):  # the check will meet it again, and say what it is
        out = np.asarray(problem.value(point))
        if problem.pull is not None:
            problem.pull(point, np.zeros(out.size))
        if problem.push is not None:
            problem.push(point, [np.zeros(x.shape) for x in point])
    return problem.after(randomness.rewind) if randomness.drawn() else problem


def _check(problem: Problem, rng: np.random.Generator, every_entry: bool | None) -> Found:
    def unchecked(why: str, verdict: str, calls: int) -> Found:
        names = zip(problem.names, problem.point, strict=True)
        return [unchecked_row(name, x, why, verdict) for name, x in names], [], calls

    for name, x in zip(problem.names, problem.point, strict=True):
        if not np.all(np.isfinite(x)):
            return unchecked(f"{name} itself holds {not_finite(x)}", CANNOT_TELL, 0)
    kept = [np.array(x) for x in problem.point]
    rounded = rounds(problem.value, problem.point)
    if rounded:
        plain = problem.value
        problem = replace(problem, value=lambda point: _widely(plain, point))
    probe = Probe(problem, problem.point, rng)
    _unchanged(problem, kept, problem.function)
    why = unfit(probe)
    if why:
        return unchecked(why, CANNOT_TELL, probe.calls)
    try:
        why = probe.claims.not_linear() if problem.movable else ""
    except DimensionError as error:
        why = str(error)
    _unchanged(problem, kept, f"the derivative of {problem.function}")
    if why:
        return unchecked(why, WRONG, probe.calls)
    rows, notes = argument_rows(probe, rng, every_entry=every_entry)
    reverse = max((row.verdict for row in rows), key=SEVERITY.index, default=RIGHT)
    forward = forward_row(probe, reverse, rng)
    if isinstance(forward, Row):
        rows.append(forward)
    elif forward:
        notes.append(forward)
    _unchanged(problem, kept, problem.function)
    notes += [f"{problem.function}: {ROUNDED}"] * rounded
    return rows, notes + remarks(probe), probe.calls


def _widely(value: Callable[[Point], Any], point: Point) -> Any:
    """Return the value in float64, whatever it is rounded to inside."""
    if any(np.iscomplexobj(x) for x in point):
        return value(point)
    exact = in_double(value, point)
    return value(point) if exact is None else exact


def _unchanged(problem: Problem, kept: Point, who: str) -> None:
    for name, x, before in zip(problem.names, problem.point, kept, strict=True):
        if not np.array_equal(x, before):
            raise ChangedDataError(
                f"{who} changes its argument {name} in place; compute a new array instead "
                f"({name} = {name} * 2, not {name} *= 2), or start from a copy"
            )


def _around(problem: Problem, rng: np.random.Generator) -> Point:
    """Return a random point near by, where the function is still finite."""
    probe = Probe(problem, problem.point, rng)
    for e in range(-2, -12, -1):
        point = [
            x + 2.0**e * unit * random_signs(x.shape, rng)
            for x, unit in zip(problem.point, probe.units, strict=True)
        ]
        with suppress(*UNDEFINED):
            if np.all(np.isfinite(np.asarray(problem.value(point)))):
                return point
    return problem.point


def _worse(row: Row, other: Row, which: int) -> Row:
    """Return the worse of an argument's rows at two points."""
    if SEVERITY.index(other.verdict) <= SEVERITY.index(row.verdict):
        return row
    return replace(other, note=f"at point {which} around the inputs: {other.note}")
