"""tinygrad_dnn's own training loop, ``tg.fit``: full batches, history and accuracy included."""

import tinygrad_dnn as tg
from benchmarks.cases import Problem
from benchmarks.contestants import Contestant
from benchmarks.contestants.eager import arrays, network
from tinygrad_dnn import nn, optim

TITLE = "tinygrad_dnn fit"
PACKAGES = ("numpy",)


def build(problem: Problem) -> Contestant:
    net = network(problem)
    descent = optim.SGD(net.parameters(), lr=problem.lr)
    loss = nn.binary_cross_entropy

    def run(n):
        history = tg.fit(net, problem.X, problem.Y, loss=loss, optimizer=descent, epochs=n)
        return history.cost[-1]

    return Contestant(run, lambda: arrays(net))
