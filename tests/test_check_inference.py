"""What a network is, found out from its cost alone."""

import numpy as np
import pytest

from tests.students import squash
from tinygrad_dnn.checking.diagnosis.forward import Elementwise, Softmax
from tinygrad_dnn.checking.diagnosis.inference import infer

LOSSES = {
    "sigmoid": lambda A, Y: -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)),
    "tanh": lambda A, Y: np.sum((A - Y) ** 2),
    "linear": lambda A, Y: np.sum(np.maximum(0, 1 - Y * A)),
}
OF_LINEAR = {
    "logistic": lambda A, Y: np.mean(np.log(1 + np.exp(-Y * A))),
    "absolute": lambda A, Y: np.sum(np.absolute(A - Y)),
    "squared": lambda A, Y: np.mean((A - Y) ** 2) / 2,
}


def network(g, seed, *, shared=False, lam=0.0, width=4, skip=None):
    """Return a cost of layers with these activations, its parameters, X and Y."""
    rng = np.random.default_rng(seed)
    L, m = len(g), 9
    X, Y = rng.standard_normal((3, m)), np.where(rng.random((2, m)) < 0.5, 1.0, 0.0)
    if g[-1] == "linear":
        Y = 2 * Y - 1
    n = [3, *[width] * (L - 1), 2]
    p = {f"W{l}": rng.standard_normal((n[l], n[l - 1])) for l in range(1, L + 1)}
    if shared:
        del p["W3"]
    p |= {f"b{l}": rng.standard_normal((n[l], 1)) for l in range(1, L + 1)}

    def cost(p):
        A = X
        for l in range(1, L + 1):
            W = p["W2"] if shared and l == 3 else p[f"W{l}"]
            before = A
            A = squash(g[l - 1], W @ A + p[f"b{l}"] + (A if (l, "before") == skip else 0))
            A = A + before if (l, "after") == skip else A
        return LOSSES[g[-1]](A, Y) / m + lam * sum(np.sum(p[k] ** 2) for k in p if k[0] == "W")

    return cost, p, {"X": X, "Y": Y}


def activations(forward):
    return [
        {"leaky_relu": "leaky", "identity": "linear"}.get(step.g, step.g)
        for step in forward.steps
        if isinstance(step, Elementwise)
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lam", [0.0, 0.03])
@pytest.mark.parametrize(
    "g",
    [
        ("linear",),
        ("tanh",),
        ("leaky", "linear"),
        ("relu", "leaky", "tanh", "sigmoid", "sigmoid"),
        ("tanh", "sigmoid", "relu", "linear"),
        ("leaky", "relu", "leaky", "tanh"),
    ],
    ids=str,
)
def test_activations_and_loss_are_found(g, lam, seed):
    cost, p, context = network(g, seed, lam=lam)
    found = infer(cost, p, context)
    assert activations(found.forward) == list(g)
    k = np.unravel_index(np.argmax(np.absolute(found.derivative)), found.derivative.shape)
    b = f"b{len(g)}"  # db is the sum of dA g': compare it with a difference quotient
    slope = next(s for s in found.forward.steps[::-1] if isinstance(s, Elementwise))
    dZ = found.derivative * slope.prime(found.forward.values[slope.z])
    step = np.zeros_like(p[b])
    step[k[0]] = 1e-6
    numeric = (cost({**p, b: p[b] + step}) - cost({**p, b: p[b] - step})) / 2e-6
    assert np.sum(dZ, axis=1)[k[0]] == pytest.approx(numeric, rel=1e-5)


@pytest.mark.parametrize("g", [("tanh", "leaky", "relu", "sigmoid"), ("relu",) * 3 + ("linear",)])
def test_a_weight_used_twice_is_found(g):
    cost, p, context = network(g, 0, shared=True)
    found = infer(cost, p, context).forward
    assert activations(found) == list(g)
    assert [step.products[0][0] for step in found.steps if not isinstance(step, Elementwise)] == [
        "W1",
        "W2",
        "W2",
        "W4",
    ]


def test_without_biases():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((4, 8)), np.eye(3)[:, rng.integers(0, 3, 8)]
    p = {"W1": rng.standard_normal((5, 4)), "W2": rng.standard_normal((3, 5))}

    def cost(p):
        e = np.exp(p["W2"] @ np.tanh(p["W1"] @ X))
        return -np.mean(np.sum(Y * np.log(e / e.sum(axis=0)), axis=0))

    steps = infer(cost, p, {"X": X, "Y": Y}).forward.steps
    assert steps[1].g == "tanh"
    assert isinstance(steps[-1], Softmax)


def test_what_is_no_such_network_is_not_found():
    cost, p, context = network(("tanh", "sigmoid"), 0)
    assert infer(lambda p: cost(p) ** 2, p, context) is None
    assert infer(lambda p: cost(p) + 1e-3 * np.sum(np.sin(p["W1"])), p, context) is None


@pytest.mark.parametrize("loss", OF_LINEAR)
def test_losses_of_a_linear_output_are_found(loss):
    _, p, context = network(("tanh", "linear"), 0)
    X, Y = context["X"], context["Y"]

    def cost(p):
        return OF_LINEAR[loss](p["W2"] @ np.tanh(p["W1"] @ X + p["b1"]) + p["b2"], Y)

    found = infer(cost, p, context)
    assert activations(found.forward) == ["tanh", "linear"]
    step = np.array([[1e-6], [0.0]])
    numeric = (cost({**p, "b2": p["b2"] + step}) - cost({**p, "b2": p["b2"] - step})) / 2e-6
    assert found.derivative[0].sum() == pytest.approx(numeric, rel=1e-5)


@pytest.mark.parametrize("g", [("relu", "tanh", "leaky", "linear"), ("sigmoid",) * 3 + ("tanh",)])
@pytest.mark.parametrize("skip", [(2, "after"), (3, "after"), (2, "before"), (3, "before")])
def test_skip_connections_are_found(g, skip):
    cost, p, context = network(g, 0, skip=skip)
    found = infer(cost, p, context).forward
    assert activations(found) == list(g)
    sums = [
        s for s in found.steps if (getattr(s, "skip", None) or len(getattr(s, "addends", ())) > 1)
    ]
    assert [s.out for s in sums] == [f"{'A' if skip[1] == 'after' else 'Z'}{skip[0]}"]
