"""Students who derive backprop by hand: deep networks written as a course notebook has them.

``Student(...).lesson(mistakes)`` returns a cost, its parameters, and the gradients that this
student computes, who makes the mistakes given: {("dZ", 2): function}.  A mistake is a function of
``desk``, what lies before the student at that moment: m, l, W, b, Z, A, D, dZ, dA, dW, Y (arrays by
layer), g_prime (a function) and lam.  It returns what the student writes down.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

import tinygrad_dnn as tg

LEAK = 0.1


def squash(name, Z, leak=LEAK):
    return {
        "relu": lambda: np.maximum(0, Z),
        "leaky": lambda: np.where(Z > 0, Z, leak * Z),
        "tanh": lambda: np.tanh(Z),
        "sigmoid": lambda: 1 / (1 + np.exp(-Z)),
        "linear": lambda: Z + 0,
    }[name]()


def squash_prime(name, Z, leak=LEAK):
    if name == "relu":
        return np.float64(Z > 0)
    if name == "leaky":
        return np.where(Z > 0, 1.0, leak)
    if name == "tanh":
        return 1 / np.cosh(Z) ** 2
    if name == "linear":
        return np.ones(Z.shape)
    s = 1 / (1 + np.exp(-Z))
    return s - s**2


@dataclass
class Student:
    widths: tuple = (4, 4, 4, 4, 1)
    hidden: str = "relu"
    output: str = "sigmoid"  # or "softmax", "linear"
    m: int = 7
    lam: float = 0.0
    keep: float = 1.0
    seed: int = 0
    taps: bool = True
    shows: str = "everything"  # or "parameters"
    course: bool = True  # dZ and dA per example
    skip: str = ""  # "after": A2 = g(Z2) + A1; "before": A2 = g(W2 A1 + b2 + A1)
    squared: bool = False  # the loss of an output that is not linear
    leak: float = LEAK
    params: dict = field(init=False)

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        self.L = len(self.widths) - 1
        n = self.widths
        self.X = rng.standard_normal((n[0], self.m))
        if self.output == "softmax":
            self.Y = np.eye(n[-1])[rng.integers(0, n[-1], self.m)].T
        elif self.output == "sigmoid":
            self.Y = np.float64(rng.random((n[-1], self.m)) < 0.5)
        else:
            self.Y = rng.standard_normal((n[-1], self.m))
        self.params = {}
        for l in range(1, self.L + 1):
            self.params[f"W{l}"] = rng.standard_normal((n[l], n[l - 1])) * np.sqrt(1.5 / n[l - 1])
            self.params[f"b{l}"] = 0.3 * rng.standard_normal((n[l], 1))
        self.D = {l: np.float64(rng.random((n[l], self.m)) < self.keep) for l in range(1, self.L)}

    def skips(self, l):
        """Whether layer l has a skip connection."""
        return bool(self.skip) and 1 < l < self.L and self.widths[l] == self.widths[l - 1]

    def run(self, params, see):
        W = {l: params[f"W{l}"] for l in range(1, self.L + 1)}
        b = {l: params[f"b{l}"] for l in range(1, self.L + 1)}
        Z, A = {}, {0: self.X}
        for l in range(1, self.L + 1):
            z = W[l] @ A[l - 1] + b[l]
            Z[l] = see(f"Z{l}", z + A[l - 1] if self.skip == "before" and self.skips(l) else z)
            if l < self.L:
                a = squash(self.hidden, Z[l], self.leak)
                if self.keep < 1:
                    a = a * self.D[l] / self.keep
                if self.skip == "after" and self.skips(l):
                    a = a + A[l - 1]
            elif self.output == "softmax":
                e = np.exp(Z[l])
                a = e / np.sum(e, axis=0, keepdims=True)
            else:
                a = squash(self.output, Z[l])
            A[l] = see(f"A{l}", a)
        return W, b, Z, A

    def cost(self, params):
        W, _, _, A = self.run(params, tg.tap if self.taps else lambda name, value: value)
        P, Y, m = A[self.L], self.Y, self.m
        if self.output == "linear" or self.squared:
            J = ((P - Y) ** 2).sum() / (2 * m)
        elif self.output == "sigmoid":
            J = -(Y * np.log(P) + (1 - Y) * np.log(1 - P)).sum() / m
        else:
            J = -(Y * np.log(P)).sum() / m
        return J + self.lam / (2 * m) * sum((w**2).sum() for w in W.values())

    def lesson(self, mistakes):
        W, b, Z, A = self.run(self.params, lambda name, value: value)
        g_prime = lambda Z: squash_prime(self.hidden, Z, self.leak)
        desk = SimpleNamespace(
            m=self.m,
            W=W,
            b=b,
            Z=Z,
            A=A,
            D=self.D,
            Y=self.Y,
            g_prime=g_prime,
            g=lambda Z: squash(self.hidden, Z, self.leak),
            lam=self.lam,
            keep=self.keep,
            hidden=self.hidden,
            L=self.L,
            output=self.output,
            squared=self.squared,
            skip=self.skip,
            skips=self.skips,
            leak=self.leak,
            dZ={},
            dA={},
            dW={},
            db={},
            per=self.m if self.course else 1,
            seed=0 if self.course else self.m,
        )
        for l in range(self.L, 0, -1):
            desk.l = l
            if l < self.L:
                self.write(desk, mistakes, "dA", dA_right)
            self.write(desk, mistakes, "dZ", dZ_right)
            self.write(desk, mistakes, "dW", dW_right)
            self.write(desk, mistakes, "db", db_right)
        kinds = ("dA", "dZ", "dW", "db") if self.shows == "everything" else ("dW", "db")
        grads = {f"{k}{l}": v for k in kinds for l, v in getattr(desk, k).items()}
        return self.cost, self.params, grads

    @staticmethod
    def write(desk, mistakes, kind, right):
        getattr(desk, kind)[desk.l] = mistakes.get((kind, desk.l), right)(desk)


def dA_right(d):
    through = d.W[d.l + 1].T @ d.dZ[d.l + 1]
    return through + skipped(d) if d.skips(d.l + 1) else through


def skipped(d):
    return d.dA[d.l + 1] if d.skip == "after" else d.dZ[d.l + 1]


def dZ_right(d):
    if d.l == d.L:
        dZ = (d.A[d.L] - d.Y) / (1 if d.per > 1 or d.m == 1 else d.m)
        return dZ * squash_prime(d.output, d.Z[d.L]) if d.squared else dZ
    upper = d.dA[d.l] * d.D[d.l] / d.keep if d.keep < 1 else d.dA[d.l]
    return upper * d.g_prime(d.Z[d.l])


def dW_right(d):
    return d.dZ[d.l] @ d.A[d.l - 1].T / d.per + d.lam / d.m * d.W[d.l]


def db_right(d):
    return d.dZ[d.l].sum(axis=1, keepdims=True) / d.per
