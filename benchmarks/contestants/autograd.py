"""HIPS autograd: ``value_and_grad`` of the cost, and the update in NumPy."""

import autograd.numpy as anp
from autograd import value_and_grad

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, alternating, repeated

TITLE = "HIPS autograd"
PACKAGES = ("autograd",)


def build(problem: Problem) -> Contestant:
    X, Y, lr, m = problem.X, problem.Y, problem.lr, problem.X.shape[1]
    held = alternating(problem.W, problem.b)

    def cost(parameters):
        A = X
        for l in range(0, len(parameters) - 2, 2):
            A = anp.maximum(parameters[l] @ A + parameters[l + 1], 0)
        Z = parameters[-2] @ A + parameters[-1]
        return anp.sum(anp.logaddexp(0, Z) - Y * Z) / m

    cost_and_gradients = value_and_grad(cost)

    def step():
        J, gradients = cost_and_gradients(held)
        for p, g in zip(held, gradients, strict=True):
            p -= lr * g
        return float(J)

    return Contestant(repeated(step), lambda: held)
