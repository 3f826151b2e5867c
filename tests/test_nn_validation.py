"""Validation of networks that are more than Linear and activation."""

import numpy as np
import pytest

from tinygrad_dnn import nn
from tinygrad_dnn.primitives import RULES
from tinygrad_dnn.rules import network


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def names(report):
    return {row.name for row in report.rows}


def dropped(rng, where="hidden"):
    layers = [
        nn.Linear(4, 6, rng=rng),
        nn.ReLU(),
        nn.Dropout(0.4, rng=rng),
        nn.Linear(6, 5, rng=rng),
    ]
    layers += [nn.Dropout(0.3, rng=rng), nn.Linear(5, 1, rng=rng), nn.Sigmoid()]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_on_and_off(rng, training):
    net = dropped(rng).train() if training else dropped(rng).eval()
    report = net.validate(rng.normal(size=(4, 9)), rng.integers(0, 2, (1, 9)))
    assert report, str(report)
    assert {"dW1", "dA1", "dW2", "dZ2", "dW3", "dA0"} <= names(report)
    assert not [note for note in report.notes if "not checked" in note]


def test_a_wrong_derivative_before_dropout_is_found(rng, monkeypatch):
    rule = RULES[network.relu]
    monkeypatch.setattr(rule, "vjps", (lambda g, out, z: 1.001 * g * (z > 0),))
    report = dropped(rng).validate(rng.normal(size=(4, 9)), rng.integers(0, 2, (1, 9)))
    assert "dZ1" in {row.name for row in report.failures}


def test_dropout_of_the_output_is_taken_as_given(rng):
    net = nn.Sequential(
        nn.Linear(4, 5, rng=rng), nn.ReLU(), nn.Linear(5, 3, rng=rng), nn.Dropout(0.5, rng=rng)
    )
    report = net.validate(rng.normal(size=(4, 9)), rng.normal(size=(3, 9)))
    assert report, str(report)
    assert "not checked, taken as given: layer 2" in report.notes


@pytest.mark.parametrize("slope", [0.01, 0.2, 0.0, 1.5, -0.5])
def test_leaky_relu_of_any_slope(rng, slope):
    net = nn.Sequential(
        nn.Linear(4, 6, rng=rng), nn.LeakyReLU(slope), nn.Linear(6, 1, rng=rng), nn.LeakyReLU(slope)
    )
    report = net.validate(rng.normal(size=(4, 9)), rng.normal(size=(1, 9)))
    assert report, str(report)
    assert {"dW1", "dZ1", "dZ2"} <= names(report)


def test_the_dense_layers_of_a_convolutional_network(rng):
    net = nn.Sequential(
        nn.Unflatten((1, 6, 6)),
        nn.Conv2d(1, 3, 3, rng=rng), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(12, 5, rng=rng), nn.Tanh(), nn.Dropout(0.2, rng=rng),
        nn.Linear(5, 3, rng=rng), nn.Softmax(),
    )  # fmt: skip
    X, Y = rng.normal(size=(36, 7)), rng.integers(0, 3, 7)
    before = {name: b.data.copy() for name, b in net.buffers().items()}
    report = net.validate(X, Y)
    assert report, str(report)
    assert "not checked, taken as given: layer 1, 2" in report.notes
    assert {"dW3", "dA3", "dW4", "dA2"} <= names(report)
    assert not {"W1", "W2"} & names(report)
    for name, b in net.buffers().items():
        np.testing.assert_array_equal(b.data, before[name])


def test_what_comes_before_layer_1_is_taken_as_given(rng):
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 3, rng=rng), nn.Sigmoid())
    report = net.validate(rng.normal(size=(5, 3, 2, 2)), rng.random((3, 5)))
    assert report, str(report)
    assert {"Z1", "dW1", "dA0"} <= names(report)
    assert "A0 is what comes before layer 1 makes of X: (12, 5)" in report.notes


def test_whole_numbers_as_input_have_no_derivative(rng):
    words = nn.Sequential(nn.Embedding(9, 4, rng=rng), nn.Linear(4, 2, rng=rng), nn.Softmax())
    report = words.validate(rng.integers(0, 9, 6), rng.integers(0, 2, 6))
    assert report, str(report)
    assert {"dW2", "dA1"} <= names(report)
    counts = nn.Sequential(nn.Linear(4, 2, rng=rng), nn.Softmax())
    report = counts.validate(rng.integers(0, 9, (4, 6)), rng.integers(0, 2, 6))
    assert report, str(report)
    assert "dA0" not in names(report)
    assert "dW1" in names(report)


def test_a_sequence_before_dense_layers(rng):
    net = nn.Sequential(nn.GRU(3, 4, rng=rng), nn.Linear(4, 2, rng=rng), nn.Softmax())
    report = net.validate(rng.normal(size=(5, 3, 6)), rng.integers(0, 2, 6))
    assert report, str(report)
    assert {"dW2", "dZ2", "dA1"} <= names(report)


def test_a_graph_recorded_before_can_still_be_walked(rng):
    net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 1, rng=rng), nn.Sigmoid())
    X, Y = rng.normal(size=(4, 6)), rng.integers(0, 2, (1, 6))
    J = nn.binary_cross_entropy(net.eval()(X), Y)
    assert net.train().validate(X, Y)
    J.backward()
    assert isinstance(net.parameters()["gamma1"].grad, np.ndarray)


def test_activations_that_the_equations_do_not_know_are_named(rng):
    net = nn.Sequential.from_layer_dims([4, 3, 2, 1], hidden="gelu", rng=rng)
    assert repr(net.layers[1]) == "GELU('tanh')"
    report = net.validate(rng.normal(size=(4, 5)), rng.integers(0, 2, (1, 5)))
    assert report, str(report)
    assert "not checked, taken as given: layer 1, 2" in report.notes
    assert {"dW3", "dA2"} <= names(report)
