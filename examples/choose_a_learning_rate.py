"""Idea, code, experiment: cost curves for several learning rates, chosen on a hold-out set.

Writes learning_rates.png where matplotlib is installed.
"""

import sys
from pathlib import Path

import numpy as np

import tinygrad_dnn as tg
from tinygrad_dnn import nn, optim


def ring(m, rng):
    """Return points (2, m), and whether each lies inside a ring (1, m)."""
    X = rng.uniform(-1, 1, (2, m))
    radius = np.sqrt(np.sum(X**2, axis=0, keepdims=True))
    return X, ((radius > 0.4) & (radius < 0.8)).astype(int)


def main(out=Path(), iterations=400):
    rng = np.random.default_rng(0)
    (X, Y), hold_out = ring(300, rng), ring(300, rng)
    histories = {}
    for lr in (0.01, 0.1, 1.0, 3.0, 30.0):
        net = nn.Sequential.from_layer_dims([2, 12, 12, 1], rng=np.random.default_rng(1))
        histories[lr] = tg.fit(
            net,
            X,
            Y,
            loss=nn.binary_cross_entropy,
            optimizer=optim.SGD(net.parameters(), lr=lr),
            epochs=iterations,
            validation_data=hold_out,
        )
        last = histories[lr].last()
        print(
            f"learning rate {lr:5}: cost {last['cost']:8.3f}, "
            f"hold-out accuracy {last['validation_accuracy']:.1%}"
        )
    best = max(histories, key=lambda lr: histories[lr].validation_accuracy[-1])
    print(f"best on the hold-out set: {best}")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    ax = Figure(figsize=(7, 4), layout="constrained").subplots()
    for lr, history in histories.items():
        ax.plot(history.cost, label=f"learning rate {lr}")
    ax.set(xlabel="iteration", ylabel="cost J", yscale="log")
    ax.legend(frameon=False)
    ax.figure.savefig(Path(out) / "learning_rates.png", dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
