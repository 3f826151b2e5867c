"""Linear: the affine part of a layer, Z = W A + b."""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.init import Initialiser, initialiser
from tinygrad_dnn.nn.naming import at_least_one, given, where
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


class Linear:
    """Z = W A + b, with the m examples as columns of A.

    Shapes: A (n_in, m) -> Z (n_out, m), with W (n_out, n_in) and b (n_out, 1).  ``init`` is the
    name of an initialiser of ``nn.init``, or a function like those; b starts at zero.

    >>> layer = Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((3, 5))).shape
    (2, 5)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        rng: Any,
        init: str | Initialiser = "he",
        dtype: Any = np.float64,
    ) -> None:
        at_least_one(f"Linear({n_in} -> {n_out})", n_in=n_in, n_out=n_out)
        self.W = Tensor(np.asarray(initialiser(init)(rng, n_out, n_in), dtype), name="W")
        self.b = Tensor(np.zeros((n_out, 1), dtype), name="b")

    @property
    def n_in(self) -> int:
        """The number of units it reads."""
        return self.W.node.value.shape[1]  # type: ignore[no-any-return]

    @property
    def n_out(self) -> int:
        """The number of units it has."""
        return self.W.node.value.shape[0]  # type: ignore[no-any-return]

    def __call__(self, A: Array) -> Tensor:
        W, b = self.W, self.b
        n_out, n_in = W.node.value.shape
        shape = A.shape
        if len(shape) != 2 or shape[0] != n_in or b.node.value.shape != (n_out, 1):
            raise DimensionError(self._misfit(A))
        Z: Tensor = W @ A + b
        return Z

    def _misfit(self, A: Array) -> str:
        """Say what does not fit, with the names of the network it stands in."""
        n_out, n_in = self.W.shape
        if self.b.shape != (n_out, 1):
            return (
                f"{where(self)}: {self.b.name or 'b'} is {self.b.shape}, it needs ({n_out}, 1), a "
                f"column that is added to every example"
            )
        advice = ""
        if A.ndim == 1 and A.shape[0] == n_in:
            advice = "; one example is a column: reshape(-1, 1)"
        elif A.ndim == 2 and A.shape[1] == n_in:
            advice = "; examples are columns here, so transpose it: .T"
        elif A.ndim > 2:
            advice = "; flatten each example into a column"
        return (
            f"{where(self)}: {self.W.name or 'W'} is {self.W.shape} but {given(A, self)} is "
            f"{A.shape}; it needs ({n_in}, m){advice}"
        )

    def __repr__(self) -> str:
        return f"Linear({self.n_in} -> {self.n_out})"
