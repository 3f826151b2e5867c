"""Planted mistakes: the cause is named, alone and in pairs; none is invented."""

import re
from functools import cache

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.diagnosed import Diagnosed
from tests.mistakes import MISTAKES
from tests.students import Student, dA_right, db_right, dW_right, dZ_right
from tests.test_check_backprop import NETWORKS, WAYS
from tinygrad_dnn.report import WRONG

WIRED = {
    "skip connections added to A": {"hidden": "tanh", "widths": (3, 4, 4, 4, 2), "skip": "after"},
    "skip connections added to Z": {"widths": (3, 4, 4, 4, 1), "skip": "before", "m": 9},
    "squared error of sigmoid": {"hidden": "sigmoid", "widths": (3, 5, 2), "squared": True},
    "softmax": {"widths": (4, 5, 3), "output": "softmax", "m": 8},
    "few examples": {"hidden": "tanh", "widths": (3, 6, 2), "m": 4},
    "dropout of 20 %, regularised": {"widths": (5, 6, 4, 1), "keep": 0.8, "m": 12, "lam": 0.5},
}
SPECS = [(network, way) for network in (NETWORKS | WIRED).values() for way in WAYS.values()]


def differ(some, others):
    return any(
        np.shape(some[k]) != np.shape(others[k])
        or not np.allclose(some[k], others[k], rtol=1e-6, atol=1e-9)
        for k in some
    )


@cache
def diagnosed(spec, seed):
    network, way = SPECS[spec]
    student = Student(**network, **way, seed=seed)
    return student, Diagnosed(student, recorded=spec % 4 < 2)


def students_for(mistake, start):
    """Yield a network and a layer in which this mistake makes a difference."""
    for i in range(len(SPECS)):
        spec, seed = (5 * i + start) % len(SPECS), start % 2
        student, known = diagnosed(spec, seed)
        for l in range(1, student.L + 1):
            if mistake.who(student, l):
                _, _, grads = student.lesson({(mistake.kind, l): mistake.make})
                if differ(grads, known.right):
                    yield spec, seed, l
                    break


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=[m.name for m in MISTAKES])
def test_a_mistake_is_named(number):
    mistake = MISTAKES[number]
    found = [case for case, _ in zip(students_for(mistake, number), range(3), strict=False)]
    assert found or mistake.name == "* for @"
    for spec, seed, l in found:
        student, known = diagnosed(spec, seed)
        said = known.of(student.lesson({(mistake.kind, l): mistake.make})[2])
        assert re.search(mistake.said, said), (SPECS[spec], l, said)


EVERYWHERE = [
    {"hidden": "tanh", "widths": (3, 5, 4, 6, 1), "m": 11},
    {"hidden": "relu", "widths": (4, 6, 5, 3), "output": "softmax", "m": 14, "lam": 0.4},
    {"hidden": "leaky", "widths": (4, 5, 5, 5, 2), "m": 9, "keep": 0.7, "course": False},
    {"hidden": "sigmoid", "widths": (4, 4, 4, 4), "output": "linear", "m": 8},
]


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=[m.name for m in MISTAKES])
def test_a_mistake_made_in_every_layer_is_named(number):
    mistake, way = MISTAKES[number], list(WAYS.values())[number % 2]
    student = Student(**EVERYWHERE[number % 4], **way, seed=5)
    layers = [l for l in range(1, student.L + 1) if mistake.who(student, l)]
    if len(layers) < 2:
        return
    known = Diagnosed(student)
    grads = student.lesson({(mistake.kind, l): mistake.make for l in layers})[2]
    if differ(grads, known.right):
        said = known.of(grads)
        assert re.search(mistake.said, said), (layers, said)
        assert "cause unknown" not in said, (layers, said)


@pytest.mark.parametrize("number", range(0, len(MISTAKES), 9))
def test_a_report_names_it_too(number):
    mistake = MISTAKES[number]
    spec, seed, l = next(students_for(mistake, number))
    student, _ = diagnosed(spec, seed)
    report = tg.check_backprop(*student.lesson({(mistake.kind, l): mistake.make}))
    assert not report
    assert re.search(mistake.said, report.diagnosis), (student, l, report.diagnosis)


