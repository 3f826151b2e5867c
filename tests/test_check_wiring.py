"""The forward pass as the engine records it: gates, heads, joined, shared and recurrent values."""

import re

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.checking.diagnosis.forward import Call, Elementwise, Mixture
from tinygrad_dnn.checking.student import Student

RNG = np.random.default_rng(0)
M = 9
X, Y = RNG.standard_normal((4, M)), (RNG.random((1, M)) < 0.5) * 1.0
STEPS, TARGETS = RNG.standard_normal((3, 4, M)), RNG.standard_normal((3, 1, M))
D = (RNG.random((4, M)) < 0.7) * 1.0


def drawn(**shapes):
    return {name: RNG.standard_normal(shape) for name, shape in shapes.items()}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cross_entropy(A):
    return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


def mean(d):
    return np.mean(d, axis=1, keepdims=True)


def right(name, value):
    return value


class Highway:
    p = drawn(Wh=(4, 4), bh=(4, 1), Wt=(4, 4), bt=(4, 1), W=(1, 4), b=(1, 1))

    @staticmethod
    def forward(p):
        H, T = np.tanh(p["Wh"] @ X + p["bh"]), sigmoid(p["Wt"] @ X + p["bt"])
        A = T * H + (1 - T) * X
        return H, T, A, sigmoid(p["W"] @ A + p["b"])

    @classmethod
    def cost(cls, p):
        return float(cross_entropy(cls.forward(p)[-1]))

    @classmethod
    def grads(cls, see=right):
        H, T, A, out = cls.forward(cls.p)
        dZ = out - Y
        dA = cls.p["W"].T @ dZ
        dH, dT = see("dH", dA * T), see("dT", dA * H - dA * X)
        dZh, dZt = see("dZh", dH * (1 - H**2)), see("dZt", dT * T * (1 - T))
        grads = {"dWh": dZh @ X.T, "dWt": dZt @ X.T, "dW": dZ @ A.T}
        grads = {name: x / M for name, x in grads.items()}
        return grads | {"dbh": mean(dZh), "dbt": mean(dZt), "db": mean(dZ)}


class Heads:
    p = drawn(W1=(4, 4), b1=(4, 1), W2=(1, 4), b2=(1, 1), W3=(4, 4), b3=(4, 1))

    @staticmethod
    def forward(p):
        A1 = np.maximum(0, p["W1"] @ X + p["b1"])
        return A1, sigmoid(p["W2"] @ A1 + p["b2"]), p["W3"] @ A1 + p["b3"]

    @classmethod
    def cost(cls, p):
        _, A2, Z3 = cls.forward(p)
        return cross_entropy(A2) + 0.5 * np.sum((Z3 - X) ** 2) / M

    @classmethod
    def grads(cls, see=right):
        A1, A2, Z3 = cls.forward(cls.p)
        dZ2, dZ3 = A2 - Y, see("dZ3", Z3 - X)
        dA1 = see("dA1", cls.p["W2"].T @ dZ2 + cls.p["W3"].T @ dZ3)
        dZ1 = see("dZ1", dA1 * (A1 > 0))
        grads = {"dW1": dZ1 @ X.T / M, "dW2": dZ2 @ A1.T / M, "dW3": dZ3 @ A1.T / M}
        return grads | {"db1": mean(dZ1), "db2": mean(dZ2), "db3": mean(dZ3)}


class Joined:
    p = drawn(W1=(4, 4), b1=(4, 1), W2=(4, 4), b2=(4, 1), W3=(1, 8))

    @staticmethod
    def forward(p):
        A1 = np.tanh(p["W1"] @ X + p["b1"])
        A2 = np.tanh(p["W2"] @ A1 + p["b2"])
        C = np.concatenate([A2, A1])
        return A1, A2, C, sigmoid(p["W3"] @ C)

    @classmethod
    def cost(cls, p):
        return cross_entropy(cls.forward(p)[-1])

    @classmethod
    def grads(cls, see=right):
        A1, A2, C, out = cls.forward(cls.p)
        dZ3 = out - Y
        dC = cls.p["W3"].T @ dZ3
        dZ2 = see("dA2", dC[:4]) * (1 - A2**2)
        dZ1 = see("dA1", cls.p["W2"].T @ dZ2 + dC[4:]) * (1 - A1**2)
        grads = {"dW1": dZ1 @ X.T / M, "dW2": dZ2 @ A1.T / M, "dW3": dZ3 @ C.T / M}
        return grads | {"db1": mean(dZ1), "db2": mean(dZ2)}


