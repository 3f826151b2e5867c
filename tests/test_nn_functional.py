"""Models as functions of their parameters: against their own gradients, and PyTorch's."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn
from tinygrad_dnn.errors import DimensionError, StructureError
from tinygrad_dnn.func import ggnvp, grad, hessian, hvp, jacobian, per_example_grad, value_and_grad

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape)


def images():
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, rng=rng), nn.BatchNorm2d(3), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(12, 4, rng=rng),
    )  # fmt: skip


X, LABELS = normal(5, 2, 4, 4), np.array([0, 1, 2, 3, 1])


def data(net):
    return {name: W.data.copy() for name, W in net.parameters().items()}


def cost_of(net):
    return lambda p, X, Y: nn.cross_entropy_with_logits(nn.functional_call(net, p, X), Y)


def test_the_gradient_is_that_of_the_model_itself():
    net = images()
    J = nn.cross_entropy_with_logits(net(X), LABELS)
    J.backward()
    value, gradients = value_and_grad(cost_of(net))(data(net), X, LABELS)
    assert value == J.data
    for name, W in net.parameters().items():
        np.testing.assert_array_equal(gradients[name], W.grad)


def test_the_model_is_afterwards_what_it_was():
    net = images()
    nodes = {name: T.node for name, T in {**net.parameters(), **net.buffers()}.items()}
    given = {"W3": np.zeros((4, 12)), "mean2": np.zeros((3, 1, 1)), "variance2": np.ones((3, 1, 1))}
    Z = nn.functional_call(net, given, X)
    assert (Z.data == 0).all()
    assert isinstance(Z, tg.Tensor)
    with pytest.raises(DimensionError, match="needs"):
        nn.functional_call(net, given, normal(5, 3, 4, 4))
    for name, T in {**net.parameters(), **net.buffers()}.items():
        assert T.node is nodes[name]
    assert (net.buffers()["mean2"].data == 0).all()
    net(X)
    assert not (net.buffers()["mean2"].data == 0).any()


def test_any_model_is_called_with_what_it_takes():
    model = {"scale": tg.Tensor(2.0, name="scale"), "rest": [tg.Tensor([1.0, 2.0])]}

    class Model:
        def __init__(self):
            self.parts = model

        def __call__(self, x, *, power):
            return self.parts["scale"] * x**power + self.parts["rest"][0]

    given = {"parts.scale": tg.Tensor(5.0), "parts.rest.0": np.zeros(2)}
    y = nn.functional_call(Model(), given, np.array([1.0, 2.0]), power=2)
    assert y.data.tolist() == [5, 20]
    assert tg.grad(np.sum(y), given["parts.scale"]) == 5


def test_what_does_not_fit_is_refused():
    net = nn.Sequential(nn.Linear(2, 1, rng=rng))
    with pytest.raises(StructureError, match=r"the model has no W7, w1; it has W1, b1"):
        nn.functional_call(net, {"W7": 0, "w1": 0, "b1": 0}, np.ones((2, 3)))
    with pytest.raises(DimensionError, match=r"W1 is \(2, 1\), but the model's is \(1, 2\)"):
        nn.functional_call(net, {"W1": np.ones((2, 1))}, np.ones((2, 3)))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_second_derivatives_of_recurrent_networks(kind):
    net = nn.Sequential(getattr(nn, kind)(3, 4, rng=rng), nn.LayerNorm(4), nn.Linear(4, 2, rng=rng))
    S, Y, p = normal(6, 3, 5), np.array([0, 1, 1, 0, 1]), data(net)
    v = {name: normal(*W.shape) for name, W in p.items()}
    cost = lambda p: cost_of(net)(p, S, Y)
    H_v = hvp(cost, (p,), v)
    moved = lambda h: {name: W + h * v[name] for name, W in p.items()}
    for name, column in H_v.items():
        slopes = [(grad(cost)(moved(h))[name] - grad(cost)(moved(-h))[name]) / (2 * h)
                  for h in (2e-4, 1e-4)]  # fmt: skip
        np.testing.assert_allclose(column, (4 * slopes[1] - slopes[0]) / 3, rtol=1e-6, atol=1e-9)
    f, of_result = (lambda p: nn.functional_call(net, p, S)), nn.cross_entropy_with_logits
    G_v = ggnvp(f, lambda Z: of_result(Z, Y), (p,), v)
    w = {name: normal(*W.shape) for name, W in p.items()}
    G_w = ggnvp(f, lambda Z: of_result(Z, Y), (p,), w)
    dot = lambda a, b: sum(np.sum(a[name] * b[name]) for name in a)
    np.testing.assert_allclose(dot(w, G_v), dot(v, G_w), rtol=1e-9)  # symmetric
    assert dot(v, G_v) > 0


def test_examples_apart_where_their_axes_differ():
    net = images().eval()
    one_hot = nn.one_hot(LABELS, 4)
    found = per_example_grad(cost_of(net), axis=(0, -1))(data(net), X, one_hot)
    again = per_example_grad(cost_of(net), axis=0)(data(net), X, LABELS)
    whole = grad(cost_of(net))(data(net), X, LABELS)
    for name, dW in found.items():
        np.testing.assert_allclose(dW, again[name], rtol=1e-12)
        np.testing.assert_allclose(dW.mean(axis=0), whole[name], rtol=1e-9, atol=1e-12)
    with pytest.raises(DimensionError, match=r"axis=\(0,\) for 2 arguments that hold examples"):
        per_example_grad(cost_of(net), axis=(0,))(data(net), X, one_hot)


# ---- against PyTorch -------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.func itself
def test_transformations_of_a_network_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    F, tf = torch.nn.functional, torch.func
    net = images()
    p = data(net)
    v = {name: normal(*W.shape) for name, W in p.items()}
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.BatchNorm2d(3), torch.nn.Tanh(),
        torch.nn.AvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(12, 4),
    ).double()  # fmt: skip
    shapes = {name: W.shape for name, W in theirs.named_parameters()}
    names = dict(zip(shapes, p, strict=True))
    buffers = dict(theirs.named_buffers())
    x, y = torch.tensor(X), torch.tensor(LABELS)

    def turned(ours):
        return {k: torch.tensor(ours[n].reshape(shapes[k])) for k, n in names.items()}

    def result(q):
        kept = {k: b.clone() for k, b in buffers.items()}
        return tf.functional_call(theirs, (q, kept), (x,))

    def agree(ours, others):
        for k, n in names.items():
            if n != "b1":  # batch norm takes it away: only rounding is left
                a, b = ours[n].reshape(shapes[k]), others[k].numpy()
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)

    of_logits = lambda z: F.cross_entropy(z, y)
    cost = lambda p: cost_of(net)(p, X, LABELS)
    q, w = turned(p), turned(v)
    agree(grad(cost)(p), tf.grad(lambda q: of_logits(result(q)))(q))
    H_w = tf.jvp(tf.grad(lambda q: of_logits(result(q))), (q,), (w,))[1]
    agree(hvp(cost, (p,), v), H_w)
    z, dz = tf.jvp(result, (q,), (w,))
    G_w = tf.vjp(result, q)[1](tf.jvp(tf.grad(of_logits), (z,), (dz,))[1])[0]
    f = lambda p: nn.functional_call(net, p, X)
    agree(ggnvp(f, lambda Z: nn.cross_entropy_with_logits(Z, LABELS), (p,), v), G_w)
    J, wanted = jacobian(f)(p), tf.jacrev(result)(q)
    for k, n in names.items():
        if n != "b1":
            mine = np.swapaxes(J[n], 0, 1).reshape(wanted[k].shape)
            np.testing.assert_allclose(mine, wanted[k].numpy(), rtol=1e-9, atol=1e-12)
    H = hessian(lambda b: cost(p | {"b3": b}))(p["b3"]).reshape(4, 4)
    of_bias = lambda b: of_logits(result(q | {"5.bias": b}))
    np.testing.assert_allclose(H, tf.hessian(of_bias)(q["5.bias"]).numpy(), rtol=1e-10)