@pytest.mark.parametrize("way", WAYS)
def test_mistakes_in_two_layers_are_both_named(way):
    names = {mistake.name: mistake for mistake in MISTAKES}
    for first, second in [
        ("no g'", "dW transposed"),
        ("W not transposed", "db without 1/m"),
        ("dW negated", "g'(A)"),
        ("incoming gradient ignored", "dW from X"),
    ]:
        a, b = names[first], names[second]
        student = Student(hidden="tanh", widths=(4, 4, 4, 4, 4), output="softmax", **WAYS[way])
        _, _, grads = student.lesson({(a.kind, 3): a.make, (b.kind, 2): b.make})
        said = Diagnosed(student).of(grads)
        assert re.search(a.said, said), (first, said)
        assert re.search(b.said, said), (second, said)


ODD = {
    "tanh": np.tanh,
    "the cube": lambda x: x**3,
    "a shift": lambda x: x + 0.017,
    "arcsinh": np.arcsinh,
    "the sine": lambda x: np.sin(3 * x),
    "another order": lambda x: np.random.default_rng(0).permutation(x.ravel()).reshape(x.shape),
    "sorted": lambda x: np.sort(x, axis=0),
    "noise": lambda x: x + 0.3 * np.std(x) * np.random.default_rng(1).standard_normal(x.shape),
}


@pytest.mark.parametrize("spec", range(0, len(SPECS), 3))
@pytest.mark.parametrize("odd", ODD)
def test_what_is_in_no_hypothesis_has_no_cause(odd, spec):
    student, known = diagnosed(spec, 0)
    for kind, right in (("dW", dW_right), ("db", db_right), ("dZ", dZ_right), ("dA", dA_right)):
        l = max(student.L - 1, 1)
        if kind == "dA" and l == student.L:
            continue
        _, _, grads = student.lesson({(kind, l): lambda d, f=right: ODD[odd](f(d))})
        if differ(grads, known.right):
            for line in known.of(grads).splitlines():
                assert "follows from" in line or "cause unknown" in line, line


@pytest.mark.parametrize("m", [4, 9])  # with 4 examples dZ can be solved for, with 9 it cannot
def test_an_unknown_root_is_said_once(m):
    student = Student(hidden="tanh", widths=(4, 4, 4, 4, 2), m=m, **WAYS["parameters only"])
    _, _, grads = student.lesson({("dZ", 3): lambda d: np.sin(3 * dZ_right(d))})
    said = Diagnosed(student).of(grads)
    assert said.startswith("dW3: dZ3, not among the gradients, is the root: cause unknown: "), said
    assert said.count("cause unknown") == 1
    assert ("as far as can be told" in said) == (m == 9)


@pytest.mark.parametrize("odd", [np.tanh, lambda x: x + 0.017])
def test_a_report_of_it_says_so(odd):
    student = Student(hidden="tanh", widths=(3, 4, 4, 2), output="softmax", **WAYS["all tapped"])
    report = tg.check_backprop(*student.lesson({("dZ", 2): lambda d: odd(dZ_right(d))}))
    assert not report
    for line in report.diagnosis.splitlines():
        assert "follows from" in line or "cause unknown" in line, report.diagnosis