class Tied:
    p = drawn(W=(4, 4), b=(4, 1), c=(4, 1))

    @staticmethod
    def forward(p):
        A = sigmoid(p["W"] @ X + p["b"])
        return A, p["W"].T @ A + p["c"]

    @classmethod
    def cost(cls, p):
        return np.sum((cls.forward(p)[-1] - X) ** 2) / 2 / M

    @classmethod
    def grads(cls, see=right):
        A, R = cls.forward(cls.p)
        dR = R - X
        dZ = see("dZ", cls.p["W"] @ dR * A * (1 - A))
        return {"dW": see("dW", dZ @ X.T / M + A @ dR.T / M), "db": mean(dZ), "dc": mean(dR)}


class Recurrent:
    p = drawn(Wx=(4, 4), Wh=(4, 4), b=(4, 1), Wy=(1, 4), by=(1, 1))

    @staticmethod
    def forward(p):
        H = [np.zeros((4, M))]
        for x in STEPS:
            H.append(np.tanh(p["Wx"] @ x + p["Wh"] @ H[-1] + p["b"]))
        return H, [p["Wy"] @ h + p["by"] for h in H[1:]]

    @classmethod
    def cost(cls, p):
        return (
            sum(np.sum((y - t) ** 2) for y, t in zip(cls.forward(p)[1], TARGETS, strict=True)) / 2
        )

    @classmethod
    def grads(cls, see=right):
        p, (H, out) = cls.p, cls.forward(cls.p)
        grads = {f"d{name}": np.zeros_like(x) for name, x in p.items()}
        after = 0.0
        for t in (2, 1, 0):
            dy = out[t] - TARGETS[t]
            dZ = (p["Wy"].T @ dy + see("after", after)) * see("slope", 1 - H[t + 1] ** 2)
            cache = H[t + 1] if see("cache", 0) else H[t]
            more = {"dWx": dZ @ STEPS[t].T, "dWh": dZ @ cache.T, "dWy": dy @ H[t + 1].T}
            more |= {"db": M * mean(dZ), "dby": M * mean(dy)}
            grads = {name: see(f"{name}+=", grads[name]) + x for name, x in more.items()}
            after = p["Wh"].T @ dZ
        return grads


class Dropped:
    """An activation that is in no course, dropout, a skip connection, a shared bias."""

    p = drawn(W1=(4, 4), W2=(4, 4), b=(4, 1), W3=(1, 4))

    @staticmethod
    def forward(p):
        Z1 = p["W1"] @ X + p["b"]
        A1 = np.where(Z1 > 0, Z1, np.exp(Z1) - 1) * D / 0.7
        Z2 = p["W2"] @ A1 + p["b"]
        A2 = np.arctan(Z2) + A1
        return Z1, A1, Z2, A2, sigmoid(p["W3"] @ A2)

    @classmethod
    def cost(cls, p):
        return cross_entropy(cls.forward(p)[-1])

    @classmethod
    def grads(cls, see=right):
        Z1, A1, Z2, A2, out = cls.forward(cls.p)
        dZ3 = out - Y
        dA2 = cls.p["W3"].T @ dZ3
        dZ2 = see("dZ2", dA2 / (1 + Z2**2))
        dA1 = see("dA1", cls.p["W2"].T @ dZ2 + dA2)
        dZ1 = see("dZ1", dA1 * D / 0.7 * np.where(Z1 > 0, 1, np.exp(Z1)))
        grads = {"dW1": dZ1 @ X.T / M, "dW2": dZ2 @ A1.T / M, "dW3": dZ3 @ A2.T / M}
        return grads | {"db": see("db", mean(dZ1) + mean(dZ2))}


PROGRAMS = (Highway, Heads, Joined, Tied, Recurrent, Dropped)


def steps(program):
    return Student(program.cost, program.p, program.grads(), {}).wired()[0].steps


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_is_read_without_taps_and_what_is_right_is_right(program):
    found, of_J = Student(program.cost, program.p, program.grads(), {}).wired()
    assert {step.out for step in found.steps} == of_J.keys()
    report = tg.check_backprop(program.cost, program.p, program.grads())
    assert report, report


def test_gates_joined_values_and_activations_are_steps():
    assert any(isinstance(step, Mixture) for step in steps(Highway))
    assert any(isinstance(step, Call) for step in steps(Joined))
    assert [step.g for step in steps(Dropped) if isinstance(step, Elementwise)] == [
        "elu",
        "arctan",
        "sigmoid",
    ]
    assert not any(isinstance(step, Call) for step in steps(Recurrent))


