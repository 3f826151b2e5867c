"""Race one eager training step against the same step written by hand in NumPy.

    python benchmarks/eager.py [--rounds 200]

One step is forward, binary cross-entropy, backward, gradient descent, in float32, with one BLAS
thread.  Every round times each library for a few milliseconds, in turn; printed is the median over
rounds of the ratio to the hand-written step, with the quartiles.  PyTorch takes part if installed.
All start from the same numbers and must end at the same cost, or the race is void.
"""

import argparse
import os
import sys
import time

for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402  (after the number of threads is set)

import tinygrad_dnn as tg  # noqa: E402
from tinygrad_dnn import nn, optim  # noqa: E402

CASES = {"tiny": ([3, 5, 5, 3, 1], 32), "cat": ([12288, 20, 7, 5, 1], 209)}
LEARNING_RATE = 0.0075


def numbers(dims, m):
    """Return the same data and first parameters for everyone."""
    rng = np.random.default_rng(0)
    X = rng.random((dims[0], m), dtype=np.float32)
    Y = (rng.random((1, m)) < 0.35).astype(np.float32)
    net = nn.Sequential.from_layer_dims(dims, rng=rng, init="lecun", dtype=np.float32)
    return X, Y, net


def by_hand(X, Y, net):
    """The step as one writes it from the equations."""
    L, m = net.L, X.shape[1]
    W = [None] + [net.parameters()[f"W{l}"].data.copy() for l in range(1, L + 1)]
    b = [None] + [net.parameters()[f"b{l}"].data.copy() for l in range(1, L + 1)]
    lr = LEARNING_RATE

    def step():
        A, Z = [X], [None]
        for l in range(1, L + 1):
            Z.append(W[l] @ A[l - 1] + b[l])
            A.append(np.maximum(Z[l], 0) if l < L else 1 / (1 + np.exp(-Z[l])))
        J = -np.sum(Y * np.log(A[L]) + (1 - Y) * np.log(1 - A[L])) / m
        dZ = (A[L] - Y) / m
        for l in range(L, 0, -1):
            dW = dZ @ A[l - 1].T
            db = np.sum(dZ, axis=1, keepdims=True)
            if l > 1:
                dZ = (W[l].T @ dZ) * (Z[l - 1] > 0)
            W[l] -= lr * dW
            b[l] -= lr * db
        return float(J)

    return step


def by_tinygrad_dnn(X, Y, net):
    """The step with the package's network, loss and optimiser."""
    descent = optim.SGD(net.parameters(), lr=LEARNING_RATE)

    def step():
        J = nn.binary_cross_entropy(net(X), Y)
        descent.zero_grad()
        J.backward()
        descent.step()
        return float(J)

    return step


def by_torch(X, Y, net):
    """The step with torch.nn and torch.optim, eager; None where PyTorch is absent."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    layers = []
    for l in range(1, net.L + 1):
        W, b = net.parameters()[f"W{l}"].data, net.parameters()[f"b{l}"].data
        linear = torch.nn.Linear(W.shape[1], W.shape[0])
        linear.weight.data, linear.bias.data = torch.tensor(W), torch.tensor(b[:, 0])
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    loss = torch.nn.BCEWithLogitsLoss()
    descent = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    rows, targets = torch.tensor(X.T.copy()), torch.tensor(Y.T.copy())

    def step():
        J = loss(model(rows), targets)
        descent.zero_grad()
        J.backward()
        descent.step()
        return float(J.detach())

    return step


def race(dims, m, rounds):
    """Return the seconds per step, (rounds,) for each racer, taken in turn."""
    racers = {}
    for build in (by_hand, by_tinygrad_dnn, by_torch):
        if step := build(*numbers(dims, m)):
            racers[build.__name__] = step
    costs = {name: [step() for _ in range(50)][-1] for name, step in racers.items()}
    if max(costs.values()) - min(costs.values()) > 1e-4 * min(costs.values()):
        sys.exit(f"the costs after 50 steps differ, so the race is void: {costs}")
    repeats = max(1, int(0.004 / _seconds(racers["by_hand"], 5)))
    times = {name: [] for name in racers}
    for _ in range(rounds):
        for name, step in racers.items():
            times[name].append(_seconds(step, repeats))
    return {name: np.array(t) for name, t in times.items()}


def _seconds(step, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    print(f"numpy {np.__version__}, tinygrad_dnn {tg.__version__}, float32, one BLAS thread")
    for case, (dims, m) in CASES.items():
        times = race(dims, m, options.rounds)
        hand = times.pop("by_hand")
        print(f"{case}: {dims}, m = {m}; by hand {np.median(hand) * 1e6:,.0f} us a step")
        for name, t in times.items():
            low, middle, high = np.percentile(t / hand, [25, 50, 75])
            print(f"  {name:16} {middle:5.2f} times by hand   (quartiles {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
