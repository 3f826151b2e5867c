"""A network on dask's chunked, lazy arrays: the same cost and gradients as on NumPy's."""

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn

da = pytest.importorskip("dask.array")

rng = np.random.default_rng(0)
X = rng.normal(size=(4, 30))
LABELS = rng.integers(0, 3, size=30)
TARGETS = {
    "sigmoid": (rng.random((3, 30)) > 0.5) * 1.0,
    "softmax": (np.arange(3)[:, None] == LABELS) * 1.0,
    "linear": rng.normal(size=(3, 30)),
}
HEADS = {
    "sigmoid": lambda Z, Y: nn.binary_cross_entropy(nn.sigmoid(Z), Y),
    "softmax": lambda Z, Y: nn.cross_entropy(nn.softmax(Z), Y),
    "linear": nn.mean_squared_error,
}
PARAMETERS = {
    "W1": rng.normal(size=(5, 4)),
    "b1": rng.normal(size=(5, 1)),
    "W2": rng.normal(size=(6, 5)),
    "b2": rng.normal(size=(6, 1)),
    "W3": rng.normal(size=(3, 6)),
    "b3": rng.normal(size=(3, 1)),
}


def by_columns(a):
    """``a`` in chunks of ten examples."""
    return da.from_array(a, chunks=(-1, 10))


def whole(a):
    return da.from_array(a, chunks=-1)


def cost(p, x, y, head):
    A1 = np.tanh(p["W1"] @ x + p["b1"])
    A2 = nn.relu(p["W2"] @ A1 + p["b2"])
    return HEADS[head](p["W3"] @ A2 + p["b3"], y)


def run(head, of_parameters, of_data):
    tensors = {name: tg.Tensor(of_parameters(W), name=name) for name, W in PARAMETERS.items()}
    J = cost(tensors, of_data(X), of_data(TARGETS[head]), head)
    J.backward()
    return J, {name: W.grad for name, W in tensors.items()}


every_head = pytest.mark.parametrize("head", HEADS)
every_parameter = pytest.mark.parametrize("parameters", [lambda W: W, whole], ids=["numpy", "dask"])


@every_head
@every_parameter
def test_cost_and_gradients_are_those_of_numpy(head, parameters):
    J, gradients = run(head, parameters, by_columns)
    expected, expected_gradients = run(head, lambda W: W, lambda a: a)
    np.testing.assert_allclose(J.data.compute(), expected.data, rtol=1e-12)
    for name, dW in gradients.items():
        np.testing.assert_allclose(dW.compute(), expected_gradients[name], rtol=1e-12, atol=1e-15)


class Refused(Exception):  # noqa: N818
    pass


def refuse(block):
    raise Refused("a chunk was computed")


def loud(a):
    """``a``, of which no chunk can be computed."""
    return by_columns(a).map_blocks(refuse, dtype=a.dtype, meta=np.empty((0, 0)))


@every_head
def test_nothing_is_computed_before_it_is_asked_for(head):
    J, gradients = run(head, lambda W: W, loud)
    assert isinstance(J.data, da.Array)
    assert all(isinstance(dW, da.Array) for dW in gradients.values())
    with pytest.raises(Refused, match="a chunk was computed"):
        gradients["W1"].compute()


def test_a_tensor_of_dask_data_is_lazy():
    x = tg.Tensor(by_columns(X))
    y = np.sum(np.exp(x) * 2, axis=0)
    assert isinstance(y.data, da.Array)
    assert y.shape == (30,)
    np.testing.assert_allclose(y.data.compute(), np.sum(np.exp(X) * 2, axis=0), rtol=1e-12)


def test_gradients_returned_rather_than_kept():
    x = tg.Tensor(by_columns(X))
    (dx,) = tg.grad(np.sum(x**3), [x])
    assert isinstance(dx, da.Array)
    np.testing.assert_allclose(dx.compute(), 3 * X**2, rtol=1e-12)


def test_second_derivatives():
    x = tg.Tensor(by_columns(X))
    (dx,) = tg.grad(np.sum(x**3), [x], create_graph=True)
    np.testing.assert_allclose(tg.grad(np.sum(dx), x).compute(), 6 * X, rtol=1e-12)


