"""Recurrent layers: a cell applied to every step of a sequence.

A sequence is (T, n_in, m), or a list of T arrays (n_in, m): m examples side by side, each T steps
long.  The state starts at zero.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.nn.functions.recurrent import gru_step, lstm_step, rnn_step
from tinygrad_dnn.nn.init import Initialiser, initialiser
from tinygrad_dnn.nn.naming import at_least_one, given, unfit, where
from tinygrad_dnn.nn.noticed import Noticed
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.tensor import Tensor


class _Recurrent(Noticed):
    """W, U and b of a cell with so many gates, and the walk along the sequence."""

    gates: int
    states = 1  # how many arrays are carried from step to step; the first is the result

    def __init__(
        self,
        n_in: int,
        n: int,
        *,
        rng: Any,
        return_sequences: bool = False,
        init: str | Initialiser = "lecun",
        dtype: Any = np.float64,
    ) -> None:
        at_least_one(f"{type(self).__name__}({n_in} -> {n})", n_in=n_in, n=n)
        self.n_in, self.n, self.return_sequences = n_in, n, return_sequences
        draw, rows = initialiser(init), self.gates * n
        self.W = Tensor(np.asarray(draw(rng, rows, n_in), dtype), name="W")
        self.U = Tensor(np.asarray(draw(rng, rows, n), dtype), name="U")
        self.b = Tensor(np.zeros((rows, 1), dtype), name="b")

    def __call__(self, X: Any) -> Any:
        wanted = f"(T, {self.n_in}, m), T >= 1, or a list of T arrays ({self.n_in}, m)"
        shapes = [x.shape for x in X] if isinstance(X, list | tuple) else [X.shape[1:]]
        if len(X) == 0 or set(shapes) != {(self.n_in, *shapes[0][1:2])} or len(shapes[0]) != 2:
            shown = X.shape if hasattr(X, "shape") else f"a list of {shapes}"
            said = f"{where(self)}: {given(X, self)} is {shown}; it needs {wanted}"
            raise unfit(said, self, *(X if isinstance(X, list | tuple) else (X,)))
        like = np.zeros((self.n, shapes[0][1]), self.W.dtype)
        state: tuple[Any, ...] = (like,) * self.states
        results = []
        for x in X:
            state = self.step(x, *state)
            results.append(state[0])
        return np.stack(results) if self.return_sequences else results[-1]

    def step(self, x: Array, *state: Array) -> tuple[Any, ...]:
        """Return the state after x, given the one before it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        shown = ", return_sequences=True" if self.return_sequences else ""
        return f"{type(self).__name__}({self.n_in} -> {self.n}{shown})"


class RNN(_Recurrent):
    """h = tanh(W x + U h + b), along a sequence.

    Shapes: X (T, n_in, m) -> the last h (n, m); all of them, (T, n, m), with
    ``return_sequences=True``.  W (n, n_in), U (n, n), b (n, 1).

    >>> layer = RNN(3, 5, rng=np.random.default_rng(0))
    >>> layer(np.ones((7, 3, 2))).shape
    (5, 2)
    """

    gates = 1

    def step(self, x: Array, *state: Array) -> tuple[Any, ...]:
        (h,) = state
        return (rnn_step(x, h, self.W, self.U, self.b),)


class LSTM(_Recurrent):
    """A long short-term memory, ``nn.lstm_step`` along a sequence.

    Shapes: X (T, n_in, m) -> the last h (n, m); all of them, (T, n, m), with
    ``return_sequences=True``.  W (4 n, n_in), U (4 n, n), b (4 n, 1).
    """

    gates, states = 4, 2

    def step(self, x: Array, *state: Array) -> tuple[Any, ...]:
        h, c = state
        return lstm_step(x, h, c, self.W, self.U, self.b)


class GRU(_Recurrent):
    """A gated recurrent unit, ``nn.gru_step`` along a sequence.

    Shapes: X (T, n_in, m) -> the last h (n, m); all of them, (T, n, m), with
    ``return_sequences=True``.  W (3 n, n_in), U (3 n, n), b and bU (3 n, 1).
    """

    gates = 3

    def __init__(self, n_in: int, n: int, **options: Any) -> None:
        super().__init__(n_in, n, **options)
        self.bU = Tensor(np.zeros_like(self.b.data), name="bU")

    def step(self, x: Array, *state: Array) -> tuple[Any, ...]:
        (h,) = state
        return (gru_step(x, h, self.W, self.U, self.b, self.bU),)
