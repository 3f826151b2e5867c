"""The step as one writes it in NumPy from the equations: what all ratios refer to.

Nothing is computed that the step does not need (no dA0), float32 stays float32, parameters are
updated in place; but no buffers are kept from step to step, and ``out=`` is not used.
"""

import numpy as np

from benchmarks.cases import Problem
from benchmarks.contestants import Contestant, alternating, repeated

TITLE = "NumPy by hand"
PACKAGES = ("numpy",)


def build(problem: Problem) -> Contestant:
    X, Y, lr = problem.X, problem.Y, problem.lr
    L, m = len(problem.W), X.shape[1]
    W, b = [None, *problem.W], [None, *problem.b]  # W[l], b[l] for l = 1 to L

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

    return Contestant(repeated(step), lambda: alternating(W[1:], b[1:]))
