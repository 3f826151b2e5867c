"""Gradients by hand of networks whose kinks are closer than real differences can see, or here."""

import numpy as np
import pytest

import tinygrad_dnn as tg

STRICT, LAX = (lambda Z: Z > 0), (lambda Z: Z >= 0)


class Net:
    """A chain of relu or leaky units with the mean of squares, and its backprop."""

    def __init__(self, seed, dims, m, scale, leak=0.0, slope=STRICT):
        rng = np.random.default_rng(seed)
        self.leak, self.slope, self.L = leak, slope, len(dims) - 1
        self.X, self.Y = rng.standard_normal((dims[0], m)), rng.standard_normal((dims[-1], m))
        self.p = {}
        for l, (n, fan_in) in enumerate(zip(dims[1:], dims, strict=False), 1):
            self.p[f"W{l}"] = scale * rng.standard_normal((n, fan_in))
            self.p[f"b{l}"] = np.zeros((n, 1))

    def forward(self, p):
        outputs = [self.X]
        for l in range(1, self.L + 1):
            Z = p[f"W{l}"] @ outputs[-1] + p[f"b{l}"]
            outputs += [Z, np.maximum(Z, self.leak * Z) if l < self.L else Z]
        return outputs

    def cost(self, p):
        return np.mean((self.forward(p)[-1] - self.Y) ** 2)

    def backward(self):
        outputs, grads = self.forward(self.p), {}
        dZ = 2 * (outputs[-1] - self.Y) / self.Y.size
        for l in range(self.L, 0, -1):
            grads[f"dW{l}"] = dZ @ outputs[2 * l - 2].T
            grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True)
            if l > 1:
                on = self.slope(outputs[2 * l - 3])
                dZ = self.p[f"W{l}"].T @ dZ * (on + self.leak * ~on)
        return grads

    def failures(self, **other):
        """Return the verdicts that are neither right nor a kink, with other gradients in place."""
        report = tg.check_backprop(self.cost, self.p, {**self.backward(), **other})
        return {row.name: row.verdict for row in report.failures}


def small(seed):
    """Return a deep network as it is initialised: small weights, biases of zero."""
    rng = np.random.default_rng([seed, 5])
    dims = [int(n) for n in rng.integers(2, 6, 4 + seed % 3)] + [1]
    return Net(seed, dims, int(rng.choice([5, 30, 200])), 0.01, [0, 0.1][seed % 2])


@pytest.mark.parametrize("seed", range(10))
def test_small_weights_and_no_biases(seed):
    net = small(seed)
    assert net.failures() == {}
    db = net.backward()["db2"]
    factor = 1.5 if net.leak else 1000  # dead relus are at their kinks: more may be a convention
    assert net.failures(db2=factor * db) == ({"db2": "wrong"} if db.any() else {})


@pytest.mark.parametrize("seed", range(10))
def test_an_example_so_small_that_all_its_units_are_next_to_their_kinks(seed):
    net = Net(seed, [4, 5, 4, 2][: 3 + seed % 2], 6, 0.5)
    net.X[:, 0] *= 10.0 ** (-7 - seed % 8)
    assert net.failures() == {}
    db = net.backward()["db1"]
    assert net.failures(db1=db * 1.01) == {"db1": "wrong"}


@pytest.mark.parametrize("seed", range(20))
def test_two_layers_exactly_at_their_kinks(seed):
    net = Net(seed, [3, 4, 3, 2], 5, 0.7, slope=[STRICT, LAX][seed % 2])
    net.X[:, 0] = 0.0
    assert net.failures() == {}


def test_what_loses_the_imaginary_part_is_no_complex_step_next_to_kinks_either():
    net = Net(0, [4, 5, 4, 1], 30, 0.01)
    penalised = lambda p: net.cost(p) + 0.1 * np.sum(np.abs(p["b3"] + 1))
    report = tg.check_backprop(penalised, net.p, net.backward())
    assert [row.name for row in report.failures] == ["db3"]
    right = {**net.backward(), "db3": net.backward()["db3"] + 0.1}
    assert "wrong" not in {row.verdict for row in tg.check_backprop(penalised, net.p, right).rows}
