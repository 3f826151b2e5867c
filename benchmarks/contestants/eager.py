"""tinygrad_dnn as it comes: a network, a loss, an optimiser, every step recorded anew."""

import tinygrad_dnn as tg
from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, repeated
from tinygrad_dnn import nn, optim

TITLE = "tinygrad_dnn eager"
PACKAGES = ("numpy",)


def network(problem: Problem) -> nn.Sequential:
    """Return the network of ``problem``."""
    layers = []
    for W, b in zip(problem.W, problem.b, strict=True):
        linear = nn.Linear(W.shape[1], W.shape[0], rng=None, init=lambda *_, W=W: W, dtype=W.dtype)
        linear.b.data = b
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Sigmoid())


def arrays(net: nn.Sequential) -> list:
    """Return the data of W1, b1, W2, ..."""
    return [p.data for p in net.parameters().values()]


def training_step(net: nn.Sequential, lr: float):
    """Return the step as a function of X and Y, as users write it."""
    descent = optim.SGD(net.parameters(), lr=lr)

    def step(X, Y) -> tg.Tensor:
        descent.zero_grad()
        J = nn.binary_cross_entropy(net(X), Y)
        J.backward()
        descent.step()
        return J

    return step


def build(problem: Problem) -> Contestant:
    net = network(problem)
    step = training_step(net, problem.lr)
    X, Y = problem.X, problem.Y
    return Contestant(repeated(lambda: float(step(X, Y))), lambda: arrays(net))
