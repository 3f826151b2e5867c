"""The engine against the equations by hand, and the equations against differences of the cost."""

import ast
from pathlib import Path

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import equations, nn
from tinygrad_dnn.primitives import RULES
from tinygrad_dnn.rules import losses, network

HIDDEN = ["relu", "leaky_relu", "tanh", "sigmoid", "identity"]
OUTPUT = ["sigmoid", "softmax", "identity"]
DIMS = {1: [4], 2: [4, 5], 3: [4, 5, 3], 5: [4, 6, 5, 4, 3], 50: [4, *[6] * 49]}


def task(L, hidden, output, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    n_out = 3 if output == "softmax" else 1
    net = nn.Sequential.from_layer_dims(
        [*DIMS[L], n_out],
        hidden=hidden,
        output=output,
        init="he" if "relu" in hidden else "lecun",
        rng=rng,
        dtype=dtype,
    )
    X = rng.standard_normal((4, 10)).astype(dtype)  # ten do not split evenly into three classes
    Y = rng.integers(0, 3, 10) if output == "softmax" else rng.integers(0, 2, (1, 10))
    return net, X, Y


@pytest.mark.parametrize("L", DIMS)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("output", OUTPUT)
def test_every_layer_agrees_with_the_equations(L, hidden, output):
    net, X, Y = task(L, hidden, output)
    report = net.validate(X, Y)
    assert report, str(report)
    assert max(row.error for row in report.rows) < 1e-12
    names = [row.name for row in report.rows]
    for l in range(1, L + 1):
        assert {f"{q}{l}" for q in ("W", "b", "Z", "A", "dZ", "dW", "db", "dA")} <= set(names)
    assert {"J", "dA0"} <= set(names)


def test_float32_networks_are_judged_by_float32_rounding():
    net, X, Y = task(3, "relu", "softmax", dtype=np.float32)
    report = net.validate(X, Y)
    assert report
    assert 1e-12 < max(row.error for row in report.rows) < 1e-4


def test_validation_leaves_gradients_and_parameters_alone():
    net, X, Y = task(3, "relu", "sigmoid")
    before = {name: p.data.copy() for name, p in net.parameters().items()}
    net.validate(X, Y)
    for name, p in net.parameters().items():
        assert p.grad is None
        np.testing.assert_array_equal(p.data, before[name])


def test_a_trained_network_is_still_right_though_its_gradient_is_rounding():
    net, X, Y = task(2, "tanh", "sigmoid")
    descent = tg.optim.SGD(net.parameters(), lr=5.0)
    tg.fit(net, X, Y, loss=nn.binary_cross_entropy, optimizer=descent, epochs=20_000)
    assert net.validate(X, Y)


def test_saturated_outputs_are_validated_through_A_minus_Y():
    net, X, Y = task(2, "relu", "sigmoid")
    net.parameters()["W2"].data *= 1e4
    report = net.validate(X, Y)
    assert report, str(report)
    assert "dZ2" in [row.name for row in report.rows]


def test_data_that_is_no_number_is_refused():
    net, X, Y = task(2, "relu", "sigmoid")
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="X holds nan or inf"):
        net.validate(X, Y)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_parameters_that_are_no_numbers_are_never_right():
    net, X, Y = task(2, "relu", "sigmoid")
    net.parameters()["W1"].data *= np.nan
    assert not net.validate(X, Y)


def test_a_network_without_a_known_layer_is_refused():
    with pytest.raises(ValueError, match="there is nothing to compare"):
        nn.Sequential(nn.ReLU()).validate(np.ones((2, 3)), np.ones((2, 3)))


def test_functions_count_as_activations():
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(4, 3, rng=rng), np.tanh, nn.Linear(3, 1, rng=rng), nn.sigmoid)
    report = net.validate(rng.random((4, 5)), rng.random((1, 5)) > 0.5)
    assert report, str(report)
    assert {"dZ1", "dZ2"} <= {row.name for row in report.rows}


def test_soft_labels_whose_columns_do_not_sum_to_one():
    net, X, _ = task(2, "relu", "softmax")
    Y = np.random.default_rng(0).random((3, 10))
    assert net.validate(X, Y)


def test_validation_records_even_where_nothing_is_recorded():
    net, X, Y = task(2, "relu", "sigmoid")
    with tg.no_grad():
        assert net.validate(X, Y)


@pytest.mark.parametrize("shift", [1e-3, 1e-7, 1e-12])
def test_a_wrong_rule_is_found_however_well_the_network_is_trained(monkeypatch, shift):
    net, X, _ = task(3, "tanh", "sigmoid")
    Y = np.clip(net(X).data + shift * np.random.default_rng(0).standard_normal((1, 10)), 0, 1)
    assert net.validate(X, Y)
    right = RULES[np.tanh].vjps[0]
    monkeypatch.setattr(RULES[np.tanh], "vjps", (lambda *a: right(*a) * (1 + 1e-9),))
    assert not net.validate(X, Y)


