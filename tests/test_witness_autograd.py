"""Agreement with HIPS autograd, another library with other formulas, where it is installed."""

import numpy as np
import pytest

import tinygrad_dnn as tg

autograd = pytest.importorskip("autograd")
anp = pytest.importorskip("autograd.numpy")

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
ROW, POSITIVE, CUBE = (
    rng.normal(size=4),
    rng.uniform(0.5, 2.0, size=(3, 4)),
    rng.normal(size=(2, 3, 4)),
)
PLACES = np.array([0, 2, 0])

# Each is a function of a NumPy namespace and of arrays.
SAME = {
    "add": (lambda np, x, y: x + y, X, ROW),
    "subtract": (lambda np, x, y: x - y, ROW, X),
    "multiply": (lambda np, x, y: x * y, X, ROW),
    "divide": (lambda np, x, y: x / y, X, POSITIVE),
    "power": (lambda np, x, y: x**y, POSITIVE, Y),
    "power of a number": (lambda np, x: x**3 + x**-2 + x**0, X),
    "negative": (lambda np, x: -x, X),
    "square": (lambda np, x: np.square(x), X),
    "sqrt": (lambda np, x: np.sqrt(x), POSITIVE),
    "exp": (lambda np, x: np.exp(x), X),
    "log": (lambda np, x: np.log(x), POSITIVE),
    "log1p": (lambda np, x: np.log1p(x), POSITIVE),
    "expm1": (lambda np, x: np.expm1(x), X),
    "absolute": (lambda np, x: np.abs(x), X),
    "maximum": (lambda np, x, y: np.maximum(x, y), X, Y),
    "minimum": (lambda np, x, y: np.minimum(x, ROW * y), X, Y),
    "tied maximum": (lambda np, x: np.maximum(x, x * 1.0), X),
    "where": (lambda np, x, y: np.where(X > 0, x, y), X, Y),
    "clip": (lambda np, x: np.clip(x, -0.5, 0.5), X),
    "tanh": (lambda np, x: np.tanh(x), X),
    "sin": (lambda np, x: np.sin(x), X),
    "cos": (lambda np, x: np.cos(x), X),
    "matmul": (lambda np, x, y: np.matmul(x, y.T), X, Y),
    "matmul of vectors": (lambda np, x, y: np.matmul(x, y) + np.matmul(y, y), X, ROW),
    "matmul of a stack": (lambda np, x, y: np.matmul(x, y.T), CUBE, X),
    "dot": (lambda np, x, y: np.dot(x, y), X, ROW),
    "sum": (lambda np, x: np.sum(x, axis=0), X),
    "sum of axes": (lambda np, x: np.sum(x, axis=(0, 2), keepdims=True), CUBE),
    "mean": (lambda np, x: np.mean(x, axis=1), X),
    "max": (lambda np, x: np.max(x, axis=1), X),
    "min": (lambda np, x: np.min(x), X),
    "tied max": (lambda np, x: np.max(x), np.array([1.0, 3.0, 3.0])),
    "reshape": (lambda np, x: np.reshape(x, (2, 6)), X),
    "ravel": (lambda np, x: np.ravel(x), X),
    "transpose": (lambda np, x: np.transpose(x, (2, 0, 1)), CUBE),
    "swapaxes": (lambda np, x: np.swapaxes(x, 0, 2), CUBE),
    "expand_dims": (lambda np, x: np.expand_dims(x, 1), X),
    "squeeze": (lambda np, x: np.squeeze(x[:1]), X),
    "broadcast_to": (lambda np, x: np.broadcast_to(x[:, :1], (3, 4)), X),
    "concatenate": (lambda np, x, y: np.concatenate([x, y, x], axis=1), X, Y),
    "stack": (lambda np, x, y: np.stack([x, y], axis=1), X, Y),
    "slices": (lambda np, x: x[1:, ::2], X),
    "places": (lambda np, x: x[PLACES], X),
    "a mask": (lambda np, x: x[X > 0], X),
    "newaxis": (lambda np, x: x[:, None, 1], X),
    "astype": (lambda np, x: x.astype("float64"), X),
    "a network": (
        lambda np, x, y: np.mean((np.tanh(x.T @ y) @ np.maximum(x.T, 0)) ** 2, axis=0),
        X,
        Y,
    ),
}
same = pytest.mark.parametrize("name", SAME)


def weighted(f, namespace):
    """A curved scalar function of ``f`` that treats each of its entries differently."""

    def scalar(*args):
        out = f(namespace, *args)
        return namespace.sum(namespace.sin(out + np.arange(out.size).reshape(out.shape)))

    return scalar


def of(name):
    f, *args = SAME[name]
    return weighted(f, np), weighted(f, anp), args, tuple(range(len(args)))


@same
def test_values_and_gradients_agree(name):
    ours, theirs, args, every = of(name)
    value, gradients = tg.func.value_and_grad(ours, every)(*args)
    np.testing.assert_allclose(value, theirs(*args), rtol=1e-13)
    for a, b in zip(gradients, autograd.grad(theirs, every)(*args), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@same
def test_second_derivatives_agree(name):
    ours, theirs, args, every = of(name)
    ours_again = lambda *args: sum(np.sum(c**2) for c in tg.func.grad(ours, every)(*args))
    theirs_again = lambda *args: sum(anp.sum(c**2) for c in autograd.grad(theirs, every)(*args))
    expected = autograd.grad(theirs_again, every)(*args)
    for a, b in zip(tg.func.grad(ours_again, every)(*args), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)
