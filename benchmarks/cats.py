"""Reproduce the course's own run: cats against non-cats with layers [12288, 20, 7, 5, 1].

Published with the course: cost 0.771749 at the first of 2500 full-batch iterations, accuracy
0.985645933014 on the 209 training pictures and 0.80 on the 50 test pictures.  Run twice here: with
plain Tensors and NumPy's functions, and with ``Sequential``, a loss and an optimiser.

    python benchmarks/cats.py path/to/catvnoncat.npz [--iterations 2500]

The file holds train_set_x (209, 64, 64, 3), train_set_y (1, 209), test_set_x and test_set_y.
Exits with 1 if the published numbers are not reproduced.
"""

import argparse
import sys
import time
from itertools import pairwise

import numpy as np

import tinygrad_dnn as tg
from tinygrad_dnn import nn, optim
from tinygrad_dnn.training import accuracy

LAYER_DIMS = [12288, 20, 7, 5, 1]
LEARNING_RATE = 0.0075
PUBLISHED = {"first cost": 0.771749, "train": 0.985645933014, "test": 0.80}


def columns(pictures):
    """Return the pictures (m, 64, 64, 3) as columns (12288, m) of numbers from 0 to 1."""
    return pictures.reshape(len(pictures), -1).T / 255


def with_tensors(X, Y, iterations):
    """Train with nothing but Tensors; return the costs and a function that predicts."""
    np.random.seed(1)  # noqa: NPY002  (the published run used the global generator)
    W, b = [], []
    for n_in, n_out in pairwise(LAYER_DIMS):
        W.append(tg.Tensor(np.random.randn(n_out, n_in) / np.sqrt(n_in)))  # noqa: NPY002
        b.append(tg.Tensor(np.zeros((n_out, 1))))

    def predict(A):
        for l in range(len(W)):
            Z = W[l] @ A + b[l]
            A = nn.relu(Z) if l + 1 < len(W) else nn.sigmoid(Z)
        return A

    costs = []
    for _ in range(iterations):
        A = predict(X)
        J = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
        gradients = tg.grad(J, W + b)
        for parameter, gradient in zip(W + b, gradients, strict=True):
            parameter.data -= LEARNING_RATE * gradient
        costs.append(float(J))
    return costs, predict


def with_sequential(X, Y, iterations):
    """Train with the package's own network, loss, optimiser and loop."""
    rng = np.random.RandomState(1)  # the same stream as np.random.seed(1)
    net = nn.Sequential.from_layer_dims(LAYER_DIMS, init="lecun", rng=rng)
    descent = optim.SGD(net.parameters(), lr=LEARNING_RATE)
    history = tg.fit(net, X, Y, loss=nn.binary_cross_entropy, optimizer=descent, epochs=iterations)
    return history.cost, net


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="catvnoncat.npz")
    parser.add_argument("--iterations", type=int, default=2500)
    options = parser.parse_args()
    with np.load(options.data) as data:
        X, X_test = columns(data["train_set_x"]), columns(data["test_set_x"])
        Y, Y_test = data["train_set_y"].astype(float), data["test_set_y"].astype(float)

    reproduced = True
    for train in (with_tensors, with_sequential):
        start = time.perf_counter()
        costs, predict = train(X, Y, options.iterations)
        seconds = time.perf_counter() - start
        found = {
            "first cost": costs[0],
            "train": accuracy(predict(X), Y),
            "test": accuracy(predict(X_test), Y_test),
        }
        print(f"{train.__name__}: {options.iterations} iterations in {seconds:.1f} s")
        for name, published in PUBLISHED.items():
            digits = len(str(published).split(".")[1])
            same = round(found[name], digits) == published
            reproduced = reproduced and same
            print(f"  {name:10}  {found[name]:.12f}  published {published}  {'=' if same else '!'}")
    return 0 if reproduced else 1


if __name__ == "__main__":
    sys.exit(main())
