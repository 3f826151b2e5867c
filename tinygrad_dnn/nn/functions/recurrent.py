"""Recurrent cells, as functions of one step of a sequence.

x (n_in, m) is the input of this step for m examples, h (n, m) the state the step before has left.
Where a cell has several gates, their matrices lie one below the other in W (gates * n, n_in) and
U (gates * n, n), their biases in b (gates * n, 1).  Equations as in PyTorch, in this order.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.nn.naming import given, unfit, where
from tinygrad_dnn.primitives import Array
from tinygrad_dnn.rules.network import sigmoid


def rnn_step(x: Array, h: Array, W: Array, U: Array, b: Array) -> Any:
    """Return the next state, tanh(W x + U h + b).

    Shapes: x (n_in, m), h (n, m), W (n, n_in), U (n, n), b (n, 1) -> (n, m).
    """
    fits("rnn_step", 1, x, W, U, b, h)
    return np.tanh(W @ x + U @ h + b)


def lstm_step(x: Array, h: Array, c: Array, W: Array, U: Array, b: Array) -> tuple[Any, Any]:
    """Return the next state h and memory c.

    i, f, o = sigmoid and g = tanh of their parts, in the order i, f, g, o, of W x + U h + b;
    c' = f c + i g;  h' = o tanh(c').
    Shapes: x (n_in, m), h, c (n, m), W (4 n, n_in), U (4 n, n), b (4 n, 1) -> (n, m) twice.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), with Gers's forget gate.
    """
    fits("lstm_step", 4, x, W, U, b, h, c)
    n = U.shape[1]
    z = W @ x + U @ h + b
    i, f, o = sigmoid(z[:n]), sigmoid(z[n : 2 * n]), sigmoid(z[3 * n :])
    c = f * c + i * np.tanh(z[2 * n : 3 * n])
    return o * np.tanh(c), c


def gru_step(x: Array, h: Array, W: Array, U: Array, b: Array, bU: Array) -> Any:
    """Return the next state, z h + (1 - z) n.

    r, z = sigmoid of their parts, in the order r, z, n, of (W x + b) + (U h + bU);
    n = tanh(its part of (W x + b) + r its part of (U h + bU)).
    Shapes: x (n_in, m), h (n, m), W (3 n, n_in), U (3 n, n), b, bU (3 n, 1) -> (n, m).

    Source: Cho et al. (2014); r applied after U, as in cuDNN.
    """
    fits("gru_step", 3, x, W, U, b, h)
    fits("gru_step", 3, x, W, U, bU, h)
    n = U.shape[1]
    from_x, from_h = W @ x + b, U @ h + bU
    r = sigmoid(from_x[:n] + from_h[:n])
    z = sigmoid(from_x[n : 2 * n] + from_h[n : 2 * n])
    new = np.tanh(from_x[2 * n :] + r * from_h[2 * n :])
    return new + z * (h - new)


def fits(who: Any, gates: int, x: Array, W: Array, U: Array, b: Array, *states: Array) -> None:
    """Refuse shapes that do not belong together."""
    n = U.shape[-1]
    n_in = W.shape[-1]
    for name, held, wanted in (
        ("W", W, (gates * n, n_in)),
        ("U", U, (gates * n, n)),
        ("b", b, (gates * n, 1)),
    ):
        if held.shape != wanted:
            own = getattr(held, "name", None) or name
            raise unfit(f"{where(who)}: {own} is {held.shape}; it needs {wanted}", who, held)
    if x.ndim != 2 or x.shape[0] != n_in:
        raise unfit(
            f"{where(who)}: W is {W.shape} but {given(x, '')} is {x.shape}; it needs ({n_in}, m)",
            who,
            x,
            W,
        )
    for state in states:
        if state.shape != (n, x.shape[1]):
            raise unfit(
                f"{where(who)}: the state is {state.shape} but x is {x.shape}; the state needs "
                f"{(n, x.shape[1])}",
                who,
                x,
                state,
            )
