"""What a cost adds of a parameter itself; values that recur; arrays in reach that prove nothing."""

import numpy as np
import pytest

import tinygrad_dnn as tg

RNG = np.random.default_rng(0)
X, T = RNG.standard_normal((12, 4)), np.eye(3)[RNG.integers(0, 3, 12)]
P = {"W": RNG.standard_normal((4, 3)), "b": np.zeros((1, 3))}
LAM, M = 0.3, len(X)
ABSOLUTE = lambda W: LAM * np.sum(np.sqrt(W * W))
NET = LAM / 2, 0.1  # an elastic net


def probabilities(p):
    e = np.exp(X @ p["W"] + p["b"])
    return e / e.sum(axis=1, keepdims=True)


def said_of(penalty, slope):
    cost = lambda p: -np.mean(np.sum(T * np.log(probabilities(p)), axis=1)) + penalty(p["W"])
    dZ = (probabilities(P) - T) / M
    grads = {"dW": X.T @ dZ + slope, "db": np.sum(dZ, axis=0, keepdims=True)}
    return tg.check_backprop(cost, P, grads).diagnosis


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (0, r"the regularisation (L1) term (lambda/m) * np.sign(W) (lambda/m = 0.3) is missing"),
        (2, "is counted twice"),
        (-1, "the sign of the regularisation (L1) term is wrong"),
        (1 / M, "1/m is there twice in the factor of the regularisation (L1) term"),
        (0.41, "the factor of the regularisation (L1) term is 0.123 instead of 0.3"),
    ],
)
def test_a_penalty_of_absolute_values(factor, words):
    said = said_of(ABSOLUTE, factor * LAM * np.sign(P["W"]))
    assert words in said
    assert "though the cost has none" not in said


def test_one_penalty_for_another():
    assert "W itself (L2) instead of np.sign(W)" in said_of(ABSOLUTE, LAM * P["W"])
    squares = lambda W: LAM / 2 * np.sum(W**2)
    assert "the sign of W (L1) instead of W" in said_of(squares, LAM * np.sign(P["W"]))


def test_an_elastic_net_has_both():
    both = lambda W: NET[0] * np.sum(W**2) + NET[1] * np.sum(np.abs(W))
    W = P["W"]
    assert "the regularisation (L1) term" in said_of(both, 2 * NET[0] * W)
    assert "the regularisation (L2) term" in said_of(both, NET[1] * np.sign(W))
    assert "np.sign(W) (lambda/m = 0.1) is counted twice" in said_of(
        both, 2 * NET[0] * W + 2 * NET[1] * np.sign(W)
    )


def test_nothing_is_added_where_the_cost_has_an_odd_term():
    said = said_of(lambda W: 0.2 * np.sum(np.cosh(W)), 0.1 * np.sign(P["W"]))
    assert "though the cost has none" not in said


@pytest.mark.parametrize("shown", [("dWx", "dWh"), ("dWx", "dWh", "dH1", "dH2")])
def test_zeros_in_reach_stand_for_nothing(shown):
    """A recurrent net starts from zeros, which give what any forgotten contribution gives."""
    n, m = 4, 7
    start, X1, X2 = np.zeros((n, m)), *RNG.standard_normal((2, n, m))
    Y = RNG.standard_normal((n, m))
    p = {"Wx": RNG.standard_normal((n, n)), "Wh": RNG.standard_normal((n, n))}

    def forward(p):
        H1 = tg.tap("H1", np.tanh(tg.tap("Z1", p["Wx"] @ X1 + p["Wh"] @ start)))
        return H1, tg.tap("H2", np.tanh(tg.tap("Z2", p["Wx"] @ X2 + p["Wh"] @ H1)))

    cost = lambda p: np.sum((forward(p)[1] - Y) ** 2) / (2 * m)
    H1, H2 = forward(p)
    dH2 = (H2 - Y) / m
    dZ2 = dH2 * (1 - H2**2)
    dH1 = p["Wh"].T @ dZ2
    grads = {"dWx": dZ2 @ X2.T, "dWh": dZ2 @ H1.T, "dH1": dH1, "dH2": dH2}
    said = tg.check_backprop(cost, p, {name: grads[name] for name in shown}).diagnosis
    assert "the contribution" in said
    assert "dZ1 @ X1.T is not added (+= is missing)" in said
    assert "start" not in said


