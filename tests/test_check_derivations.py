"""Functions with a gradient or vjp written by hand, wrongly: the cause is named, none invented."""

import re

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.checking.diagnosis.explain import describe
from tinygrad_dnn.checking.diagnosis.factor import Sizes

RNG = np.random.default_rng(0)
A, B, Z = RNG.standard_normal((3, 5)), RNG.standard_normal((5, 4)), RNG.standard_normal((4, 6))
S, b, w = RNG.standard_normal((4, 4)), RNG.standard_normal(4), RNG.standard_normal(4)
X, y = RNG.standard_normal((9, 4)), RNG.standard_normal(9)
SIGNS = np.sign(y)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def layer(X, W, b):
    return X @ W + b


def elu(z):
    return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)


def softmax_right(g, Z):
    P = softmax(Z)
    return P * (g - np.sum(g * P, axis=1, keepdims=True))


LAYER = layer, lambda g, X, W, b: (g @ W.T, X.T @ g, g.sum(axis=0)), (X, S, b)
TANH = lambda Z: np.tanh(Z), lambda g, Z: g * (1 - np.tanh(Z) ** 2), (Z,)
BILINEAR = (
    lambda S, B: S @ B.T @ S.T,
    lambda g, S, B: (g @ S @ B + g.T @ S @ B.T, (S.T @ g @ S).T),
    (RNG.standard_normal((3, 4)), S),
)
RIDGE = (
    lambda w, b: np.mean((X @ w + b - y) ** 2) + 0.3 * np.sum(w**2),
    lambda w, b: (2 * X.T @ (X @ w + b - y) / 9 + 0.6 * w, 2 * np.mean(X @ w + b - y)),
    (w, 0.5),
)


# what is checked, what it should be, what is written, what must be said
MISTAKES = {
    "W not transposed": (LAYER, lambda g, X, W, b: (g @ W, X.T @ g, g.sum(0)), "W is not trans"),
    "transposed": (LAYER, lambda g, X, W, b: (g @ W.T, g.T @ X, g.sum(0)), "is transposed"),
    "mean": (LAYER, lambda g, X, W, b: (g @ W.T, X.T @ g, g.mean(0)), "m = 9 times too small"),
    "one row": (LAYER, lambda g, X, W, b: (g @ W.T, X.T @ g, g[0]), "only one example is used"),
    "no g'": (TANH, lambda g, Z: g, "the factor tanh' = 1 - out**2 is missing; right is dZ = dout"),
    "g' of Z": (TANH, lambda g, Z: g * (1 - Z**2), "the formula needs A, not Z"),
    "g' of A": (TANH, lambda g, Z: g * (1 - np.tanh(np.tanh(Z)) ** 2), "evaluated at out instead"),
    "of sigmoid": (TANH, lambda g, Z: g * np.tanh(Z) * (1 - np.tanh(Z)), "another activation"),
    "g ignored": (TANH, lambda g, Z: 1 - np.tanh(Z) ** 2, "dout is ignored"),
    "softmax is no sigmoid": (
        (softmax, softmax_right, (Z,)),
        lambda g, Z: g * softmax(Z) * (1 - softmax(Z)),
        "only the diagonal",
    ),
    "wrong axis": (
        (softmax, softmax_right, (Z,)),
        lambda g, Z: softmax(Z) * (g - np.sum(g * softmax(Z), axis=0, keepdims=True)),
        "over the wrong axis",
    ),
    "+= missing": (
        BILINEAR,
        lambda g, S, B: (g @ S @ B, (S.T @ g @ S).T),
        "the contribution dout.T @ Z1 is not added (+= is missing)",
    ),
    "L2 missing": (
        RIDGE,
        lambda w, b: (2 * X.T @ (X @ w + b - y) / 9, 2 * np.mean(X @ w + b - y)),
        "the regularisation (L2) term (lambda/m) * w (lambda/m = 0.6) is missing",
    ),
    "half of L2": (
        RIDGE,
        lambda w, b: (2 * X.T @ (X @ w + b - y) / 9 + 0.3 * w, 2 * np.mean(X @ w + b - y)),
        "the factor 1/2 of the regularisation (L2) term",
    ),
    "2 missing": (
        RIDGE,
        lambda w, b: (X.T @ (X @ w + b - y) / 9 + 0.6 * w, 2 * np.mean(X @ w + b - y)),
        "in the term X.T @ dZ: it is half the right value",
    ),
    "quadratic form": (
        (lambda w: w @ S @ w, lambda w: (S + S.T) @ w, (w,)),
        lambda w: S @ w,
        "w is used more than once",
    ),
    "log' missing": (
        (lambda w: np.log(np.sum(np.exp(w))), lambda w: np.exp(w) / np.sum(np.exp(w)), (w,)),
        lambda w: np.exp(w),
        "the factor log'(C1) is missing",
    ),
    "elu as relu": ((elu, lambda g, Z: g * np.where(Z > 0, 1, np.exp(Z)), (Z,)),
        lambda g, Z: g * (Z > 0), "relu' (the derivative of another activation)"),
    "sign": (
        (
            lambda w: np.mean(np.logaddexp(0, -SIGNS * (X @ w))),
            lambda w: -X.T @ (SIGNS * sigmoid(-SIGNS * (X @ w))) / 9,
            (w,),
        ),
        lambda w: X.T @ (SIGNS * sigmoid(-SIGNS * (X @ w))) / 9,
        "the sign is flipped",
    ),
    "part of a quotient": (
        (
            lambda w: w @ b / np.sqrt(w @ w),
            lambda w: b / np.sqrt(w @ w) - w * (w @ b) / (w @ w) ** 1.5,
            (w,),
        ),
        lambda w: b / np.sqrt(w @ w),
        "w is used more than once, and what comes through dZ1 is not added",
    ),
}  # fmt: skip


