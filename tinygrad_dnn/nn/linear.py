"""Linear: the affine part of a layer, Z = W A + b."""

from typing import Any

import numpy as np

from tinygrad_dnn.errors import DimensionError
from tinygrad_dnn.nn.init import Initialiser, initialiser
from tinygrad_dnn.nn.naming import at_least_one, given, unfit, where
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


def linear(x: Array, W: Array, b: Array | None = None) -> Any:
    """Return W x + b, with the m examples as columns of x.

    Shapes: x (n_in, m), W (n_out, n_in), b (n_out, 1) -> (n_out, m).

    >>> linear(np.array([[1.0], [2.0]]), np.array([[3.0, 4.0]]), np.array([[0.5]]))
    array([[11.5]])
    """
    if W.ndim != 2 or x.ndim != 2 or x.shape[0] != W.shape[1]:
        raise _misfit("linear", x, W, b)
    if b is not None and b.shape != (W.shape[0], 1):
        raise _misfit("linear", x, W, b)
    return W @ x if b is None else W @ x + b


class Linear(Noticed):
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
            raise _misfit(self, A, W, b)
        Z: Tensor = W @ A + b
        return Z

    def __repr__(self) -> str:
        return f"Linear({self.n_in} -> {self.n_out})"


def _misfit(who: Any, A: Array, W: Array, b: Array | None) -> DimensionError:
    """Return the error for arrays that do not fit, with the names of the network they stand in."""
    return unfit(_said(who, A, W, b), who, W, b, A)


def _said(who: Any, A: Array, W: Array, b: Array | None) -> str:
    name = getattr(W, "name", None) or "W"
    if W.ndim != 2:
        return f"{where(who)}: {name} is {W.shape}; it needs (n_out, n_in)"
    n_out, n_in = W.shape
    if b is not None and b.shape != (n_out, 1):
        return (
            f"{where(who)}: {getattr(b, 'name', None) or 'b'} is {b.shape}, it needs ({n_out}, 1), "
            f"a column that is added to every example"
        )
    advice = ""
    if A.ndim == 1 and A.shape[0] == n_in:
        advice = "; one example is a column: reshape(-1, 1)"
    elif A.ndim == 2 and A.shape[1] == n_in:
        advice = "; examples are columns here, so transpose it: .T"
    elif A.ndim > 2:
        advice = "; flatten each example into a column"
    return (
        f"{where(who)}: {name} is {W.shape} but {given(A, who)} is {A.shape}; it needs "
        f"({n_in}, m){advice}"
    )
