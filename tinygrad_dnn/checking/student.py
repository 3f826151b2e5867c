"""A student's cost and gradients: names and shapes sorted out, values tapped, gradients judged."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_dnn.checking.arrays import one_number, real
from tinygrad_dnn.checking.call import UNDEFINED, blaming, function_name, require_function
from tinygrad_dnn.checking.diagnosis.equation import equations_of
from tinygrad_dnn.checking.diagnosis.forward import Forward
from tinygrad_dnn.checking.diagnosis.legend import plain
from tinygrad_dnn.checking.diagnosis.reading import examples, read
from tinygrad_dnn.checking.diagnosis.recorded import recorded, true, twins
from tinygrad_dnn.checking.diagnosis.wiring import Wiring
from tinygrad_dnn.checking.dual import dual, in_double, kept, rounds
from tinygrad_dnn.checking.grid import measure
from tinygrad_dnn.checking.handed import WHO, context_of, doubts, parameters_of
from tinygrad_dnn.checking.names import by_values, require_dict
from tinygrad_dnn.checking.precision import is_single
from tinygrad_dnn.checking.problem import Fixed, Point, Problem
from tinygrad_dnn.checking.randomness import Randomness
from tinygrad_dnn.checking.surroundings import surroundings
from tinygrad_dnn.checking.tap import tapping
from tinygrad_dnn.errors import ChangedDataError
from tinygrad_dnn.primitives import Array

LONGEST = 120  # steps of a forward pass: one that loops over examples is better read otherwise
MOST = 3000  # entries of a tapped value whose derivative is measured for the diagnosis
Arrays = Mapping[str, Array]


class Student:
    """What was handed in, in float64, by the names of the values: "W1" for its gradient "dW1".

    ``shown`` are the gradients as given; ``tapped`` the intermediate values of the forward pass.
    """

    def __init__(
        self,
        cost: Callable[[dict[str, Any]], Any],
        params: Mapping[str, Any],
        grads: Any,
        context: Mapping[str, Any],
    ) -> None:
        require_function(WHO, "cost", cost, "cost(params)")
        if not callable(grads):
            require_dict(WHO, "grads", grads, "'dW1'")
        self.cost, self.params = cost, parameters_of(params)
        seen = (surroundings(grads) if callable(grads) else {}) | surroundings(cost)
        around = {name: x for name, x in seen.items() if name not in self.params}
        self.context = around | context_of(context)
        self.doubts = doubts(self.context, around, self.params)
        self.computes = callable(grads)
        self.randomness = Randomness(cost, grads)
        self.rounds = False
        self.tapped = self._first_run()
        self.rounds = rounds(self._by_values(self.params), list(self._copies().values()))
        self.tapped = self._first_run() if self.rounds else self.tapped
        if callable(grads):
            self.randomness.rewind()
            with blaming(WHO, grads, self.params.items()):
                given = grads(self._copies())
            require_dict(WHO, f"what {function_name(grads)} returns", given, "'dW1'")
            grads = given
        self.randomness.drawn()
        self.noted = self.tapped  # all that is shown; the cost may compute its end once more
        self.unread = self._unread()
        self.tapped = {name: x for name, x in self.noted.items() if name not in self.unread}
        self.masks: dict[str, Array] = {}  # for A whose derivative is by what it was before
        self.given = by_values(WHO, grads, self.params, self.tapped)
        self.unused = self._unused()

    def _run(self, params: dict[str, Any]) -> Any:
        """Return the cost, with the same random numbers at every call.

        One that computes with float32 inside is kept from that.
        """
        self.randomness.rewind()
        if self.rounds and all(_is_real(x) for x in params.values()):
            J = in_double(self._by_values(params), list(params.values()))
            if J is not None:
                return J
        return self.cost(params)

    def _by_values(self, params: Mapping[str, Any]) -> Callable[[Point], Any]:
        return lambda point: self.cost(dict(zip(params, point, strict=True)))

    def _copies(self) -> dict[str, Array]:
        return {name: np.array(x) for name, x in self.params.items()}

    def _first_run(self) -> dict[str, Array]:
        copies = self._copies()
        with tapping() as taps, blaming(WHO, self.cost, self.params.items()):
            J = self._run(copies)
        for name, x in self.params.items():
            if name not in copies or not np.array_equal(copies[name], x):
                raise ChangedDataError(
                    f"{WHO}: the cost changes params[{name!r}] in place; compute a new array "
                    f"instead (W = W - ..., not W -= ...)"
                )
        real(WHO, "the cost", one_number(WHO, "cost(params)", J))
        for name in taps.values:
            if name in self.params:
                raise ValueError(
                    f"{WHO}: tap({name!r}, ...): {name} is a parameter; tap values between the "
                    f"parameters and the cost, under names of their own"
                )
        return _in_float64(taps.values)

    def _unused(self) -> list[str]:
        """Return the parameters that the cost does not seem to read."""
        base, rng = self.params, np.random.default_rng(2)
        moved = {name: x + _spread(x) * rng.uniform(0.2, 1.0, x.shape) for name, x in base.items()}
        with np.errstate(all="ignore"):
            J = self.tried(base)
            if not np.isfinite(J):
                return []
            if self.tried(moved) == J:
                names = ", ".join(f"params[{name!r}]" for name in base)
                raise ValueError(
                    f"{WHO}: the cost is {J:.6g} for other values of its parameters too; it must "
                    f"compute from its argument: {names}"
                )
            return [n for n, x in moved.items() if x.size and self.tried({**base, n: x}) == J]

    def _unread(self) -> list[str]:
        """Return the last values that are tapped, if the cost does not read them.

        A cost of Z[L] is numerically stable, and A[L] is the prediction only.
        """
        rng = np.random.default_rng(3)
        moved = {n: x + _spread(x) * rng.standard_normal(x.shape) for n, x in self.params.items()}
        with np.errstate(all="ignore"):
            J = self.tried(moved)
            unread: list[str] = []
            for name, x in reversed(self.tapped.items()):
                shifts = (far * _spread(x) * rng.standard_normal(x.shape) for far in (0.1, 1, 10))
                if not all(self.tried(moved, {name: shift}) == J for shift in shifts):
                    break
                unread.append(name)
        return unread

    def value(self, params: Mapping[str, Any], shifts: Mapping[str, Any]) -> Any:
        """Return the cost with other parameters and shifted intermediate values."""
        with tapping(shifts):
            now = {name: dual(x) for name, x in params.items()}
            return kept(self._run(now)).reshape(())

    def tried(self, params: Mapping[str, Any], shifts: Arrays | None = None) -> float:
        """Return the cost with other parameters; nan where it cannot be computed."""
        with suppress(*UNDEFINED), np.errstate(all="ignore"):
            return float(self.value(params, shifts or {}))
        return float("nan")

    def problem(self, names: Sequence[str], claims: Arrays, scale: float = 1.0) -> Problem:
        """Return the check of ``scale`` J by some parameters and tapped values."""
        base = {**self.params, **self.tapped}

        def value(point: Point) -> Any:
            now = dict(zip(names, point, strict=True))
            params = {n: now.get(n, x) for n, x in self.params.items()}
            moved = {n: x - base[n] for n, x in now.items() if n in self.tapped}
            shifts = {n: self.masks.get(n, 1.0) * x for n, x in moved.items()}
            return scale * self.value(params, shifts)

        return Problem(
            [f"d{name}" for name in names],
            [base[name] for name in names],
            value,
            Fixed([claims[name] for name in names if name in claims]),
            function=function_name(self.cost),
            single=self.single,
        )

    @cached_property
    def single(self) -> bool:
        """Whether anything that the gradients may have been computed with is of float32."""
        seen = (self.params, self.context, self.tapped, self.given)
        return any(is_single(x) for arrays in seen for x in arrays.values())

    def examples(self) -> int:
        """Return how many examples there are, by X, or by a tapped Z that a bias fits; else 1."""
        return max(self._columns_of_X(), *(self._columns_of(Z) for Z in self.tapped), 1)

    def _columns_of(self, name: str) -> int:
        Z, b = self.tapped[name], self.params.get(f"b{name[1:]}")
        if b is None or {Z.ndim, b.ndim} != {2}:
            return 1
        wide = [n for n, k in zip(Z.shape, b.shape, strict=True) if n != k == 1]
        return wide[0] if len(wide) == 1 else 1

    def _columns_of_X(self) -> int:
        X, W = self.context.get("X"), self.params.get("W1", self.params.get("W"))
        if X is None or W is None or X.ndim != 2 or W.ndim != 2:
            return 1
        rows, columns = X.shape
        if rows == W.shape[1]:
            return int(columns)
        return int(rows) if columns == W.shape[0] else 1

    def measured(self, name: str, at_most: int = MOST) -> Array:
        """Return the derivative of J by a parameter or tapped value; nan where not measured."""
        return measure(self.problem([name], {}), 0, at_most=at_most).numeric

    def wired(self) -> tuple[Forward, Arrays] | None:
        """Return the forward pass as the engine records it, and dJ by its results, or None."""
        away, here = recorded(self._run, self._moved()), recorded(self._run, self.params)
        pairs = twins(away, here) if away and here and true(here, self.tried) else None
        if not pairs or away is None or here is None:
            return None
        with np.errstate(all="ignore"), suppress(RecursionError):
            wiring = Wiring(away, pairs, self.context, {})
            forward = wiring.forward(self.params)
            if not plain(forward, self.tapped):  # the student's Z1 may not be ours
                wiring = Wiring(away, pairs, self.context, self.given)
                forward = wiring.forward(self.params)
            ends = wiring.outputs()
            of_J = dict(zip(ends, here.derivatives(list(ends.values())), strict=True))
            forward.m, forward.over = examples(forward)
            right = equations_of(forward, of_J, (), per_example=False)[1]
            of_J |= {step.out: right[step.out] for step in forward.steps if step.out in right}
            return (forward, of_J) if 0 < len(forward.steps) <= LONGEST else None
        return None

    def _moved(self) -> dict[str, Array]:
        """Return parameters away from zeros and other coincidences."""
        rng = np.random.default_rng(1)
        spreads = {name: float(np.std(x)) if x.size else 0.0 for name, x in self.params.items()}
        least = min((s for s in spreads.values() if s), default=1.0)  # small W do not hide b
        return {
            name: x + 0.1 * (spreads[name] or min(least, 1.0)) * rng.standard_normal(x.shape)
            for name, x in self.params.items()
        }

    def forward(self) -> Forward | None:
        """Return the forward pass as far as the tapped values show it, or None."""
        moved = self._moved()
        context = {name: x for name, x in self.context.items() if name not in self.noted}
        with np.errstate(all="ignore"), tapping() as taps, suppress(*UNDEFINED):
            self._run(dict(moved))
            there = read(_in_float64(taps.values), moved, context)
            values = {**context, **self.params, **self.noted}
            here = replace(there, values=values)
            here.complete()
            here.steps = [step for step in here.steps if step.out not in self.unread]
            return here if here.steps else None
        return None


def _in_float64(tapped: Arrays) -> dict[str, Array]:
    return {name: real(WHO, f"tap({name!r}, ...)", x) for name, x in tapped.items()}


def _is_real(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype.kind == "f"


def _spread(x: Array) -> float:
    return float(np.std(x)) or 1.0 if x.size else 1.0
