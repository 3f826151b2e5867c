"""Right backpropagation is never called wrong, wrong never right: kinks, float(J), float32, m."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn.report import KINK, RIGHT

M = 6


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


class Net:
    """relu layers and a sigmoid with cross-entropy, numerically stable; ``at`` is relu'(0)."""

    def __init__(self, seed, dims=(3, 4, 3, 1), scale=1.0, at=0.0, single=False, per_example=True):
        rng = np.random.default_rng(seed)
        self.L, self.at, self.single, self.per_example = len(dims) - 1, at, single, per_example
        self.X = rng.standard_normal((dims[0], M))
        self.Y = (rng.random((dims[-1], M)) < 0.5) * 1.0
        self.p = {}
        for l, (n, fan_in) in enumerate(zip(dims[1:], dims, strict=False), 1):
            self.p[f"W{l}"] = scale * rng.standard_normal((n, fan_in))
            self.p[f"b{l}"] = np.zeros((n, 1))

    def forward(self, p, tap=lambda name, value: value):
        outputs = [self.X]
        for l in range(1, self.L + 1):
            Z = p[f"W{l}"] @ outputs[-1] + p[f"b{l}"]
            Z = tap(f"Z{l}", Z.astype(np.float32) if self.single else Z)
            outputs += [Z, tap(f"A{l}", np.maximum(0, Z) if l < self.L else sigmoid(Z))]
        return outputs

    def cost(self, p):
        Z = self.forward(p, tg.tap)[-2]
        return float(np.mean(np.maximum(Z, 0) - Z * self.Y + np.log1p(np.exp(-np.abs(Z)))))

    def grads(self, p=None):
        p = p or self.p
        outputs, found, m = self.forward(p), {}, M if self.per_example else 1
        dZ = (outputs[-1] - self.Y) * (1 if self.per_example else 1 / M)
        for l in range(self.L, 0, -1):
            found[f"dZ{l}"] = dZ
            found[f"dW{l}"] = dZ @ outputs[2 * l - 2].T / m
            found[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
            if l > 1:
                found[f"dA{l - 1}"] = dA = p[f"W{l}"].T @ dZ
                Z = outputs[2 * l - 3]
                dZ = dA * np.where(Z == 0, self.at, Z > 0)
        return found

    def parameters(self):
        return {name: d for name, d in self.grads().items() if name[1] in "Wb"}

    def check(self, **other):
        return tg.check_backprop(self.cost, self.p, {**self.grads(), **other})


@pytest.mark.parametrize("per_example", [True, False])
@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_float_of_a_stable_cost_is_as_exact_as_any(scale, single, per_example):
    net = Net(1, scale=scale, single=single, per_example=per_example)
    report = net.check()
    assert report, report
    db = net.grads()["db1"]
    off = 1.01 if single else 1 + 1e-6
    assert [row.name for row in net.check(db1=off * db).failures] == ["db1"]


def test_deep_layers_of_small_weights_are_seen():
    net = Net(2, (2, 3, 3, 3, 3, 3, 1), 0.01)
    assert net.check()
    dW = net.grads()["dW1"]
    assert np.max(np.absolute(dW)) < 1e-8
    assert [row.name for row in net.check(dW1=1.01 * dW).failures] == ["dW1"]


def test_below_the_rounding_of_the_cost_what_is_wrong_is_not_right():
    net = Net(0, (2, 3, 3, 3, 3, 3, 3, 3, 3, 1), 0.01)
    report = net.check()
    assert report, report
    dW = net.grads()["dW1"]
    assert 0 < np.max(np.absolute(dW)) < 1e-15
    assert not net.check(dW1=2 * dW)


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("empty", ["weights", "examples", "layer"])
def test_every_convention_at_kinks_is_right_in_deep_networks(at, empty):
    net = Net(3, (3, 4, 3, 4, 3, 1), at=at)
    net.X[:, ::2] *= empty != "examples"
    for name in net.p:
        net.p[name] *= 0.0 if empty == "weights" or (empty == "layer" and name == "W2") else 1.0
    assert net.check().verdict in (RIGHT, KINK), net.check()


@pytest.mark.parametrize("at", [0.0, 1.0])
def test_wrong_values_are_no_convention(at):
    net = Net(8, (3, 4, 3, 1), at=at)
    net.X[:, ::2] = 0.0
    db = net.grads()["db2"]
    for wrong in (db / M, db * 1.0001, db + 0.1 * np.max(np.absolute(db))):
        assert [row.name for row in net.check(db2=wrong).failures] == ["db2"]


def test_a_dead_unit_has_no_gradient():
    net = Net(5)
    net.p["b1"][1] = -50.0
    assert net.check()
    db = net.grads()["db1"]
    db[1] = 0.5 * np.max(db)
    assert [row.name for row in net.check(db1=db).failures] == ["db1"]


def test_the_convention_for_m_is_what_makes_the_fewest_wrong():
    net = Net(6, (3, 4, 4, 4, 1))
    right = net.grads()
    report = net.check(dZ1=right["dZ1"] / M, dA3=2 * right["dA3"])
    assert {row.name for row in report.failures} == {"dZ1", "dA3"}
    assert any(note.startswith("convention: dZ and dA per example") for note in report.notes)


def test_a_norm_or_an_absolute_value_is_no_obstacle():
    net = Net(7)
    penalised = lambda p: (
        net.cost(p) + 0.1 * np.linalg.norm(p["W1"]) ** 2 + np.abs(p["b1"] + 2).sum()
    )
    right = net.grads()
    right |= {"dW1": right["dW1"] + 0.2 * net.p["W1"], "db1": right["db1"] + 1}
    report = tg.check_backprop(penalised, net.p, right)
    assert report, report
    assert float(report.rows[-1].details["judged by"]) < 1e-7


def test_what_log_of_one_minus_A_loses_is_not_held_against_its_gradient():
    X, Y = np.array([[36.0, 1.0, -2.0]]), np.array([[0.0, 1.0, 0.0]])
    p = {"W1": np.array([[1.02]]), "b1": np.array([[0.0]])}

    def cost(p):
        A = sigmoid(p["W1"] @ X + p["b1"])
        return float(-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A)))

    dZ = sigmoid(p["W1"] @ X) - Y
    report = tg.check_backprop(
        cost, p, {"dW1": dZ @ X.T / 3, "db1": dZ.mean(axis=1, keepdims=True)}
    )
    assert "wrong" not in {row.verdict for row in report.rows}, report


