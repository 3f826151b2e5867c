"""check_backprop: gradients derived by hand, against the cost they are gradients of.

The student's ``cost(params)`` is plain NumPy.  Values that it shows with ``tap`` can be checked as
parameters are, and let the diagnosis see the network; X and Y help it otherwise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_dnn.checking.choices import chosen_by, kink_words, told_by_equations
from tinygrad_dnn.checking.described import gave_up
from tinygrad_dnn.checking.diagnosis.ending import ended
from tinygrad_dnn.checking.diagnosis.equation import equations_of
from tinygrad_dnn.checking.diagnosis.explain import ONE, Explanation, explain
from tinygrad_dnn.checking.diagnosis.forward import Forward
from tinygrad_dnn.checking.diagnosis.inference import infer
from tinygrad_dnn.checking.diagnosis.legend import legend, plain
from tinygrad_dnn.checking.diagnosis.loops import passes_words, side_by_side
from tinygrad_dnn.checking.dual import ROUNDED
from tinygrad_dnn.checking.masked import maybe_masked, split, split_off
from tinygrad_dnn.checking.options import Settings, chosen
from tinygrad_dnn.checking.precision import EPS32, FEW
from tinygrad_dnn.checking.randomness import frozen_words
from tinygrad_dnn.checking.run import check
from tinygrad_dnn.checking.shown import CLOSE, Shown, convention_words
from tinygrad_dnn.checking.student import Student
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import WRONG, Report, Row

UNKNOWN = (
    "the network was not found out from its cost, so that no equation can be blamed; show the "
    'values of the forward pass: Z1 = tg.tap("Z1", ...), A1 = tg.tap("A1", ...) and so on'
)
Gradients = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]


def check_backprop(
    cost: Callable[[dict[str, Any]], Any],
    params: Mapping[str, Any],
    grads: Gradients,
    *,
    every_entry: bool | None = None,
    rng: np.random.Generator | int | None = None,
    **context: Any,
) -> Report:
    """Check gradients derived by hand of ``cost(params)``, and say which equation is wrong.

    ``params`` is {"W1": array, "b1": ...}, ``grads`` {"dW1": array, ...} ("W1" will do), or a
    function that computes them from params.  Gradients of intermediate values, dZ2 or dA1, are
    checked if the cost shows those values: ``Z2 = tg.tap("Z2", W2 @ A1 + b2)``.

    ``context`` names what may be of use for the diagnosis: ``X=X, Y=Y, m=32, lambd=0.7,
    keep_prob=0.8, D1=mask``; what the cost reads from around it is known anyway.

    The course's dZ and dA are per example, m times the derivatives of J that the engine reports;
    which of the two is meant is found out, and said.

    >>> X, Y = np.array([[1.0, 2.0, -1.0]]), np.array([[1.0, 3.0, 0.0]])
    >>> def cost(p):
    ...     return np.mean((p["W1"] @ X + p["b1"] - Y) ** 2)
    >>> p = {"W1": np.array([[0.5]]), "b1": np.array([[0.1]])}
    >>> dZ = 2 * (p["W1"] @ X + p["b1"] - Y)
    >>> grads = {"dW1": -(1 / 3) * dZ @ X.T, "db1": np.mean(dZ, axis=1, keepdims=True)}
    >>> print(check_backprop(cost, p, grads).diagnosis)
    dW1: the sign is flipped: it is -1 times the right value; right is dW1 = (1/m) * dZ1 @ X.T
    """
    settings = chosen("check_backprop", {"every_entry": every_entry, "rng": rng})
    student = Student(cost, params, grads, context)
    with student.randomness.unmoved():
        return _Check(student).report(settings)


class _Check:
    """One check: rows measured, the convention found out, causes named."""

    def __init__(self, student: Student) -> None:
        self.student = student
        self.shown = Shown(student.given, {**student.params, **student.tapped})
        self.of_J: dict[str, Array] = {}  # derivatives of J that are known
        self.forward: Forward | None = None
        self.notes: list[str] = []

    def report(self, settings: Settings) -> Report:
        """Return the report."""
        middle = [name for name in self.student.given if name not in self.student.params]
        if middle:
            self._look()
        m = self._m()
        convention = self._convention(middle, m)
        report = self._measured(settings, 1.0 if convention is False else float(m))
        rows = {row.name[1:]: row for row in report.rows}
        between = [name for name in self.shown.given if name not in rows]
        found = None
        if between or _is_any_wrong(rows):
            found = self._explanation(convention, middle, between, m)
        notes = [*report.notes, *self.notes, *self._doubts(rows)]
        rows |= self._by_equations(found, between, rows)
        if hidden := [f"d{name}" for name in between if name not in rows]:
            notes.append(_advice(hidden))
        explained = self.shown.explained(rows, found, self.of_J, m)
        said = "; ".join(row.note for row in explained if row.verdict == WRONG)
        if middle:
            notes.insert(0, convention_words(found.per_example if found else convention, m))
        elif "1/m" in said:
            notes.insert(0, convention_words(None, m))
        if self.forward and (told := legend(self.forward, self.student.tapped, said)):
            notes.append(told)
        return replace(report, rows=explained, notes=notes)

    def _convention(self, middle: Sequence[str], m: int) -> bool | None:
        """Say if the values in the ``middle`` are derived per example; None if nothing tells."""
        known = {name: x for name, x in self.of_J.items() if name in middle}
        told = self.shown.convention(known, m)
        if told is None and middle and self.forward:
            shown = self.shown.equations(self.student.params)
            return told_by_equations(self.forward, self.of_J, shown)
        return told

    def _measured(self, settings: Settings, scale: float) -> Report:
        """Compare with differences of the cost, those by tapped values ``scale`` times as large.

        So the derivatives of J by all that was compared become known.
        """
        student, shown = self.student, self.shown
        parameters = [name for name in shown.fitting if name in student.params]
        tapped = [name for name in shown.fitting if name in student.tapped]
        problems = [student.problem(parameters, shown.arrays)]
        if tapped:
            problems.append(student.problem(tapped, shown.arrays, scale))
        report = check("gradients by hand against the cost", problems, settings)
        for row in report.rows:
            name, wrong = row.name[1:], row.verdict == WRONG
            right = row.evidence.numeric if wrong and row.evidence else shown.arrays[name]
            self.of_J[name] = right / scale if name in tapped else right
        for name in shown.misshapen:
            if name in student.params or name in student.tapped:
                self.of_J[name] = student.measured(name)
        return replace(report, rows=[*report.rows, *map(shown.misshapen_row, shown.misshapen)])

    def _doubts(self, rows: Mapping[str, Row]) -> Iterator[str]:
        """Yield what may be amiss beside the gradients: with what is known, or with the cost."""
        if _is_any_wrong(rows):
            if not self.forward:
                yield UNKNOWN
            yield from self.student.doubts
        yield from _of_cost(self.student, rows)

    @contextmanager
    def _diagnosing(self) -> Iterator[None]:
        """Say so if the diagnosis fails: the verdicts do not depend on it."""
        try:
            yield
        except Exception as error:
            self.notes.append(gave_up(error))

    def _look(self) -> None:
        """Find out what the network is, and the derivatives by values that are not parameters."""
        with self._diagnosing():
            self._found_out()

    def _found_out(self) -> None:
        student = self.student
        if found := student.wired():
            self.forward, of_J = found
            self.of_J |= of_J
            self.shown.see({**self.forward.values, **student.params})
            self._see_masks()
        elif student.tapped:
            self.forward = student.forward()
            self.of_J |= {name: student.measured(name) for name in student.tapped}
            self._see_masks()
        elif chain := infer(student.tried, student.params, student.context):
            self.forward = chain.forward
            self.of_J[chain.output] = chain.derivative
            self.shown.see({**chain.forward.values, **student.params})
            self._see_masks()

    def _see_masks(self) -> None:
        """Take a dA that is zero where its mask is as what the course has under that name."""
        student, forward = self.student, self.forward
        if forward is None:
            return
        given, right = {*student.context, *student.tapped}, self.of_J
        with suppress(ValueError, IndexError):  # shapes do not fit: it is another network
            _, right = equations_of(forward, self.of_J, (), per_example=False)
        self.forward, known, found = split_off(forward, self.shown.arrays, right, given)
        self.of_J |= known
        student.masks |= {masked.step.out: masked.factor for masked in found}
        self.notes += [masked.words for masked in found]

    def _m(self) -> int:
        given = self.student.context.get("m")
        if given is not None:
            if self.forward and int(given) != self.forward.m > 1:
                self.notes.append(
                    f"m = {given:.0f} is given, but there are {self.forward.m} examples"
                )
            return int(given)
        found = self.forward.m if self.forward else 1
        return found if found > 1 else self.student.examples()

    def _explanation(
        self, convention: bool | None, middle: Sequence[str], between: Sequence[str], m: int
    ) -> Explanation | None:
        if not middle:
            self._look()
        if self.forward is None:
            return None
        self.forward.m = m if m > 1 else self.forward.m
        possible = [True, False] if convention is None else [convention]
        with self._diagnosing(), suppress(ValueError, IndexError):  # another network: no shape fits
            shown = self.shown.equations(self.student.params)
            self.forward, of_J = side_by_side(self.forward, self.of_J, shown)
            self.notes += passes_words(self.forward)
            forward, of_J = ended(self.forward, of_J)
            if unknown := {name: shown[name] for name in between if name in shown}:
                measured = (*self.student.params, *self.student.tapped)
                best = chosen_by(forward, of_J, measured, unknown, possible, self._close())
                forward, of_J, possible = best.forward, best.of_J, [best.per_example]
                self.notes += kink_words(forward)
            found = explain(forward, of_J, shown, possible)
            doubtful = found is None or found.weight > ONE
            if doubtful and (masked := maybe_masked(forward, shown)):
                forward, known = split(forward, of_J, masked)
                other = explain(forward, {**of_J, **known}, shown, possible)
                return min(filter(None, (found, other)), key=lambda e: e.weight, default=None)
            return found
        return None

    def _close(self) -> float:
        """Return by how much an array may differ from its equation, of its largest entry."""
        return max(CLOSE, FEW * EPS32) if self.student.single else CLOSE

    def _by_equations(
        self, found: Explanation | None, between: Sequence[str], measured: Mapping[str, Row]
    ) -> dict[str, Row]:
        """Return the rows of values ``between`` that were not tapped, in the network found.

        Where names are not clear, one that seems wrong while all that was measured is right may be
        that of another value.
        """
        right = found.right if found else {}
        rows = {
            name: self.shown.compared_row(name, right[name], "by the equations", self._close())
            for name in between
            if name in right
        }
        clear = self.forward is None or plain(self.forward, self.student.tapped)
        if clear or _is_any_wrong(measured):
            return rows
        return {name: row for name, row in rows.items() if row.verdict != WRONG}


def _of_cost(student: Student, rows: Mapping[str, Row]) -> Iterator[str]:
    """Yield what is worth saying of the cost: random numbers, what it does not read, rounding."""
    if names := student.randomness.names:
        yield frozen_words(names)
        if not student.computes:
            yield (
                "the cost draws random numbers: were grads computed with the same ones? grads may "
                "be a function of params, which is called with the same ones"
            )
    if unused := [name for name in student.unused if not _has_slope(rows.get(name))]:
        yield f"the cost does not change with {', '.join(unused)}"
    if student.rounds:
        yield f"the cost: {ROUNDED}"


def _is_any_wrong(rows: Mapping[str, Row]) -> bool:
    return any(row.verdict == WRONG for row in rows.values())


def _has_slope(row: Row | None) -> bool:
    return row is not None and row.evidence is not None and bool(np.any(row.evidence.both[1]))


def _advice(hidden: Sequence[str]) -> str:
    first = hidden[0][1:]
    return (
        f"not checked: {', '.join(hidden)}; show the values of the forward pass: "
        f'{first} = tg.tap("{first}", ...)'
    )
