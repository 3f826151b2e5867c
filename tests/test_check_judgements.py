"""Judgements at the limits: costs of steps, infinite slopes, both sides of a kink, dropout."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn
from tinygrad_dnn.report import CANNOT_TELL, RIGHT, WRONG

w = np.random.default_rng(0).standard_normal(6)
smooth = lambda w: np.mean(np.tanh(w) ** 2)
slope = lambda w: 2 * np.tanh(w) * (1 - np.tanh(w) ** 2) / w.size


COSTS = {
    "rounded": lambda w: np.round(smooth(w), 3),
    "rounded by Python": lambda w: round(float(smooth(w)), 3),
    "a count": lambda w: float(np.sum(w > 0.3)),
    "a share": lambda w: np.mean(w > 0.3),
}


class TestSteps:
    @pytest.mark.parametrize("cost", COSTS)
    def test_nothing_can_be_told_of_a_cost_of_steps(self, cost):
        report = tg.check_gradient(COSTS[cost], slope, w)
        assert report.verdict == CANNOT_TELL, report
        assert "f is piecewise constant at this scale: it is flat here and jumps by" in str(report)
        assert "the value is" in report.diagnosis

    def test_neither_along_directions(self):
        W = np.random.default_rng(1).standard_normal((60, 60))
        report = tg.check_gradient(COSTS["rounded"], slope, W)
        assert report.verdict == CANNOT_TELL, report
        assert "jumps by 0.001" in report.diagnosis

    def test_a_flat_function_is_not_a_step(self):
        dead = lambda w: np.mean(np.maximum(w - 5, 0))
        assert tg.check_gradient(dead, lambda w: 0 * w + 1e-3, w).verdict == WRONG
        assert tg.check_gradient(dead, lambda w: 0 * w, w).verdict == RIGHT
        unused = tg.check_gradient(lambda w: np.sum(w[:3] ** 2), lambda w: 2 * w, w)
        assert unused.verdict == WRONG

    def test_a_function_of_steps_has_slope_zero(self):
        assert tg.check_vjp(np.floor, lambda g, x: 0 * g, w).verdict == RIGHT
        assert tg.check_vjp(np.floor, lambda g, x: 1 * g, w).verdict == WRONG


class TestInfiniteSlopes:
    f = staticmethod(lambda x: np.sum(np.sqrt(x)))

    def at(self, n, *mistakes):
        x = np.random.default_rng(0).random(n) + 0.5
        x[0] = 0

        def gradient(x):
            d = 0.5 / np.sqrt(x)
            for i, value in mistakes:
                d[i] = value
            return d

        with np.errstate(all="ignore"):
            return tg.check_gradient(self.f, gradient, x, every_entry=False)

    @pytest.mark.parametrize("n", [5, 200, 5000])
    def test_they_hide_no_other_entry(self, n):
        assert self.at(n).verdict == RIGHT
        report = self.at(n, (3, 1.0))
        assert report.verdict == WRONG
        assert "wrong at [3]: the value is 1, numeric" in report.diagnosis

    @pytest.mark.parametrize("n", [5, 200, 5000])
    def test_they_are_named_where_they_are_not_claimed(self, n):
        report = self.at(n, (0, 7.0))
        assert report.verdict == WRONG
        assert "wrong at [0]: the slope is inf there; the value is 7" in report.diagnosis


def test_a_value_at_a_kink_must_be_right_on_both_sides_of_it():
    x = np.array([1.0, 0.3, -1.0, 2.0])
    for i in (0, 2):  # zero there and beside: a convention at the limit, a mistake within

        def forgotten(g, x, i=i):
            d = g * (abs(x) <= 1)
            d[i] = 0
            return d

        for seed in range(8):
            report = tg.check_vjp(lambda x: np.clip(x, -1, 1), forgotten, x, rng=seed)
            assert report.verdict == WRONG, report
    for inside in (0.0, 0.5, 1.0):
        vjp = lambda g, x, v=inside: g * np.where(abs(x) == 1, v, abs(x) < 1)
        assert tg.check_vjp(lambda x: np.clip(x, -1, 1), vjp, x)


KEEP = 0.7
X = np.random.default_rng(0).standard_normal((3, 6))
Y = np.array([[1, 0, 1, 1, 0, 0]])
P = {
    "W1": np.random.default_rng(1).standard_normal((4, 3)),
    "b1": 0.1 * np.random.default_rng(2).standard_normal((4, 1)),
    "W2": np.random.default_rng(3).standard_normal((1, 4)),
    "b2": np.zeros((1, 1)),
}


class TestDropout:
    """The course's code overwrites A1 and dA1 with what its mask leaves of them."""

    def forward(self, p, tap=lambda name, value: value):
        D1 = (np.random.default_rng(5).random((4, 6)) < KEEP) * 1.0
        Z1 = tap("Z1", p["W1"] @ X + p["b1"])
        A1 = np.maximum(Z1, 0)
        A1 = A1 * D1
        A1 = tap("A1", A1 / KEEP)
        Z2 = tap("Z2", p["W2"] @ A1 + p["b2"])
        return D1, Z1, A1, tap("A2", 1 / (1 + np.exp(-Z2)))

    def cost(self, p):
        A2 = self.forward(p, tg.tap)[-1]
        return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))

    def grads(self, p, *, in_place=False, kept=1.0, slope=True):
        D1, Z1, A1, A2 = self.forward(p)
        dZ2 = A2 - Y
        dA1 = p["W2"].T @ dZ2
        shown = {"dZ2": dZ2, "dW2": dZ2 @ A1.T / 6, "db2": dZ2.mean(axis=1, keepdims=True)}
        if in_place:
            shown["dA1"] = dA1
            dA1 *= D1 / KEEP
        else:
            dA1 = dA1 * D1
            dA1 = dA1 / (KEEP * kept)
            shown["dA1"] = dA1
        dZ1 = dA1 * (Z1 > 0) if slope else dA1
        db1 = dZ1.mean(axis=1, keepdims=True)
        return shown | {"dZ1": dZ1, "dW1": dZ1 @ X.T / 6, "db1": db1}

    @pytest.mark.parametrize("in_place", [False, True])
    def test_the_course_is_right(self, in_place):
        report = tg.check_backprop(self.cost, P, self.grads(P, in_place=in_place))
        assert report.verdict == RIGHT, report
        assert "dA1 is taken as the course has it: by A1 before its mask D1" in report.notes

    @pytest.mark.parametrize("tapped", [(), ("Z1",), ("Z1", "Z2"), ("A1",)])
    def test_the_course_is_right_whatever_is_tapped(self, tapped):
        def cost(p):
            A2 = self.forward(p, lambda n, value: tg.tap(n, value) if n in tapped else value)[-1]
            return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))

        D1 = self.forward(P)[0]
        report = tg.check_backprop(cost, P, self.grads(P), X=X, Y=Y, D1=D1, keep_prob=KEEP)
        assert report.verdict == RIGHT, report
        report = tg.check_backprop(
            cost, P, self.grads(P, kept=0.5), X=X, Y=Y, D1=D1, keep_prob=KEEP
        )
        assert "dW1" in [row.name for row in report.failures], report

    def test_mistakes_are_found_in_it(self):
        report = tg.check_backprop(self.cost, P, self.grads(P, kept=0.5))
        notes = {row.name: row.note for row in report.rows}
        assert report.verdict == WRONG
        assert notes["dA1"].startswith("the factor 2 too much"), report
        assert notes["dZ1"].startswith("follows from dA1: dZ1 = dA1 * relu'(Z1) itself is right")
        report = tg.check_backprop(self.cost, P, self.grads(P, slope=False))
        notes = {row.name: row.note for row in report.rows}
        assert notes["dA1"] == ""
        assert notes["dZ1"].startswith("the factor relu' = [Z1 > 0] is missing; right is dZ1 = dA1")

    def test_in_a_network_of_ours(self):
        net = nn.Sequential(
            nn.Linear(3, 4, rng=np.random.default_rng(0)),
            nn.ReLU(),
            nn.Dropout(0.4, rng=np.random.default_rng(1)),
            nn.Linear(4, 1, rng=np.random.default_rng(2)),
            nn.Sigmoid(),
        )

        def grads(outputs):
            X, Z1, A1, dropped, _, A2 = outputs
            D = np.divide(dropped, A1, out=np.zeros_like(A1), where=A1 != 0)
            dZ2 = A2 - Y
            dA1 = net.layers[3].W.data.T @ dZ2 * D
            dZ1 = dA1 * (Z1 > 0)
            return {
                "dW2": dZ2 @ dropped.T / 6,
                "db2": dZ2.mean(axis=1, keepdims=True),
                "dA1": dA1,
                "dW1": dZ1 @ X.T / 6,
                "db1": dZ1.mean(axis=1, keepdims=True),
            }

        report = tg.check_network(net, grads, X, Y)
        alive = [row.verdict for row in report.rows if row.name != "dA1"]
        assert set(alive) == {RIGHT}, report
        assert any("dA1 is taken as the course has it" in note for note in report.notes)
