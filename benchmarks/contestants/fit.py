"""tinygrad_dnn's own training loop: full batches, history and accuracy included.

What ``tg.fit`` runs, gone on with from turn to turn: the step is recorded once, as in one call.
"""

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant
from benchmarks.contestants.eager import arrays, network
from tinygrad_dnn import nn, optim
from tinygrad_dnn.training import Training

TITLE = "tinygrad_dnn fit"
PACKAGES = ("numpy",)


def build(problem: Problem) -> Contestant:
    net = network(problem)
    descent = optim.SGD(net.parameters(), lr=problem.lr)
    training = Training(net, problem.X, problem.Y, loss=nn.binary_cross_entropy, optimizer=descent)
    return Contestant(lambda n: training.run(n).cost[-1], lambda: arrays(net))