def test_a_mask_of_booleans_may_be_tapped():
    D = RNG.random((5, 8)) < 0.7
    X, Y = RNG.standard_normal((3, 8)), RNG.standard_normal((1, 8))
    p = {"W1": RNG.standard_normal((5, 3)), "W2": RNG.standard_normal((1, 5))}

    def cost(p):
        Z1 = tg.tap("Z1", p["W1"] @ X)
        A1 = tg.tap("A1", np.tanh(Z1) * tg.tap("D1", D) / 0.7)
        return np.sum((tg.tap("Z2", p["W2"] @ A1) - Y) ** 2) / 16

    A1 = np.tanh(p["W1"] @ X)
    dZ2 = (p["W2"] @ (A1 * D / 0.7) - Y) / 8
    dZ1 = p["W2"].T @ dZ2 / 0.7 * (1 - A1**2)
    grads = {"dW2": dZ2 @ (A1 * D / 0.7).T, "dZ1": dZ1, "dW1": dZ1 @ X.T}
    said = tg.check_backprop(cost, p, grads).diagnosis
    assert "the dropout mask D is not applied to dA1, only its rescaling" in said


def test_a_layer_that_recurs_above_a_value_that_is_shown():
    """dW and db are sums over what is shown, dZ2, and what is not, dZ3."""
    X, Y = RNG.standard_normal((4, 9)), RNG.standard_normal((1, 9))
    p = {"U": RNG.standard_normal((4, 4)), "W": RNG.standard_normal((4, 4))}
    p |= {"b": np.zeros((4, 1)), "v": RNG.standard_normal((1, 4))}

    def forward(p):
        A1 = tg.tap("A1", np.tanh(tg.tap("Z1", p["U"] @ X)))
        A2 = tg.tap("A2", np.tanh(tg.tap("Z2", p["W"] @ A1 + p["b"])))
        return A1, A2, tg.tap("A3", np.tanh(tg.tap("Z3", p["W"] @ A2 + p["b"])))

    cost = lambda p: np.sum((tg.tap("Z4", p["v"] @ forward(p)[-1]) - Y) ** 2) / 18
    A1, A2, A3 = forward(p)
    dZ4 = (p["v"] @ A3 - Y) / 9
    dZ3 = p["v"].T @ dZ4 * (1 - A3**2)
    dZ2 = p["W"].T @ dZ3 * (1 - A2**2)
    dZ1 = p["W"].T @ dZ2 * (1 - A1**2)
    grads = {"dZ2": dZ2, "dZ1": dZ1, "dv": dZ4 @ A3.T, "dW": dZ3 @ A2.T + dZ2 @ A1.T}
    grads |= {"dU": dZ1 @ X.T, "db": np.sum(dZ2, axis=1, keepdims=True)}
    report = tg.check_backprop(cost, p, grads)
    assert [row.name for row in report.failures] == ["db"]
    assert "np.sum(dZ3, axis=1, keepdims=True) is not added (+= is missing)" in report.diagnosis


def test_a_diagnosis_that_fails_leaves_the_verdicts(monkeypatch):
    def fails(*_):
        raise KeyError("Z2")

    monkeypatch.setattr("tinygrad_dnn.checking.backprop.explain", fails)
    cost = lambda p: np.sum((p["W1"] @ X.T) ** 2) / (2 * M)
    p = {"W1": np.ones((1, 4))}
    report = tg.check_backprop(cost, p, {"dW1": np.ones((1, 4))}, X=X.T, Y=np.zeros((1, M)))
    assert report.verdict == "wrong"
    said = "the diagnosis gave up (KeyError: 'Z2'); the verdicts do not depend on it"
    assert said in report.notes
