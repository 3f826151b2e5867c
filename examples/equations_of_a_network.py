"""The backprop equations of the course's network [3, 5, 5, 1], derived from its recorded graph.

Prints them in the course's convention, and a gradient in closed form.
"""

import numpy as np

import tinygrad_dnn as tg
from tinygrad_dnn import nn


def main():
    rng = np.random.default_rng(0)
    net = nn.Sequential.from_layer_dims([3, 5, 5, 1], rng=rng)
    X, Y = rng.standard_normal((3, 8)), rng.integers(0, 2, (1, 8))
    J = nn.binary_cross_entropy(net(X), Y)
    print(tg.explain(J, convention="course"))
    print()
    print(tg.explain(J, net.parameters()["W2"])["dJ/dW2"])


if __name__ == "__main__":
    main()