def test_examples_in_rows_and_transposed_weights():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((9, 4)), rng.integers(0, 3, 9)
    p = {"W1": rng.standard_normal((4, 5)), "b1": np.zeros(5), "W2": rng.standard_normal((5, 3))}

    def forward(p):
        A1 = np.maximum(0, X @ p["W1"] + p["b1"])
        e = np.exp(A1 @ p["W2"])
        return A1, e / e.sum(axis=1, keepdims=True)

    def cost(p):
        return -np.log(forward(p)[1][np.arange(9), y]).mean() + 0.05 * np.sum(p["W2"] ** 2)

    A1, P = forward(p)
    dZ2 = (P - np.eye(3)[y]) / 9
    dZ1 = dZ2 @ p["W2"].T
    grads = {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2 + 0.1 * p["W2"]}
    report = tg.check_backprop(cost, p, grads)
    assert [row.name for row in report.failures] == ["dW1", "db1"] or not report
    assert "the factor relu' = [Z1 > 0] is missing" in report.diagnosis

    w, Y = rng.standard_normal((4, 1)), np.float64(y > 1)[None]
    sigmoid = lambda w: 1 / (1 + np.exp(-(w.T @ X.T)))
    logistic = lambda p: (
        -np.mean(Y * np.log(sigmoid(p["w"])) + (1 - Y) * np.log(1 - sigmoid(p["w"])))
    )
    report = tg.check_backprop(logistic, {"w": w}, {"dw": X.T @ (sigmoid(w) - Y).T})
    assert "dw: the factor 1/m is missing: it is m = 9 times too large" in report.diagnosis


@pytest.mark.parametrize("shown", [("dW", "db"), ("dW", "db", "dZ1", "dZ2")])
def test_a_value_used_twice(shown):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((2, 4, 6))
    p = {"W": 0.6 * rng.standard_normal((4, 4)), "b": rng.standard_normal((4, 1))}

    def forward(p):
        Z1 = tg.tap("Z1", p["W"] @ X + p["b"])
        A1 = tg.tap("A1", np.tanh(Z1))
        return Z1, A1, tg.tap("Z2", p["W"] @ A1 + p["b"])

    cost = lambda p: np.sum((forward(p)[-1] - Y) ** 2) / 12
    _, A1, dZ2 = forward(p)
    dZ2 = dZ2 - Y
    dZ1 = p["W"].T @ dZ2 * (1 - A1**2)
    grads = {"dW": dZ1 @ X.T / 6, "db": (dZ1 + dZ2).sum(axis=1, keepdims=True) / 6}
    grads |= {"dZ1": dZ1, "dZ2": dZ2}
    report = tg.check_backprop(cost, p, {name: grads[name] for name in shown})
    assert report.diagnosis.startswith(
        "dW: W is used more than once, and the contribution (1/m) * dZ2 @ A1.T is not added (+= is "
    )


def test_a_network_of_ours():
    rng = np.random.default_rng(0)
    net = tg.nn.Sequential.from_layer_dims([3, 4, 4, 2], hidden="tanh", output="softmax", rng=rng)
    X, labels = rng.standard_normal((3, 8)), rng.integers(0, 2, 8)
    _, _, A1, Z2, A2, _, A3 = [getattr(x, "data", x) for x in net.outputs(X)]
    W = {name: x.data for name, x in net.parameters().items()}
    dZ3 = A3 - np.eye(2)[labels].T
    dA2 = W["W3"].T @ dZ3
    dZ2 = dA2 * (1 - np.tanh(Z2) ** 2)
    dA1 = W["W2"] @ dZ2  # not transposed
    dZ1 = dA1 * (1 - A1**2)
    grads = {"dZ3": dZ3, "dA2": dA2, "dZ2": dZ2, "dA1": dA1, "dZ1": dZ1}
    for l, A in ((3, A2), (2, A1), (1, X)):
        grads[f"dW{l}"] = grads[f"dZ{l}"] @ A.T / 8
        grads[f"db{l}"] = np.mean(grads[f"dZ{l}"], axis=1, keepdims=True)
    report = tg.check_network(net, grads, X, labels)
    assert [row.name for row in report.failures] == ["dA1", "dZ1", "dW1", "db1"]
    assert report.failures[0].note == (
        "W2 is not transposed: W2.T belongs there; right is dA1 = W2.T @ dZ2; dZ1, dW1, db1 follow "
        "from it, their own equations are right"
    )
    assert report.notes[0].startswith("convention: dZ and dA per example")
    scaled = {name: x / 8 if name[1] in "ZA" else x for name, x in grads.items()}
    assert tg.check_network(net, scaled, X, labels).notes[0].startswith("convention: all are deriv")
    with pytest.raises(ValueError, match="grads has no 'dW1'"):
        tg.check_network(net, {"dW2": W["W2"]}, X, labels)


