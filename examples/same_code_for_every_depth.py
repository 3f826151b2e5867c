"""Logistic regression, one hidden layer, two, five: the same code, only the list of sizes differs.

Logistic regression is L = 1.  The data, two interleaved spirals, cannot be separated by a line.
"""

import numpy as np

import tinygrad_dnn as tg
from tinygrad_dnn import nn, optim
from tinygrad_dnn.training import accuracy


def spirals(m, rng):
    """Return m points (2, m) on two spiral arms, and which arm (1, m)."""
    Y = np.arange(m) % 2
    turn = rng.uniform(0.5, 3.5, m)
    angle = turn * 1.6 + np.pi * Y
    X = turn * np.stack([np.cos(angle), np.sin(angle)]) + 0.1 * rng.standard_normal((2, m))
    return X, Y[None, :]


def main(iterations=1500):
    X, Y = spirals(400, np.random.default_rng(0))
    for hidden in ([], [16], [16, 16], [16, 16, 16, 16, 16]):
        dims = [2, *hidden, 1]
        net = nn.Sequential.from_layer_dims(dims, hidden="tanh", rng=np.random.default_rng(1))
        descent = optim.SGD(net.parameters(), lr=0.3)
        history = tg.fit(
            net, X, Y, loss=nn.binary_cross_entropy, optimizer=descent, epochs=iterations
        )
        print(
            f"L = {net.L}: {dims!s:26} cost {history.cost[0]:.3f} -> {history.cost[-1]:.3f}, "
            f"accuracy {accuracy(net(X), Y):.1%}"
        )


if __name__ == "__main__":
    main()
