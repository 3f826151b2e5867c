"""Cases: the networks that are raced, and the numbers that everyone starts from.

One step is forward, binary cross-entropy, backward, gradient descent, on one full batch.
"""

from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np

LEARNING_RATE = 0.0075


class Case(NamedTuple):
    """A network with ``dims`` = [n[0], ..., n[L]] units, and a batch of m examples."""

    name: str
    dims: list[int]
    m: int

    @property
    def units(self) -> str:
        """The dims in words; a long row of equal ones is counted."""
        runs = [(n, len(list(equal))) for n, equal in groupby(self.dims)]
        return f"[{', '.join(f'{n} x {k}' if k > 4 else str([n] * k)[1:-1] for n, k in runs)}]"


class Problem(NamedTuple):
    """What a contestant is given: X (n[0], m), Y (1, m), and W[l], b[l] for l = 1 to L."""

    X: np.ndarray
    Y: np.ndarray
    W: list[np.ndarray]
    b: list[np.ndarray]
    lr: float

    @property
    def dtype(self) -> Any:
        """The dtype of all its arrays."""
        return self.X.dtype

    @property
    def nbytes(self) -> int:
        """The bytes of all its arrays."""
        return sum(a.nbytes for a in (self.X, self.Y, *self.W, *self.b))


CASES = {
    case.name: case
    for case in (
        Case("tiny", [3, 5, 5, 3, 1], 32),
        Case("moons", [2, 16, 16, 1], 256),
        Case("deep", [32] * 33 + [1], 64),
        Case("cat", [12288, 20, 7, 5, 1], 209),
        Case("mnist", [784, 128, 64, 1], 128),
        Case("wide", [1024] * 4 + [1], 512),
    )
}


def problem(case: Case, dtype: str) -> Problem:
    """Return the numbers of ``case``: the same for everyone and every dtype, as of float32."""
    rng = np.random.default_rng(0)
    X = rng.random((case.dims[0], case.m))
    Y = rng.random((1, case.m)) < 0.35
    W = [rng.standard_normal((n, n_in)) * np.sqrt(2 / n_in) for n_in, n in pairwise(case.dims)]
    b = [np.zeros((n, 1)) for n in case.dims[1:]]

    def rounded(a: np.ndarray) -> np.ndarray:
        return a.astype("float32").astype(dtype)

    return Problem(
        rounded(X),
        rounded(Y),
        [rounded(w) for w in W],
        [rounded(c) for c in b],
        LEARNING_RATE,
    )