def by_hand(net, X, Y, D=1.0, keep=1.0, dtype=np.float64):
    """Return the gradients of a net of two layers with dropout, in the course's way."""
    W1, b1, W2, b2 = (x.data.astype(dtype) for x in net.parameters().values())
    X, Y, D = X.astype(dtype), Y.astype(dtype), np.asarray(D, dtype)
    A1 = np.tanh(W1 @ X + b1) * D / dtype(keep)
    dZ2 = 1 / (1 + np.exp(-(W2 @ A1 + b2))) - Y
    dZ1 = W2.T @ dZ2 * D / dtype(keep) * (1 - np.tanh(W1 @ X + b1) ** 2)
    m = dtype(X.shape[1])
    mean = lambda d: np.sum(d, axis=1, keepdims=True) / m
    return {"dW1": dZ1 @ X.T / m, "db1": mean(dZ1), "dW2": dZ2 @ A1.T / m, "db2": mean(dZ2)}


@pytest.mark.parametrize("seed", range(20))
def test_gradients_in_float32_are_judged_as_such(seed):
    rng = np.random.default_rng(seed)
    net = tg.nn.Sequential.from_layer_dims([5, 9, 1], hidden="tanh", rng=rng)
    X, Y = rng.standard_normal((5, 300)), (rng.random((1, 300)) < 0.5) * 1.0
    grads = by_hand(net, X, Y, dtype=np.float32)
    report = tg.check_network(net, grads, X, Y)
    assert report, report
    assert any("dW1, db1, dW2, db2 in float32" in note for note in report.notes)
    off = {**grads, "dW1": grads["dW1"] * np.float32(1.001)}
    assert [row.name for row in tg.check_network(net, off, X, Y).failures] == ["dW1"]
    assert not tg.check_network(net, {**off, "dW1": off["dW1"].astype(float) * 1.00001}, X, Y)


def test_a_training_network_is_run_with_the_masks_of_its_gradients():
    rng = np.random.default_rng(0)
    nn, drawn = tg.nn, np.random.default_rng(3)
    layers = nn.Linear(4, 8, rng=rng), nn.Tanh(), nn.Dropout(0.4, rng=drawn)
    net = nn.Sequential(*layers, nn.Linear(8, 1, rng=rng), nn.Sigmoid())
    X, Y = rng.standard_normal((4, 12)), (rng.random((1, 12)) < 0.5) * 1.0
    state = drawn.bit_generator.state
    grads = lambda outputs: by_hand(net, X, Y, outputs[3] != 0, 0.6)
    report = tg.check_network(net, grads, X, Y)
    assert report, report
    assert drawn.bit_generator.state == state
    assert tg.check_network(net, grads(net.outputs(X)), X, Y).verdict == WRONG  # it has moved on
    drawn.bit_generator.state = state
    made = grads([getattr(x, "data", x) for x in net.outputs(X)])
    drawn.bit_generator.state = state
    report = tg.check_network(net, made, X, Y)
    assert report, report
    assert any("with the masks that its generators give now" in note for note in report.notes)
    forgot = lambda outputs: by_hand(net, X, Y, outputs[3] != 0, 1.0)
    assert not tg.check_network(net, forgot, X, Y)