def test_layers_it_does_not_know_are_named_and_the_rest_is_checked():
    rng = np.random.default_rng(0)

    class Square:
        def __call__(self, Z):
            return Z**2

    net = nn.Sequential(
        nn.Linear(4, 3, rng=rng),
        nn.ReLU(),
        nn.Linear(3, 3, rng=rng),
        Square(),
        nn.Linear(3, 1, rng=rng),
    )
    report = net.validate(rng.random((4, 5)), rng.random((1, 5)))
    assert report, str(report)
    assert "not checked, taken as given: layer 2" in report.notes
    names = [row.name for row in report.rows]
    assert {"dW1", "dW3"} <= set(names)
    assert "dW2" not in names


def test_a_loss_of_ones_own_is_taken_as_given():
    net, X, Y = task(2, "relu", "sigmoid")
    report = net.validate(X, Y, loss=lambda A, Y: np.mean((A - Y) ** 4))
    assert report
    assert "not checked, taken as given: the loss, and with it dA2" in report.notes


# ---- a wrong rule must make it fail ----------------------------------------------------------
WRONG = {
    "matmul's dA without the transpose's sign": (np.matmul, 1, lambda c: -c),
    "matmul's dW 0.1 % too large": (np.matmul, 0, lambda c: 1.001 * c),
    "add's db not quite summed": (np.add, 1, lambda c: c * (np.arange(c.shape[-1]) != 0)),
    "relu' = 1": (network.relu, 0, None),
    "the cost's factor 1/m missing": (
        losses.binary_cross_entropy_with_logits,
        0,
        lambda c: c * c.shape[-1],
    ),
    "sigmoid's derivative doubled, seen through another loss": (
        network.sigmoid,
        0,
        lambda c: 2 * c,
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_rule_makes_validation_fail(monkeypatch, mistake):
    fn, i, spoil = WRONG[mistake]
    rule = RULES[fn]
    right = rule.vjps[i]

    def wrong(g, out, *args, **kwargs):
        return spoil(right(g, out, *args, **kwargs)) if spoil else g

    monkeypatch.setattr(rule, "vjps", (*rule.vjps[:i], wrong, *rule.vjps[i + 1 :]))
    net, X, Y = task(3, "relu", "sigmoid")
    loss = nn.mean_squared_error if "another loss" in mistake else None
    report = net.validate(X, Y, loss=loss)
    assert not report
    assert "the first to differ" in report.diagnosis


def test_a_wrong_forward_function_makes_validation_fail(monkeypatch):
    monkeypatch.setattr(RULES[network.relu], "call", lambda z: np.maximum(z, 1e-3))
    net, X, Y = task(3, "relu", "sigmoid")
    assert next(row.name for row in net.validate(X, Y).failures) == "A1"


# ---- the witness itself ----------------------------------------------------------------------
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(
    ("output", "loss"),
    [
        ("sigmoid", "binary cross-entropy"),
        ("softmax", "cross-entropy"),
        ("identity", "squared error"),
        ("softmax", "squared error"),
        ("tanh", "squared error"),
    ],
)
def test_the_equations_agree_with_differences_of_the_cost(hidden, output, loss):
    rng = np.random.default_rng(1)
    n, m, g = [4, 5, 3, 3], 6, [hidden, hidden, output]
    P = {}
    for l in (1, 2, 3):
        P[f"W{l}"] = rng.standard_normal((n[l], n[l - 1]))
        P[f"b{l}"] = rng.standard_normal((n[l], 1))
    X = rng.standard_normal((4, m))
    Y = nn.one_hot(rng.integers(0, 3, m), 3)

    def J():
        return equations.cost(equations.network_forward(X, P, g)["A3"], Y, loss)

    cache = equations.network_forward(X, P, g)
    grads = equations.network_backward(cache, Y, P, g, loss)
    for name, p in P.items():
        direction, t = rng.standard_normal(p.shape), 1e-3
        slopes = []
        for step in (t, t / 2):
            p += step * direction
            ahead = J()
            p -= 2 * step * direction
            behind = J()
            p += step * direction
            slopes.append((ahead - behind) / (2 * step))
        numeric = (4 * slopes[1] - slopes[0]) / 3
        np.testing.assert_allclose(np.sum(grads[f"d{name}"] * direction), numeric, rtol=1e-7)


def test_equations_import_nothing_of_ours():
    tree = ast.parse(Path(equations.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [ast.unparse(node) for node in imports if "tinygrad" in ast.unparse(node)]