W2, W3 = Heads.p["W2"], Heads.p["W3"]
MISTAKES = [
    (Highway, "dT", lambda d: d + T_X(), r"not added \(\+= is missing\)"),
    (Highway, "dH", lambda d: d / T_(), r"the factor A1 is missing|dS1 stands where"),
    (Highway, "dZt", lambda d: d / (T_() * (1 - T_())), r"the factor sigmoid' .*is missing"),
    (Heads, "dA1", lambda d: d - W3.T @ (Heads.forward(Heads.p)[2] - X), r"\+= is missing"),
    (Heads, "dA1", lambda d: 0 * d, r"dA1.* is the root: it is zero everywhere"),
    (Heads, "dZ3", lambda d: -d, r"the sign is flipped"),
    (Heads, "dZ1", lambda d: np.where(d != 0, d, 0.1), r"cause unknown"),
    (Joined, "dA1", lambda d: d - (Joined.p["W3"].T @ dZ_joined())[4:], r"\+= is missing"),
    (Joined, "dA2", lambda d: (Joined.p["W3"].T @ dZ_joined())[4:], r"another part, dC1\[4:8\]"),
    (Tied, "dW", lambda d: d - A_tied() @ (Tied.forward(Tied.p)[1] - X).T / M, r"\+= is missing"),
    (Recurrent, "dWx+=", lambda d: 0 * d, r"Wx is used more than once.*(\+= is missing)"),
    (Recurrent, "after", lambda d: 0, r"Wh.T @ dZ\d is not added.*and Wh.T|not added.*not added"),
    (Recurrent, "slope", lambda d: 1, r"the factor tanh' = .* is missing"),
    (Recurrent, "cache", lambda d: 1, r"off by one"),
    (Dropped, "dA1", lambda d: d - dA2_dropped(), r"\+= is missing"),
    (Dropped, "dZ2", lambda d: dA2_dropped(), r"the factor arctan'.*is missing"),
    (Dropped, "dZ1", lambda d: d * 0.7, r"dropout|rescaled|keep"),
    (Dropped, "db", lambda d: d / 2, r"half"),
]


def T_():
    return Highway.forward(Highway.p)[1]


def T_X():
    return Highway.p["W"].T @ (Highway.forward(Highway.p)[-1] - Y) * X


def dZ_joined():
    return Joined.forward(Joined.p)[-1] - Y


def A_tied():
    return Tied.forward(Tied.p)[0]


def dA2_dropped():
    return Dropped.p["W3"].T @ (Dropped.forward(Dropped.p)[-1] - Y)


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_a_mistake_in_it_is_named(number):
    program, where, wrong, said = MISTAKES[number]
    grads = program.grads(lambda name, x: wrong(x) if name == where else x)
    report = tg.check_backprop(program.cost, program.p, grads, X=X)
    assert not report
    assert re.search(said, report.diagnosis), report.diagnosis


def test_names_of_ours_are_explained_and_not_taken_for_the_students():
    grads = Highway.grads(lambda name, x: x / T_() if name == "dH" else x)
    report = tg.check_backprop(Highway.cost, Highway.p, grads, X=X)
    assert any("S1 = A1 * A2 + (1 - A1) * X" in note for note in report.notes), report.notes
    own = {**Highway.grads(), "dA1": X}  # of an A1 of the student's own
    assert tg.check_backprop(Highway.cost, Highway.p, own)


def test_what_does_not_run_on_tensors_is_read_from_values():
    rng = np.random.default_rng(1)
    p = {"W1": rng.standard_normal((4, 4)), "b1": rng.standard_normal((4, 1))}
    p |= {"W2": rng.standard_normal((1, 4)), "b2": rng.standard_normal((1, 1))}

    def forward(p):
        A = np.zeros((4, M))
        A[:] = np.tanh(p["W1"] @ X + p["b1"])
        return A, sigmoid(p["W2"] @ A + p["b2"])

    cost = lambda p: cross_entropy(forward(p)[-1])
    A1, A2 = forward(p)
    dZ1 = p["W2"].T @ (A2 - Y)
    grads = {
        "dW1": dZ1 @ X.T / M,
        "db1": mean(dZ1),
        "dW2": (A2 - Y) @ A1.T / M,
        "db2": mean(A2 - Y),
    }
    assert Student(cost, p, grads, {}).wired() is None
    report = tg.check_backprop(cost, p, grads)
    assert "the factor tanh' = 1 - A1**2 is missing" in report.diagnosis


def test_what_overflows_is_no_activation():
    rng = np.random.default_rng(2)
    p = {"W1": 1e3 * rng.standard_normal((5, 4)), "W2": rng.standard_normal((1, 5))}
    cost = lambda p: np.sum((p["W2"] @ np.maximum(0, p["W1"] @ X) - 1) ** 2)
    grads = {f"d{name}": x for name, x in p.items()}
    found, _ = Student(cost, p, grads, {}).wired()
    assert [step.g for step in found.steps if isinstance(step, Elementwise)] == ["relu"]
