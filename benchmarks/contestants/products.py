"""The step's matrix products and nothing else: what no library that calls BLAS goes below."""

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, repeated

TITLE = "bare matrix products"
PACKAGES = ("numpy",)


def build(problem: Problem) -> Contestant:
    W = problem.W
    A, dZ = [problem.X], []
    for w in W:
        A.append(w @ A[-1])
        dZ.append(A[-1].copy())

    def step():
        for l in range(len(W)):
            W[l] @ A[l]
        for l in reversed(range(len(W))):
            dZ[l] @ A[l].T
            if l:
                W[l].T @ dZ[l]
        return float("nan")

    return Contestant(repeated(step), None)
