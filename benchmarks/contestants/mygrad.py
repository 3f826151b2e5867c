"""MyGrad, its guarding of arrays against changes turned off, as its documentation advises."""

import mygrad as mg
from mygrad.nnet.activations import relu

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, repeated

TITLE = "MyGrad"
PACKAGES = ("mygrad",)


def build(problem: Problem) -> Contestant:
    mg.turn_memory_guarding_off()
    X, Y, lr = problem.X, problem.Y, problem.lr
    one_mth = X.dtype.type(1 / X.shape[1])  # a Python number would make MyGrad's float32 float64
    zero = X.dtype.type(0)
    W = [mg.tensor(w) for w in problem.W]
    b = [mg.tensor(c) for c in problem.b]
    held = [p for pair in zip(W, b, strict=True) for p in pair]

    def step():
        A = X
        for w, c in zip(W[:-1], b[:-1], strict=True):
            A = relu(mg.matmul(w, A) + c)
        Z = mg.matmul(W[-1], A) + b[-1]
        J = mg.sum(mg.logaddexp(zero, Z) - Y * Z) * one_mth
        J.backward()
        for p in held:
            p.data -= lr * p.grad
        return float(J)

    return Contestant(repeated(step), lambda: [p.data for p in held])
