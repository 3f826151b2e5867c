"""Why depth: x1 XOR ... XOR xn with few units in many layers, or many units in one.

Three networks that compute parity exactly, none of them trained:

- a tree of XORs: O(log n) layers and O(n) units;
- one hidden layer whose units each detect one pattern of odd parity: 2^(n-1) units.  This is what
  circuit theory says of AND and OR gates, which can do no better with one layer;
- one hidden ReLU layer that looks at the sum s of the inputs: n units are enough, since
  parity = relu(s) + sum over k = 1 .. n-1 of 2 (-1)^k relu(s - k).

So "one layer needs exponentially many units" is true of circuits that enumerate patterns, and not
of ReLU networks.
"""

from itertools import product

import numpy as np

from tinygrad_dnn import nn


def inputs(n):
    """Return all 2^n inputs as columns, and their parities (1, 2^n)."""
    X = np.array(list(product([0.0, 1.0], repeat=n))).T
    return X, X.sum(axis=0, keepdims=True) % 2


def linear(W, b):
    """Return a Linear layer with these weights."""
    W, b = np.asarray(W, float), np.asarray(b, float).reshape(-1, 1)
    layer = nn.Linear(W.shape[1], W.shape[0], rng=None, init="zeros")
    layer.W.data, layer.b.data = W, b
    return layer


def tree(n):
    """XOR in pairs, n a power of two: relu(s) - 2 relu(s - 1) is the XOR of two bits with sum s."""
    layers = []
    while n > 1:
        pairs = np.kron(np.eye(n // 2), [[1, 1], [1, 1]])
        layers += [linear(pairs, [0, -1] * (n // 2)), nn.ReLU()]
        layers += [linear(np.kron(np.eye(n // 2), [[1, -2]]), [0] * (n // 2))]
        n //= 2
    return nn.Sequential(*layers)


def patterns(n):
    """One ReLU unit per input of odd parity: it is 1 there and 0 everywhere else."""
    X, Y = inputs(n)
    odd = X[:, Y[0] == 1].T
    return nn.Sequential(
        linear(2 * odd - 1, 1 - odd.sum(axis=1)), nn.ReLU(), linear(np.ones((1, len(odd))), [0])
    )


def sawtooth(n):
    """Put n ReLU units on the sum of the inputs."""
    heights = [1.0] + [2.0 * (-1) ** k for k in range(1, n)]
    return nn.Sequential(linear(np.ones((n, n)), -np.arange(n)), nn.ReLU(), linear([heights], [0]))


def units(net):
    """Return the number of hidden units."""
    return sum(layer.W.shape[0] for layer in net.layers[:-1] if isinstance(layer, nn.Linear))


def main(sizes=(2, 4, 8)):
    for n in sizes:
        X, Y = inputs(n)
        for build in (tree, patterns, sawtooth):
            net = build(n)
            exact = np.array_equal(net(X).data, Y)
            print(
                f"n = {n}: {build.__name__:9} {net.L:2} layers, {units(net):4} hidden units, "
                f"{'exact on all' if exact else 'WRONG on some of'} {2**n} inputs"
            )


if __name__ == "__main__":
    main()
