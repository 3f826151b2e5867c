"""A student's cost and gradients: names and shapes sorted out, values tapped, gradients judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_dnn.checking.call import blaming, function_name
from tinygrad_dnn.checking.diagnosis.forward import Forward
from tinygrad_dnn.checking.diagnosis.reading import read
from tinygrad_dnn.checking.names import by_values, float64
from tinygrad_dnn.checking.problem import Fixed, Point, Problem
from tinygrad_dnn.checking.randomness import Randomness
from tinygrad_dnn.checking.run import measure
from tinygrad_dnn.checking.surroundings import surroundings
from tinygrad_dnn.checking.tap import tapping
from tinygrad_dnn.errors import ChangedDataError, DimensionError
from tinygrad_dnn.primitives import Array

WHO = "check_backprop"
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
        self.cost = cost
        self.params = {name: float64(WHO, name, value) for name, value in params.items()}
        if not self.params:
            raise ValueError(f"{WHO}: params is empty; pass {{'W1': W1, 'b1': b1, ...}}")
        seen = (surroundings(grads) if callable(grads) else {}) | surroundings(cost)
        around = {name: x for name, x in seen.items() if name not in self.params}
        self.context = around | {name: float64(WHO, name, x) for name, x in context.items()}
        self.computes = callable(grads)
        self.randomness = Randomness(cost, grads)
        self.tapped = self._first_run()
        if callable(grads):
            self.randomness.rewind()
            with blaming(f"{WHO} called {function_name(grads)}{self._shapes()}"):
                grads = grads(self._copies())
        self.randomness.drawn()
        self.given = by_values(WHO, grads, self.params, self.tapped)
        self.unused = self._unused()

    def _run(self, params: dict[str, Any]) -> Any:
        """Return the cost, with the same random numbers at every call."""
        self.randomness.rewind()
        return self.cost(params)

    def _copies(self) -> dict[str, Array]:
        return {name: np.array(x) for name, x in self.params.items()}

    def _first_run(self) -> dict[str, Array]:
        copies = self._copies()
        called = f"{WHO} called {function_name(self.cost)}{self._shapes()}"
        with tapping() as taps, blaming(called):
            J = self._run(copies)
        for name, x in self.params.items():
            if not np.array_equal(copies[name], x, equal_nan=True):
                raise ChangedDataError(
                    f"{WHO}: the cost changes params[{name!r}] in place; compute a new array "
                    f"instead (W = W - ..., not W -= ...)"
                )
        if np.size(J) != 1:
            raise DimensionError(
                f"{WHO}: cost(params) must return one number, the cost J, got shape {np.shape(J)}; "
                f"reduce it (np.sum, np.mean)"
            )
        return {name: np.asarray(x, np.float64) for name, x in taps.values.items()}

    def _shapes(self) -> str:
        return f" with {', '.join(f'{name} {x.shape}' for name, x in self.params.items())}"

    def _unused(self) -> list[str]:
        """Return the parameters that the cost does not seem to read."""
        base, rng = self.params, np.random.default_rng(2)
        moved = {
            name: x + (float(np.std(x)) or 1.0) * rng.uniform(0.2, 1.0, x.shape)
            for name, x in base.items()
        }
        with np.errstate(all="ignore"):
            J = self.value(base, {})
            if self.value(moved, {}) == J:
                names = ", ".join(f"params[{name!r}]" for name in base)
                raise ValueError(
                    f"{WHO}: the cost is {J:.6g} for other values of its parameters too; it must "
                    f"compute from its argument: {names}"
                )
            return [n for n, x in moved.items() if self.value({**base, n: x}, {}) == J]

    def value(self, params: Mapping[str, Any], shifts: Mapping[str, Any]) -> Any:
        """Return the cost with other parameters and shifted intermediate values."""
        with tapping(shifts):
            return np.reshape(self._run(dict(params)), ())

    def problem(self, names: Sequence[str], claims: Arrays, scale: float = 1.0) -> Problem:
        """Return the check of ``scale`` J by some parameters and tapped values."""
        base = {**self.params, **self.tapped}

        def value(point: Point) -> Any:
            now = dict(zip(names, point, strict=True))
            params = {n: now.get(n, x) for n, x in self.params.items()}
            shifts = {n: x - base[n] for n, x in now.items() if n in self.tapped}
            return scale * self.value(params, shifts)

        return Problem(
            [f"d{name}" for name in names],
            [base[name] for name in names],
            value,
            Fixed([claims[name] for name in names if name in claims]),
        )

    def columns_of_X(self) -> int:
        """Return how many examples X has, if there is one that fits W1; else 1."""
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

    def forward(self) -> Forward | None:
        """Return the forward pass as far as the tapped values show it, or None."""
        rng = np.random.default_rng(1)  # away from zeros and other coincidences
        moved = {
            name: x + 0.1 * (float(np.std(x)) or 1.0) * rng.standard_normal(x.shape)
            for name, x in self.params.items()
        }
        context = {name: x for name, x in self.context.items() if name not in self.tapped}
        with np.errstate(all="ignore"):
            with tapping() as taps:
                self._run(dict(moved))
            tapped = {name: np.asarray(x, np.float64) for name, x in taps.values.items()}
            there = read(tapped, moved, context)
            values = {**context, **self.params, **self.tapped}
            here = replace(there, values=values)
            here.complete()
        return here if here.steps else None
