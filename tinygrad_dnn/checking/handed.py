"""What is handed to check_backprop besides functions: parameters, and context for the diagnosis."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from tinygrad_dnn.checking.arrays import not_finite, real
from tinygrad_dnn.checking.names import require_dict
from tinygrad_dnn.checking.options import Options
from tinygrad_dnn.primitives import Array

WHO = "check_backprop"
Arrays = Mapping[str, Array]


def parameters_of(params: Any) -> dict[str, Array]:
    """Return the parameters in float64, if they are something to check gradients by."""
    require_dict(WHO, "params", params, "'W1'")
    found = {name: real(WHO, f"params[{name!r}]", value) for name, value in params.items()}
    shapes = ", ".join(f"{name} {x.shape}" for name, x in found.items())
    if not sum(x.size for x in found.values()):
        raise ValueError(
            f"{WHO}: params holds no numbers{shapes and f': {shapes}'}; pass {{'W1': W1, ...}}"
        )
    for name, x in found.items():
        if bad := not_finite(x):
            raise ValueError(f"{WHO}: params[{name!r}] holds {bad}; there is nothing to check then")
    return found


def context_of(context: Mapping[str, Any]) -> dict[str, Array]:
    """Return what was given for the diagnosis, if it can be; options of other checks cannot."""
    for name in context:
        if name in (*Options.__annotations__, "wrt"):
            raise TypeError(
                f"{WHO} has no option {name!r}; it has every_entry and rng, all else is context: "
                f"X=X, Y=Y, m=m, lambd=0.7, ..."
            )
        if near := get_close_matches(name, ("every_entry", "rng"), 1, 0.8):
            raise TypeError(f"{WHO} has no option {name!r}; is {near[0]} meant?")
    found = {name: real(WHO, name, x) for name, x in context.items()}
    m, keep = found.get("m"), found.get("keep_prob")
    if m is not None and not (m.size == 1 and m >= 1 and m == np.round(m)):
        raise ValueError(f"{WHO}: m, the number of examples, must be 1, 2, 3, ..., got {m}")
    if keep is not None and not (keep.size == 1 and 0 < keep <= 1):
        raise ValueError(f"{WHO}: keep_prob must be a number above 0, at most 1, got {keep}")
    return found


def doubts(given: Arrays, around: Arrays, params: Arrays) -> list[str]:
    """Say which arrays of the context may be meant otherwise."""
    said = [
        f"{name} is given as {x.shape}, but the cost reads {name} {around[name].shape}"
        for name, x in given.items()
        if name in around and x.shape != around[name].shape
    ]
    X, W = given.get("X"), params.get("W1")
    if X is not None and W is not None and not {*X.shape} & {*W.shape}:
        said.append(f"X is {X.shape}, which fits no side of W1 {W.shape}")
    return said
