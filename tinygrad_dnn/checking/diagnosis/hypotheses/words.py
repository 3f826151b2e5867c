"""What values are called in the sentences of hypotheses, and how they are related."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Linear, Softmax
from tinygrad_dnn.checking.diagnosis.terms import Scene, Slope
from tinygrad_dnn.primitives import Array

Wrong = Iterator[tuple[str, Array]]


class Family(NamedTuple):
    """A mistake with a number in it that nobody has told: ``start`` + c ``along``."""

    words: Callable[[float], str]  # of c
    start: Array
    along: Array


def telling(x: Array) -> bool:
    """Whether an array can be known again: zeros, or ones, stand for whatever is left out.

    >>> telling(np.zeros((2, 3))), telling(np.array([[0.5, 1.0]]))
    (False, True)
    """
    return bool(np.any(x)) and (x.size == 1 or bool(np.any(x != x.flat[0])))


def slope_words(term: Slope, scene: Scene) -> str:
    """Return g'(Z) with what it is: relu' = [Z1 > 0]."""
    Z, g = term.of, term.step.g
    A = f"{g}({Z})" if term.step.mask or term.step.skip else term.out
    return {
        "relu": f"relu' = [{Z} > 0]",
        "leaky_relu": f"leaky_relu' = [1 where {Z} > 0, else {term.step.slope}]",
        "tanh": f"tanh' = 1 - {A}**2",
        "sigmoid": f"sigmoid' = {A} * (1 - {A})",
        "identity": "1 (no activation)",
    }.get(g, f"{g}'({Z})")


def relation(name: str, wanted: str, scene: Scene) -> str:
    """Say how one value is related to another: its Z, another layer's, before the activation."""
    for step in scene.forward.steps:
        if not isinstance(step, Elementwise | Softmax):
            continue
        if (step.z, step.out) == (name, wanted):
            return ", before its activation"
        if (step.out, step.z) == (name, wanted):
            return ", after the activation"
    letter, other = name.rstrip("0123456789"), wanted.rstrip("0123456789")
    if letter == other or {letter, other} <= {"A", "X", "Z"}:
        return " (the cache of another layer, stale or off by one)"
    return ""


def skipped(name: str, wanted: str, scene: Scene) -> str:
    """Say which step of the chain rule is left out."""
    for step in scene.forward.steps:
        if isinstance(step, Elementwise) and (step.out, step.z) == (name, wanted):
            return f": the factor {step.g}'({wanted}) is missing in it"
        if isinstance(step, Linear) and step.out == name:
            for left, right in step.products:
                if wanted in (left, right):
                    return f": the factor {left if right == wanted else right} is forgotten in it"
    if name[:1] == wanted[:1]:
        return " (another layer's, off by one)"
    return ""
