"""Derivatives of what a cost is a sum of, as one writes them: A - Y, lambda W, up to a factor."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from tinygrad_dnn import equations
from tinygrad_dnn.checking.diagnosis.forward import Forward
from tinygrad_dnn.checking.diagnosis.sources import same
from tinygrad_dnn.primitives import Array

DIFFERENCE, HINGE = "{A} - {Y}", "-{Y} * ({Y} * {A} < 1)"
LOGISTIC = "-{Y} / (1 + np.exp({Y} * {A}))"
LOSSES: Mapping[str, Callable[[Array, Array], Array]] = {
    DIFFERENCE: lambda A, Y: A - Y,
    "-{Y}/{A} + (1 - {Y})/(1 - {A})": lambda A, Y: equations.cost_backward(
        A, Y, "binary cross-entropy"
    ),
    "-{Y}/{A}": lambda A, Y: equations.cost_backward(A, Y, "cross-entropy"),
    HINGE: lambda A, Y: equations.cost_backward(A, Y, "hinge"),
    "np.sign({A} - {Y})": lambda A, Y: np.sign(A - Y),
    LOGISTIC: lambda A, Y: equations.cost_backward(A, Y, "logistic"),
}


COMMON = tuple(LOSSES)[1:4]  # that are taken for one another
PENALTIES: Mapping[str, tuple[str, Callable[[Array], Array]]] = {  # of W, up to lambda/m
    "L2": ("{W}", lambda W: W),
    "L1": ("np.sign({W})", np.sign),
}


class Written(NamedTuple):
    """c times one of the ``LOSSES``, of what is called A and Y."""

    array: Array
    form: str
    c: float
    words: str
    Y: str


def written(forward: Forward, known: Array, close: float) -> Written | None:
    """Return how a derivative of the loss is written, without the error that it was measured with.

    What is known of it is right but for ``close``.
    """
    results = [step.out for step in reversed(forward.steps)]
    for a in [name for name in results if forward.values[name].shape == known.shape]:
        for y, Y in targets(forward, known).items():
            for form, function in LOSSES.items():
                if form == LOGISTIC and np.all(Y >= 0):
                    continue  # of labels 1 alone it is A - Y, too
                with np.errstate(all="ignore"):
                    exact = function(forward.values[a], Y)
                c = multiple(known, exact, close)
                if c is not None:
                    c, times = _simple(c, forward.m, max(known.size // forward.m, 1))
                    said = form.format(A=a, Y=y)
                    return Written(c * exact, form, c, f"{times}({said})" if times else said, y)
    return None


def targets(forward: Forward, known: Array) -> dict[str, Array]:
    """Return what may be Y, in the shape of a derivative at the output; Y itself first."""
    made = {step.out for step in forward.steps} | set(forward.parameters)
    given = {n: x for n, x in forward.values.items() if n not in made and x.size == known.size}
    names = sorted(given, key=lambda name: name not in ("Y", "y"))
    return {name: given[name].reshape(known.shape) for name in names}


def multiple(x: Array, formula: Array, close: float) -> float | None:
    """Return c if x is c times the formula."""
    with np.errstate(all="ignore"):
        size = float(np.sum(formula * formula))
        c = float(np.sum(x * formula)) / size if 0 < size < np.inf else 0.0
        return c if c and same(x, c * formula, close) else None


def _simple(c: float, m: int, n: int) -> tuple[float, str]:
    """Return a factor as it is meant, and how it is written."""
    for value, words in (
        (1.0, ""),
        (2.0, "2 * "),
        (1 / m, "(1/m) * "),
        (2 / m, "(2/m) * "),
        (1 / n, f"(1/{n}) * "),
        (2 / n, f"(2/{n}) * "),
        (1 / (n * m), f"(1/({n} m)) * "),
        (2 / (n * m), f"(2/({n} m)) * "),
    ):
        if abs(c - value) < 1e-5 * value:
            return value, words
    return c, f"{c:.6g} * "
