"""check_backprop: gradients derived by hand, against the cost they are gradients of.

The student's ``cost(params)`` is plain NumPy.  Values that it shows with ``tap`` can be checked as
parameters are, and let the diagnosis see the network; X and Y help it otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_dnn.checking.diagnosis.explain import describe, explain
from tinygrad_dnn.checking.diagnosis.forward import Forward
from tinygrad_dnn.checking.diagnosis.inference import infer
from tinygrad_dnn.checking.diagnosis.reading import same
from tinygrad_dnn.checking.rows import details
from tinygrad_dnn.checking.run import check
from tinygrad_dnn.checking.student import Student
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.report import RIGHT, WRONG, Report, Row, relative_error

Gradients = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]
CLOSE = 1e-7  # of what is known by the equations of the network that was found


def check_backprop(
    cost: Callable[[dict[str, Any]], Any],
    params: Mapping[str, Any],
    grads: Gradients,
    *,
    every_entry: bool | None = None,
    rng: np.random.Generator | None = None,
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
    student = Student(cost, params, grads, context)
    return _Check(student).report(every_entry=every_entry, rng=rng)


class _Check:
    """One check: rows measured, the convention found out, causes named."""

    def __init__(self, student: Student) -> None:
        self.student = student
        given, known = student.given, {**student.params, **student.tapped}
        self.shown = {name: _squeezed_to(x, known.get(name)) for name, x in given.items()}
        self.fitting = [
            n for n, x in self.shown.items() if n in known and x.shape == known[n].shape
        ]
        self.misshapen = [n for n in self.shown if n in known and n not in self.fitting]
        self.untapped = [n for n in self.shown if n not in known]
        self.measured: dict[str, Array] = {}
        self.forward: Forward | None = None

    def report(self, *, every_entry: bool | None, rng: np.random.Generator | None) -> Report:
        """Return the report."""
        student = self.student
        middle = [n for n in self.shown if n not in student.params]
        if middle:
            self._look()
        convention = self._convention(middle)
        m = self._m()
        parameters = [n for n in self.fitting if n in student.params]
        tapped = [n for n in self.fitting if n in student.tapped]
        problems = [student.problem(parameters, self.shown)]
        if tapped:
            scale = float(m) if convention is not False else 1.0
            problems.append(student.problem(tapped, self.shown, scale))
        report = check(
            "gradients by hand against the cost", problems, every_entry=every_entry, rng=rng
        )
        rows = {row.name[1:]: row for row in report.rows}
        for name, row in rows.items():
            self.measured[name] = self._of_J(name, row, m, convention)
        rows |= {n: self._misshapen(n) for n in self.misshapen}
        notes = list(report.notes)
        if any(row.verdict == WRONG for row in rows.values()) or self.untapped:
            rows, convention = self._explained(rows, convention, m)
        if middle:
            notes.insert(0, _said(convention, m))
        hidden = [f"d{n}" for n in self.untapped if n not in rows]
        if hidden:
            notes.append(
                f"not checked: {', '.join(hidden)}; show the values of the forward pass: "
                f'{hidden[0][1:]} = tg.tap("{hidden[0][1:]}", ...)'
            )
        order = [n for n in self.shown if n in rows]
        return replace(report, rows=[self._shaped(n, rows[n]) for n in order], notes=notes)

    def _look(self) -> None:
        """Find out what the network is."""
        student = self.student
        if self.forward is not None:
            return
        if student.tapped:
            self.forward = student.forward()
            for name in student.tapped:
                if name not in self.measured:
                    self.measured[name] = student.measured(name)
            return
        found = infer(lambda p: float(student.value(p, {})), student.params, student.context)
        if found:
            self.forward = found.forward
            self.measured[found.output] = found.derivative

    def _m(self) -> int:
        given = self.student.context.get("m")
        if given is not None and given.size == 1:
            return int(given)
        return self.forward.m if self.forward else 1

    def _convention(self, middle: Sequence[str]) -> bool | None:
        """Return whether dZ and dA are per example; None if nothing can tell."""
        votes, m = 0, self._m()
        for name in middle:
            right, claimed = self.measured.get(name), self.shown[name]
            if right is not None and claimed.shape == right.shape and m > 1:
                votes += int(same(claimed, m * right, 1e-5)) - int(same(claimed, right, 1e-5))
        return None if not votes else votes > 0

    def _of_J(self, name: str, row: Row, m: int, convention: bool | None) -> Array:
        """Return the derivative of J that a row has measured, or else confirmed."""
        scale = 1.0
        if name in self.student.tapped and convention is not False:
            scale = 1 / m
        if row.verdict == WRONG and row.evidence is not None:
            return scale * row.evidence.numeric
        return scale * self.shown[name]

    def _misshapen(self, name: str) -> Row:
        """Return the row of a gradient that has not the shape of its value."""
        known = {**self.student.params, **self.student.tapped}[name]
        shown = self.student.given[name]
        self.measured[name] = self.student.measured(name)
        note = f"it is {shown.shape}, but {name} is {known.shape}"
        return Row(f"d{name}", shown.shape, np.inf, WRONG, details("shape"), note)

    def _shaped(self, name: str, row: Row) -> Row:
        """Return the row, wrong also if only an axis of length 1 is missing."""
        given, shown = self.student.given[name], self.shown[name]
        if given.shape == shown.shape:
            return row
        note = f"it is {given.shape}, but {name} is {shown.shape}: keepdims=True is missing"
        note = f"{note}; {row.note}" if row.verdict == WRONG and row.note else note
        return replace(row, shape=given.shape, verdict=WRONG, note=note)

    def _explained(
        self, rows: dict[str, Row], convention: bool | None, m: int
    ) -> tuple[dict[str, Row], bool | None]:
        """Return the rows with causes, those of untapped values added, and the convention."""
        self._look()
        middle = any(name not in self.student.params for name in self.shown)
        possible = [True, False] if convention is None and middle else [convention is not False]
        found = None
        if self.forward is not None:
            self.forward.m = m if m > 1 else self.forward.m
            found = explain(self.forward, self.measured, self.shown, possible)
        if found:
            for name in self.untapped:
                if name in found.right:
                    rows[name] = _by_equations(name, self.shown[name], found.right[name])
        for name, row in rows.items():
            if row.verdict != WRONG:
                continue
            said = found.notes.get(name, "") if found else ""
            if not said and (not found or name not in found.right):
                sizes = {"m": m} if m > 1 else {}
                said = describe(self.student.given[name], self.measured[name], sizes)
            if said:
                shape = f"{row.note}; " if name in self.misshapen else ""
                rows[name] = replace(row, note=shape + said)
        return rows, found.per_example if found else convention


def _by_equations(name: str, shown: Array, right: Array) -> Row:
    """Return the row of a value that was not tapped, in the network that was found."""
    fits = shown.shape == right.shape
    error = relative_error(shown, right) if fits else np.inf
    verdict = RIGHT if error <= CLOSE else WRONG
    return Row(f"d{name}", shown.shape, error, verdict, details("by the equations"))


def _squeezed_to(x: Array, wanted: Array | None) -> Array:
    """Return x in the shape of ``wanted`` if it lacks nothing but axes of length 1."""
    if wanted is None or x.shape == wanted.shape or x.size != wanted.size:
        return x
    same_axes = [n for n in x.shape if n != 1] == [n for n in wanted.shape if n != 1]
    return x.reshape(wanted.shape) if same_axes and x.ndim != wanted.ndim else x


def _said(convention: bool | None, m: int) -> str:
    if convention is None:
        return "convention: not told by these gradients; taken as dZ and dA per example"
    if convention:
        return f"convention: dZ and dA per example (m dJ/dZ, m dJ/dA; m = {m}); dW, db of J"
    return "convention: all are derivatives of the cost J (dZ and dA too)"