@pytest.mark.parametrize("seed", range(6))
def test_small_weights_do_not_hide_what_an_activation_is(seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((2, 30)), (rng.random((1, 30)) < 0.5) * 1.0
    p = {"W1": 0.01 * rng.standard_normal((2, 2)), "b1": np.zeros((2, 1))}
    p |= {"W2": 0.01 * rng.standard_normal((1, 2)), "b2": np.zeros((1, 1))}

    def forward(p):
        Z1 = p["W1"] @ X + p["b1"]
        A1 = np.maximum(Z1, 0.01 * Z1)
        return Z1, A1, sigmoid(p["W2"] @ A1 + p["b2"])

    def cost(p):
        A2 = forward(p)[-1]
        return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))

    Z1, A1, A2 = forward(p)
    dZ2 = A2 - Y
    dZ1 = p["W2"].T @ dZ2 * np.where(Z1 > 0, 1, 0.01)
    grads = {"dZ2": dZ2, "dW2": dZ2 @ A1.T / 30, "db2": dZ2.mean(axis=1, keepdims=True)}
    grads |= {"dZ1": dZ1, "dW1": dZ1 @ X.T / 30, "db1": dZ1.mean(axis=1, keepdims=True)}
    assert tg.check_backprop(cost, p, grads), tg.check_backprop(cost, p, grads)