@pytest.mark.parametrize("name", ["D1", "mask", "keep_these"])
def test_masks_of_any_name_and_penalties_of_biases(name):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((3, 10)), (rng.random((1, 10)) < 0.5) * 1.0
    masks = {name: (rng.random((5, 10)) < 0.7) * 1.0}
    p = {"W1": rng.standard_normal((5, 3)), "b1": rng.standard_normal((5, 1))}
    p |= {"W2": rng.standard_normal((1, 5)), "b2": rng.standard_normal((1, 1))}
    keep_prob, lambd = 0.7, 0.3

    def forward(p):
        Z1 = p["W1"] @ X + p["b1"]
        A1 = np.maximum(0, Z1) * masks[name] / keep_prob
        return Z1, A1, 1 / (1 + np.exp(-(p["W2"] @ A1 + p["b2"])))

    def cost(p):
        A2 = forward(p)[-1]
        J = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
        return J + lambd / 20 * (np.sum(p["W1"] ** 2) + np.sum(p["b1"] ** 2))

    Z1, A1, A2 = forward(p)
    dZ2 = A2 - Y
    dA1 = p["W2"].T @ dZ2
    dZ1 = dA1 * (Z1 > 0) / keep_prob  # the mask is forgotten
    mean = lambda d: np.mean(d, axis=1, keepdims=True)
    grads = {"dW1": dZ1 @ X.T / 10 + lambd / 10 * p["W1"], "db1": mean(dZ1) + lambd / 10 * p["b1"]}
    grads |= {"dW2": dZ2 @ A1.T / 10, "db2": mean(dZ2)}
    report = tg.check_backprop(cost, p, grads)
    assert f"the dropout mask {name} is not applied to dA1" in report.diagnosis
    right = dA1 * (Z1 > 0) * masks[name] / keep_prob
    grads["dW1"] = right @ X.T / 10 + lambd / 10 * p["W1"]
    grads["db1"] = mean(right)
    report = tg.check_backprop(cost, p, grads)
    assert [row.name for row in report.failures] == ["db1"]
    assert "regularisation (L2) term (lambda/m) * b1" in report.diagnosis
    assert "is missing" in report.diagnosis


def test_a_network_that_is_not_understood_is_to_be_tapped():
    W = np.arange(1.0, 7).reshape(2, 3)
    cost = lambda p: np.sum(np.sin(p["W"]) ** 3)
    report = tg.check_backprop(cost, {"W": W}, {"dW": np.sin(W)})
    assert not report
    assert any('show the values of the forward pass: Z1 = tg.tap("Z1"' in n for n in report.notes)


def test_a_plain_gradient_is_described():
    M = np.arange(9.0).reshape(3, 3)
    report = tg.check_gradient(lambda W: np.sum(M * W), lambda W: M.T, np.ones((3, 3)))
    assert report.diagnosis.endswith("; it is transposed; right is dW = dS1 * M")
    assert report.notes[-1] == "values in between: S1 = M * W"


def test_integers_are_told():
    W = 3 * np.random.default_rng(0).standard_normal((3, 4))
    cut = tg.check_gradient(lambda W: np.sum(W**2) / 2, lambda W: W.astype(int), W)
    assert "; it is cut off to integers: the array's dtype is int" in cut.diagnosis
    rounded = tg.check_gradient(lambda W: np.sum(W**2) / 2, np.round, W)
    assert "; it is rounded to integers" in rounded.diagnosis


def hinge_student(mistake, *, taps):
    """Return a cost of hinge after layers with dropout, of which Z alone is tapped, or nothing."""
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((4, 11)), np.where(rng.random((1, 11)) < 0.5, 1.0, -1.0)
    D1, keep_prob = np.float64(rng.random((5, 11)) < 0.7), 0.7
    p = {"W1": rng.standard_normal((5, 4)), "b1": 0.3 * rng.standard_normal((5, 1))}
    p |= {"W2": rng.standard_normal((1, 5)), "b2": 0.3 * rng.standard_normal((1, 1))}
    tap = tg.tap if taps else lambda name, value: value

    def forward(p):
        Z1 = tap("Z1", p["W1"] @ X + p["b1"])
        A1 = np.where(Z1 > 0, Z1, 0.05 * Z1) * D1 / keep_prob
        return Z1, A1, tap("Z2", p["W2"] @ A1 + p["b2"])

    cost = lambda p: np.mean(np.maximum(0, 1 - Y * forward(p)[-1]))
    Z1, A1, Z2 = forward(p)
    dZ2 = mistake("dZ2", -Y * (Y * Z2 < 1), Y, Z2)
    dZ1 = mistake("dZ1", p["W2"].T @ dZ2 * D1 / keep_prob, D1, keep_prob)
    dZ1 = dZ1 * np.where(Z1 > 0, 1, 0.05)
    mean = lambda d: np.mean(d, axis=1, keepdims=True)
    grads = {"dW1": dZ1 @ X.T / 11, "db1": mean(dZ1), "dW2": dZ2 @ A1.T / 11, "db2": mean(dZ2)}
    return cost, p, grads, {"X": X, "Y": Y, "D1": D1, "keep_prob": keep_prob, "leak": 0.05}


