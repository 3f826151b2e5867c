"""The same step under ``tg.jit``, replayed with NumPy alone."""

import tinygrad_dnn as tg
from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, repeated
from benchmarks.contestants.eager import arrays, network, training_step

TITLE = "tinygrad_dnn jit, NumPy alone"
PACKAGES = ("numpy",)


def build(problem: Problem, *, native: bool = False) -> Contestant:
    if not hasattr(tg, "jit"):
        raise ImportError("this tinygrad_dnn has no jit")
    net = network(problem)
    step = tg.jit(training_step(net, problem.lr), native=native)
    X, Y = problem.X, problem.Y
    return Contestant(repeated(lambda: float(step(X, Y))), lambda: arrays(net))
