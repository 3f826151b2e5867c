"""Bilinear: Z[k] = a' W[k] b + c[k], a layer of two inputs."""

from typing import Any

import numpy as np

from tinygrad_dnn.nn.init import Initialiser, initialiser
from tinygrad_dnn.nn.naming import at_least_one, unfit, where
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


class Bilinear(Noticed):
    """Z[k] = x' W[k] y + b[k], for the columns x of one input and y of another.

    Shapes: x (n_x, m), y (n_y, m) -> Z (n_out, m), with W (n_out, n_x, n_y) and b (n_out, 1).

    >>> layer = Bilinear(3, 4, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((3, 5)), np.ones((4, 5))).shape
    (2, 5)
    """

    def __init__(
        self,
        n_x: int,
        n_y: int,
        n_out: int,
        *,
        rng: Any,
        init: str | Initialiser = "lecun",
        dtype: Any = np.float64,
    ) -> None:
        at_least_one(f"Bilinear({n_x}, {n_y} -> {n_out})", n_x=n_x, n_y=n_y, n_out=n_out)
        drawn = np.asarray(initialiser(init)(rng, n_out, n_x * n_y), dtype)
        self.W = Tensor(drawn.reshape(n_out, n_x, n_y), name="W")
        self.b = Tensor(np.zeros((n_out, 1), dtype), name="b")

    def __call__(self, x: Array, y: Array) -> Any:
        _, n_x, n_y = self.W.shape
        if x.shape != (n_x, *x.shape[1:2]) or y.shape != (n_y, *x.shape[1:2]) or x.ndim != 2:
            raise unfit(
                f"{where(self)}: {self.W.name} is {self.W.shape} but x is {x.shape} and y is "
                f"{y.shape}; they need ({n_x}, m) and ({n_y}, m)",
                self,
                x,
                y,
            )
        return np.sum((self.W @ y) * x, axis=1) + self.b

    def __repr__(self) -> str:
        n_out, n_x, n_y = self.W.shape
        return f"Bilinear({n_x}, {n_y} -> {n_out})"