@pytest.mark.parametrize("taps", [True, False])
@pytest.mark.parametrize(
    ("where", "wrong", "said"),
    [
        ("dZ2", lambda d, Y, A: -Y, r"the mask \[Y \* A < 1\] of hinge is missing"),
        ("dZ2", lambda d, Y, A: -Y * (Y * A >= 1), r"mask \[Y \* A < 1\] of hinge is inverted"),
        ("dZ2", lambda d, Y, A: A - Y, r"A - Y is the derivative of another loss"),
        ("dZ1", lambda d, D, keep: d * keep, r"dropout.* not .*rescaled|only its|to be divided by"),
        ("dZ1", lambda d, D, keep: d / keep, r"rescaled twice"),
    ],
)
def test_hinge_and_dropout_that_is_not_tapped(where, wrong, said, taps):
    mistake = lambda name, right, *more: wrong(right, *more) if name == where else right
    cost, p, grads, context = hinge_student(mistake, taps=taps)
    report = tg.check_backprop(cost, p, grads, **context)
    assert re.search(said, report.diagnosis), report.diagnosis
    right = hinge_student(lambda name, right, *more: right, taps=taps)
    assert tg.check_backprop(*right[:3], **right[3])


# ---- which of several explanations is said
def test_shapes_are_told_before_numbers():
    student = Student(widths=(4, 6, 3, 1), m=8, **WAYS["parameters only"])
    row = lambda d: db_right(d).T
    report = tg.check_backprop(*student.lesson({("db", l): row for l in (1, 2)}))
    for line in report.diagnosis.splitlines():
        assert re.match(r"db\d: it is .*; it is transposed; right is", line), line
    turned = lambda d: dW_right(d).T
    report = tg.check_backprop(*student.lesson({("dW", l): turned for l in (1, 2, 3)}))
    assert report.diagnosis.count("it is transposed") == 3


def test_what_the_equation_has_in_it_is_told_before_what_may_be_anywhere():
    for way in WAYS.values():
        student = Student(widths=(4, 6, 3, 1), m=8, keep=0.5, **way)
        slip = lambda d: d.dA[d.l] * d.D[d.l] * d.g_prime(d.Z[d.l])
        said = Diagnosed(student).of(student.lesson({("dZ", 1): slip})[2])
        assert (
            "dropout is not rescaled: it is to be divided by keep_prob = 0.5; or it is half" in said
        )


def test_a_constant_of_the_students_is_called_by_its_name():
    rng = np.random.default_rng(0)
    X, Y, alpha = *rng.standard_normal((2, 3, 7)), 0.3
    p = {"W1": rng.standard_normal((3, 3))}
    cost = lambda p: alpha * np.sum((p["W1"] @ X - Y) ** 2) / 14
    report = tg.check_backprop(cost, p, {"dW1": (p["W1"] @ X - Y) @ X.T / 7})
    assert "the factor alpha = 0.3 is missing" in report.diagnosis


def test_a_forgotten_line_is_said_beside_what_has_the_same_numbers():
    student = Student(hidden="tanh", widths=(3, 4, 1), m=5, **WAYS["all tapped"])
    last = lambda d: dZ_right(d) * (np.arange(5) != 2)
    said = Diagnosed(student).of(student.lesson({("dZ", 1): last})[2])
    assert "only column 2 is forgotten" in said
