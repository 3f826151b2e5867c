"""Flatten and Unflatten: from images to columns, and back."""

from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.nn.naming import at_least_one, misfit
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array


class Flatten:
    """Every example as one column.  Shapes: A (m, ...) -> (features, m).

    >>> Flatten()(np.ones((5, 3, 2, 2))).shape
    (12, 5)
    """

    def __call__(self, x: Array) -> Any:
        if x.ndim < 2:
            raise misfit(self, x, "(m, ...), the examples along the first axis")
        return np.reshape(x, (x.shape[0], prod(x.shape[1:]))).T

    def __repr__(self) -> str:
        return "Flatten()"


class Unflatten(Noticed):
    """Every column as an image, or any other ``shape``.  Shapes: A (features, m) -> (m, *shape).

    >>> Unflatten((3, 2, 2))(np.ones((12, 5))).shape
    (5, 3, 2, 2)
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = tuple(shape)
        at_least_one(f"Unflatten({self.shape})", **{f"size {i}": n for i, n in enumerate(shape)})

    def __call__(self, x: Array) -> Any:
        features = prod(self.shape)
        if x.ndim != 2 or x.shape[0] != features:
            advice = "examples are columns, so transpose it: .T" if x.shape[-1] == features else ""
            raise misfit(self, x, f"({features}, m)", advice)
        return np.reshape(x.T, (x.shape[1], *self.shape))

    def __repr__(self) -> str:
        return f"Unflatten({self.shape})"