# ---- one function at a time --------------------------------------------------------------------
FUNCTIONS = {
    "reshape": lambda x: x.reshape(2, 2, 30) ** 2,
    "reshape and back": lambda x: np.reshape(np.ravel(x) ** 2, (4, 30)),
    "transpose": lambda x: x.T @ x,
    "mean": lambda x: np.mean(x, axis=1) ** 2,
    "var": lambda x: np.var(x, axis=1),
    "var over chunks": lambda x: np.var(x, axis=0, ddof=1, keepdims=True),
    "std": lambda x: np.std(x, axis=1),
    "max": lambda x: np.max(x, axis=0),
    "prod": lambda x: np.prod(x, axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=0) ** 2,
    "norm": lambda x: np.linalg.norm(x),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "indexing": lambda x: x[1:, ::2] ** 2,
    "concatenate": lambda x: np.concatenate([x, x**2], axis=1),
    "stack": lambda x: np.stack([x, x**2]),
    "where": lambda x: np.where(x > 0, x, x**2),
    "softmax": nn.softmax,
    "logsumexp": lambda x: nn.logsumexp(x, axis=0),
    "batch norm": nn.batch_norm,
    "layer norm": nn.layer_norm,
    "dropout": lambda x: nn.dropout(x, 0.5, rng=np.random.default_rng(1)),
    "checkpoint": tg.func.checkpoint(lambda x: np.tanh(np.tanh(x))),
}
every_function = pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)


def of_number(f):
    return lambda x: np.sum(np.sin(f(x)))


@every_function
def test_transformations_of_a_function_are_those_of_numpy(f):
    J, t = of_number(f), rng.normal(size=X.shape)
    for transformed in (
        lambda x, t: tg.func.value_and_grad(J)(x),
        lambda x, t: tg.func.jvp(f, (x,), (t,)),
        lambda x, t: (tg.func.hvp(J, x, t),),
    ):
        found, expected = transformed(by_columns(X), by_columns(t)), transformed(X, t)
        for lazy, wanted in zip(found, expected, strict=True):
            assert isinstance(lazy, da.Array)
            np.testing.assert_allclose(lazy.compute(), wanted, rtol=1e-12, atol=1e-13)


@every_function
def test_transformations_compute_nothing(f):
    x, J = loud(X), of_number(f)
    value, gradient = tg.func.value_and_grad(J)(x)
    for lazy in (value, gradient, *tg.func.jvp(f, (x,), (x,)), tg.func.hvp(J, x, x)):
        with pytest.raises(Refused):
            lazy.compute()
    T = tg.Tensor(x)
    J(T).backward()
    with pytest.raises(Refused):
        T.grad.compute()


def test_layers_with_state():
    for a in (X, by_columns(X)):
        net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2, rng=np.random.default_rng(0)))
        J = np.mean(net(a) ** 2)
        J.backward()
        found = [J.data, *(T.grad for T in net.parameters().values())]
        found += [T.data for T in nn.buffers(net).values()]
        if a is X:
            expected = found
    for lazy, wanted in zip(found, expected, strict=True):
        assert isinstance(lazy, da.Array)
        np.testing.assert_allclose(lazy.compute(), wanted, rtol=1e-12, atol=1e-14)


def test_whole_jacobians():
    small, f = X[:2, :4], lambda x: np.sum(x**3, axis=1)
    J, H = tg.func.jacobian(f)(by_columns(small)), tg.func.hessian(of_number(f))(by_columns(small))
    assert isinstance(J, da.Array)
    assert isinstance(H, da.Array)
    np.testing.assert_allclose(J.compute(), tg.func.jacobian(f)(small), rtol=1e-12)
    np.testing.assert_allclose(H.compute(), tg.func.hessian(of_number(f))(small), rtol=1e-12)


@every_head
def test_the_gradient_of_a_network_as_a_function(head):
    def J(p, x, y):
        return cost(p, x, y, head)

    lazy = {name: whole(W) for name, W in PARAMETERS.items()}
    value, gradients = tg.func.value_and_grad(J)(lazy, by_columns(X), by_columns(TARGETS[head]))
    expected, wanted = tg.func.value_and_grad(J)(PARAMETERS, X, TARGETS[head])
    np.testing.assert_allclose(value.compute(), expected, rtol=1e-12)
    for name, dW in gradients.items():
        assert isinstance(dW, da.Array)
        np.testing.assert_allclose(dW.compute(), wanted[name], rtol=1e-12, atol=1e-15)


def test_a_convolution_is_that_of_numpy():
    images, kernel = rng.normal(size=(1, 2, 5, 5)), rng.normal(size=(3, 2, 3, 3))
    expected = nn.conv2d(images, kernel, padding=1)
    y = nn.conv2d(tg.Tensor(whole(images)), tg.Tensor(kernel), padding=1)
    np.testing.assert_allclose(np.asarray(y.data), expected, rtol=1e-12)