def checked(case, written):
    f, right, inputs = case
    vjp = right.__code__.co_argcount > len(inputs)
    return (tg.check_vjp if vjp else tg.check_gradient)(f, written, *inputs)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(mistake):
    case, written, words = MISTAKES[mistake]
    assert checked(case, case[1])
    report = checked(case, written)
    assert words in report.diagnosis, report.diagnosis
    assert "though the cost has none" not in report.diagnosis


ODD = {
    "noise": lambda x: x + 0.3 * np.std(x) * np.random.default_rng(1).standard_normal(x.shape),
    "another order": lambda x: np.random.default_rng(2).permutation(x.ravel()).reshape(x.shape),
    "scaled at random": lambda x: x * np.random.default_rng(3).uniform(0.5, 2, x.shape),
    "part of it": lambda x: np.where(np.arange(x.size).reshape(x.shape) % 3, x, 1.37 * x),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("case", [LAYER, TANH, BILINEAR, (softmax, softmax_right, (Z,)), RIDGE])
def test_what_is_in_no_hypothesis_has_no_cause(case, odd):
    def written(*args):
        found = case[1](*args)
        first = found[0] if isinstance(found, tuple) else found
        return (ODD[odd](first), *found[1:]) if isinstance(found, tuple) else ODD[odd](first)

    report = checked(case, written)
    assert not report
    first = report.diagnosis.splitlines()[0]
    assert "right is" not in first or "cause unknown" in first, report.diagnosis


def test_a_factor_of_the_norm_is_no_penalty():
    """What is a multiple of w here is no L2 term: elsewhere it is another multiple."""
    cosine, written = MISTAKES["part of a quotient"][0], lambda w: b / np.sqrt(w @ w) - w
    assert "regularisation" not in checked(cosine, written).diagnosis


def test_values_in_between_are_explained():
    case, written, _ = MISTAKES["+= missing"]
    assert checked(case, written).notes[-1] == "values in between: Z1 = S @ B.T"


def test_random_numbers_are_the_same_again():
    rng = np.random.default_rng(5)
    f = lambda Z: Z * (rng.random(Z.shape) < 0.5)
    before = rng.bit_generator.state
    report = tg.check_vjp(f, lambda g, Z: g, Z)
    assert report.verdict == "wrong"
    assert rng.bit_generator.state == before


def test_what_does_not_take_tensors_is_described():
    def f(x):
        out = np.empty(3)
        out[:] = x**2
        return out

    report = tg.check_vjp(f, lambda g, x: -2 * g * x, np.array([1.0, 2.0, 4.0]))
    assert report.diagnosis.endswith("the sign is flipped: it is -1 times the right value")


def test_a_diagnosis_that_fails_leaves_the_verdicts(monkeypatch):
    def fails(*_, **__):
        raise KeyError("Z1")

    monkeypatch.setattr("tinygrad_dnn.checking.derivation.explain", fails)
    report = checked(TANH, lambda g, Z: -g * (1 - np.tanh(Z) ** 2))
    assert "the sign is flipped" in report.diagnosis
    said = "the diagnosis gave up (KeyError: 'Z1'); the verdicts do not depend on it"
    assert said in report.notes


@pytest.mark.parametrize(
    ("dw", "db", "words"),
    [
        (lambda e: 2 * X.T @ e / 9, lambda e: 2 * np.mean(e), "(L2) term (lambda/m) * w (lambda/m"),
        (lambda e: 2 * X.T @ e / 9 + 0.3 * w, lambda e: 2 * np.mean(e), "half of (lambda/m) * w"),
        (lambda e: 2 * X.T @ e / 9 - 0.6 * w, lambda e: 2 * np.mean(e), "it is subtracted"),
        (lambda e: 2 * X.T @ e / 9 + 0.6 * w, lambda e: 2 * np.sum(e), "1/m is missing"),
        (lambda e: X.T @ e / 9 + 0.6 * w, np.mean, "dZ, not among the gradients, is the root: it"),
        (lambda e: 2 * X.T @ abs(e) / 9 + 0.6 * w, lambda e: 2 * np.mean(e), "abs(dZ) stands"),
    ],
)
def test_regression_with_a_vector_and_a_number(dw, db, words):
    cost = lambda p: np.mean((X @ p["w"] + p["b"] - y) ** 2) + 0.3 * np.sum(p["w"] ** 2)
    e = X @ w + 0.5 - y
    report = tg.check_backprop(cost, {"w": w, "b": 0.5}, {"dw": dw(e), "db": db(e)})
    assert words in report.diagnosis, report.diagnosis


def normalised(z):
    centred = z - z.mean(axis=1, keepdims=True)
    return centred, np.sqrt((centred**2).mean(axis=1, keepdims=True) + 0.1)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("variance", r"d\w+, .*what comes back through it is not added, as if it were zero"),
        ("mean", r"dS1 stands where dZ belongs"),
        ("gamma", r"the factor gamma is missing"),
    ],
)
def test_batch_normalisation_by_hand(part, words):
    """What is left out is told as that, not as one of the mistakes that make it vanish."""
    W, x, t = (
        RNG.standard_normal((3, 4)),
        RNG.standard_normal((4, 10)),
        RNG.standard_normal((3, 10)),
    )
    gamma = np.array([[0.7], [1.3], [-0.4]])

    def cost(p):
        centred, s = normalised(p["W"] @ x)
        return np.sum((p["gamma"] * (centred / s) - t) ** 2) / 20

    centred, s = normalised(W @ x)
    N = centred / s
    dN = (gamma * N - t) / 10 * (1 if part == "gamma" else gamma)
    dZ = dN - (0 if part == "mean" else dN.mean(axis=1, keepdims=True))
    dZ = dZ - (0 if part == "variance" else N * np.mean(dN * N, axis=1, keepdims=True))
    dgamma = np.sum((gamma * N - t) / 10 * N, axis=1, keepdims=True)
    p, grads = {"W": W, "gamma": gamma}, {"dW": dZ / s @ x.T, "dgamma": dgamma}
    report = tg.check_backprop(cost, p, grads)
    assert re.search(words, report.diagnosis), report.diagnosis


def test_a_sum_that_cancels_has_been_computed():
    right = RNG.standard_normal((4, 1))
    assert "never computed" in describe(0 * right, right, Sizes()).words
    assert "what is summed cancels" in describe(1e-17 * right[::-1], right, Sizes()).words
