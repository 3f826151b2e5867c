"""Gradients by hand computed with numbers of float32, also where NumPy took them to float64."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn

SLOPE = 0.1


def network(seed, m=20, dims=(4, 5, 4, 1)):
    """Return parameters, X and Y of a network with leaky units, in float32."""
    rng = np.random.default_rng(seed)
    p = {}
    for l, (n, fan_in) in enumerate(zip(dims[1:], dims, strict=False), 1):
        p[f"W{l}"] = rng.standard_normal((n, fan_in)).astype(np.float32) / np.sqrt(fan_in)
        p[f"b{l}"] = 0.3 * rng.standard_normal((n, 1)).astype(np.float32)
    X, Y = (rng.standard_normal((n, m)).astype(np.float32) for n in (dims[0], dims[-1]))
    return {name: x.astype(np.float32) for name, x in p.items()}, X, Y


def forward(p, X):
    outputs = [X]
    for l in range(1, len(p) // 2 + 1):
        Z = p[f"W{l}"] @ outputs[-1] + p[f"b{l}"]
        outputs += [Z, np.where(Z > 0, Z, SLOPE * Z) if f"W{l + 1}" in p else Z]
    return outputs


def backward(p, outputs, Y):
    """Return gradients of the mean of (A - Y)**2; the slope of leaky makes float64 of them."""
    m, grads = np.float32(Y.shape[1]), {}
    dZ = 2 * (outputs[-1] - Y)
    for l in range(len(p) // 2, 0, -1):
        grads[f"dW{l}"] = dZ @ outputs[2 * l - 2].T / m
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            grads[f"dA{l - 1}"] = dA = p[f"W{l}"].T @ dZ
            grads[f"dZ{l - 1}"] = dZ = dA * np.where(outputs[2 * l - 3] > 0, 1, SLOPE)
    return grads


@pytest.mark.parametrize("seed", range(12))
def test_what_numpy_takes_to_float64_still_carries_the_rounding_of_float32(seed):
    p, X, Y = network(seed)
    grads = backward(p, forward(p, X), Y)
    assert grads["dW3"].dtype == np.float32
    assert grads["dW1"].dtype == np.float64
    cost = lambda p: np.mean((forward(p, X)[-1] - Y) ** 2)
    report = tg.check_backprop(cost, p, grads)
    assert report, report
    off = {**grads, "dW1": grads["dW1"] * 1.001}
    assert [row.name for row in tg.check_backprop(cost, p, off).failures] == ["dW1"]


def engine(p):
    """Return the network of these parameters."""
    steps = []
    for l in range(1, len(p) // 2 + 1):
        n, fan_in = p[f"W{l}"].shape
        steps += [nn.Linear(fan_in, n, rng=np.random.default_rng(0)), nn.LeakyReLU(SLOPE)]
    net = nn.Sequential(*steps[:-1])
    for name, x in net.parameters().items():
        x.data = p[name]
    return net


@pytest.mark.parametrize("seed", range(12))
def test_the_engine_judges_them_as_such_too(seed):
    p, X, Y = network(seed)
    grads = backward(p, forward(p, X), Y)
    report = tg.check_network(engine(p), grads, X, Y, loss=nn.mean_squared_error)
    assert report, report


def test_wrong_gradients_of_a_network_are_told_by_their_numbers_where_no_cause_is():
    p, X, Y = network(0)
    X, Y = X.astype(float) / np.pi, Y.astype(float) / np.pi
    p = {name: x.astype(float) / np.pi for name, x in p.items()}
    grads = backward(p, forward(p, X), Y)
    grads["db1"] = grads["db1"] * (1 + 3e-7)
    report = tg.check_network(engine(p), grads, X, Y, loss=nn.mean_squared_error)
    assert [row.name for row in report.failures] == ["db1"]
    assert "db1: wrong at [" in report.diagnosis
    assert " more: the value is " in report.diagnosis
