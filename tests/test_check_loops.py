"""A cost that loops over examples or mini-batches is explained like one pass over all of them."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.checking.diagnosis.forward import Call
from tinygrad_dnn.checking.diagnosis.loops import LOOP, side_by_side
from tinygrad_dnn.checking.student import Student

RNG = np.random.default_rng(0)
M = 12
X, Y = RNG.standard_normal((4, M)), (RNG.random((1, M)) < 0.5) * 1.0
COLUMNS = [slice(i, i + 1) for i in range(M)]
BATCHES = [slice(i, i + 2) for i in range(0, M, 2)]
SHAPES = {"W1": (4, 4), "b1": (4, 1), "W2": (4, 4), "b2": (4, 1), "W3": (1, 4), "b3": (1, 1)}
P = {name: RNG.standard_normal(shape) for name, shape in SHAPES.items()}


def forward(p, x):
    A1 = np.tanh(p["W1"] @ x + p["b1"])
    A2 = np.tanh(p["W2"] @ A1 + p["b2"])
    return A1, A2, 1 / (1 + np.exp(-(p["W3"] @ A2 + p["b3"])))


def cost_over(passes):
    def cost(p):
        J = 0.0
        for s in passes:
            A3 = forward(p, X[:, s])[-1]
            J = J - np.sum(Y[:, s] * np.log(A3) + (1 - Y[:, s]) * np.log(1 - A3))
        return J / M

    return cost


def grads(passes, wrong=""):
    """The gradients by hand, with one mistake."""
    found = {f"d{name}": np.zeros_like(x) for name, x in P.items()}
    for i, s in enumerate(passes):
        x = X[:, s]
        A1, A2, A3 = forward(P, x)
        dZ3 = A3 - Y[:, s]
        if wrong == "last left out" and i == len(passes) - 1:
            continue
        dZ2 = P["W3"].T @ dZ3 * (1 - (A1 if wrong == "A1" else A2) ** 2)
        dA1 = (P["W2"] if wrong == "W2" else P["W2"].T) @ dZ2
        dZ1 = dA1 * (1 - A1**2)
        x = X[:, passes[i - 1]] if wrong == "stale" else x
        if wrong == "overwritten":
            found |= {f"d{name}": np.zeros_like(x) for name, x in P.items()}
        for name, dZ, A in (("3", dZ3, A2), ("2", dZ2, A1), ("1", dZ1, x)):
            found[f"dW{name}"] += dZ @ A.T / M
            found[f"db{name}"] += np.sum(dZ, axis=1, keepdims=True) / M
    return found


@pytest.mark.parametrize("passes", [COLUMNS, BATCHES], ids=["examples", "mini-batches"])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("A1", "dZ2, not among the gradients, is the root: tanh' is evaluated at Z1 instead of Z2"),
        ("W2", "dA1, not among the gradients, is the root: W2 is not transposed"),
        ("overwritten", "only the last pass of the loop is there, it is not a sum (+= is missing)"),
        ("stale", "X of the pass before (of the last, in the first) stands where X belongs"),
    ],
)
def test_a_mistake_in_the_body_is_one_mistake(passes, wrong, said):
    report = tg.check_backprop(cost_over(passes), P, grads(passes, wrong), X=X, Y=Y)
    assert said in report.diagnosis, report.diagnosis
    assert any(f"a loop of {len(passes)} passes" in note for note in report.notes)


def test_a_mini_batch_that_is_left_out_is_named():
    report = tg.check_backprop(cost_over(BATCHES), P, grads(BATCHES, "last left out"), X=X, Y=Y)
    assert "the last pass of the loop is left out" in report.diagnosis, report.diagnosis


def test_what_is_right_is_right():
    assert tg.check_backprop(cost_over(COLUMNS), P, grads(COLUMNS), X=X, Y=Y)


def wired(cost, p):
    student = Student(cost, p, {f"d{name}": x for name, x in p.items()}, {"X": X, "Y": Y})
    return student.wired()[0]


def test_the_steps_of_all_passes_become_those_of_one():
    forward = wired(cost_over(COLUMNS), P)
    one, _ = side_by_side(forward, {}, ())
    assert [step.out for step in one.steps][:3] == ["Z1", "A1", "Z2"]
    assert len(forward.steps) == M * len(one.steps)
    assert one.m == M
    assert one.passes == (1,) * M
    np.testing.assert_allclose(one.values["Z1"], P["W1"] @ X + P["b1"])


def test_what_has_no_equation_is_done_pass_by_pass():
    p = {name: P[name] for name in ("W1", "b1", "W2")}

    def cost(p):
        A = (np.roll(np.tanh(p["W1"] @ X[:, s] + p["b1"]), 1, axis=0) for s in BATCHES)
        return sum(np.sum((p["W2"] @ a) ** 2) for a in A) / M

    one, _ = side_by_side(wired(cost, p), {}, ())
    step = next(step for step in one.steps if isinstance(step, Call))
    g = RNG.standard_normal((4, M))
    np.testing.assert_allclose(step.back(g, "A1"), np.roll(g, -1, axis=0))
    assert one.passes == (2,) * len(BATCHES)


def test_vectors_become_rows():
    p = {"W1": P["W1"], "b1": P["b1"][:, 0], "w2": P["W3"][0], "b2": P["b3"][0, 0]}

    def cost(p):
        hidden = (np.tanh(p["W1"] @ x + p["b1"]) for x in X.T)
        return sum((p["w2"] @ A + p["b2"] - y) ** 2 for A, y in zip(hidden, Y[0], strict=True)) / M

    one, _ = side_by_side(wired(cost, p), {}, ())
    np.testing.assert_allclose(one.values["Z1"], X.T @ p["W1"].T + p["b1"])
    assert one.over == 0


@pytest.mark.parametrize("passes", [COLUMNS[: LOOP - 1], [slice(0, M)]])
def test_what_is_no_loop_stays_as_it_is(passes):
    forward = wired(cost_over(passes), P)
    assert side_by_side(forward, {}, ())[0] is forward


def test_a_derivative_shown_in_one_pass_keeps_them_apart():
    forward = wired(cost_over(COLUMNS), P)
    assert side_by_side(forward, {}, ["Z1"])[0] is forward
