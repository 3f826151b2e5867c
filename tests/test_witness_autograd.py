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
UNIT = rng.uniform(0.1, 0.9, size=(3, 4))
SQUARE, EYE = rng.normal(size=(3, 3)) + 3 * np.eye(3), np.eye(3)
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
    "remainder and hypot": (lambda np, x, y: np.hypot(np.remainder(x, y), y), X, POSITIVE),
    "arctan2": (lambda np, x, y: np.arctan2(x, y), X, Y),
    "fmax and fmin": (lambda np, x, y: np.fmax(x, y) * np.fmin(x, ROW), X, Y),
    "logaddexp": (lambda np, x, y: np.logaddexp(x, y) + np.logaddexp2(x, ROW), X, Y),
    "reciprocal": (lambda np, x: np.reciprocal(x), POSITIVE),
    "exp2": (lambda np, x: np.exp2(x), X),
    "log2 and log10": (lambda np, x: np.log2(x) * np.log10(1 + x), POSITIVE),
    "tan": (lambda np, x: np.tan(x), UNIT),
    "sinh and cosh": (lambda np, x: np.sinh(x) / np.cosh(2 * x), X),
    "arcsin and arccos": (lambda np, x: np.arcsin(x) * np.arccos(x**2), UNIT),
    "arctan": (lambda np, x: np.arctan(x), X),
    "arcsinh": (lambda np, x: np.arcsinh(x), X),
    "arccosh": (lambda np, x: np.arccosh(1 + x), POSITIVE),
    "arctanh": (lambda np, x: np.arctanh(x), UNIT),
    "degrees": (lambda np, x: np.sin(np.deg2rad(x)) + np.rad2deg(x) + np.degrees(x) / 9, X),
    "radians": (lambda np, x: np.radians(x) + np.fabs(x), X),
    "sinc": (lambda np, x: np.sinc(x), X),
    "nan_to_num": (lambda np, x: np.nan_to_num(x), X),
    "prod": (lambda np, x: np.prod(x, axis=1), POSITIVE),
    "var": (lambda np, x: np.var(x, axis=0), X),
    "var of axes": (lambda np, x: np.var(x, axis=(0, 2), ddof=1, keepdims=True), CUBE),
    "std": (lambda np, x: np.std(x, axis=1), X),
    "cumsum": (lambda np, x: np.cumsum(x, axis=1), X),
    "diff": (lambda np, x: np.diff(x, n=2, axis=1), X),
    "gradient": (lambda np, x: np.gradient(x, axis=1), X),
    "sort": (lambda np, x: np.sort(x, axis=0), ROW),
    "outer": (lambda np, x, y: np.outer(x, y), ROW, PLACES * 1.0),
    "inner": (lambda np, x, y: np.inner(x, y), X, Y),
    "kron": (lambda np, x, y: np.kron(x, y), X, Y),
    "cross": (lambda np, x, y: np.cross(x, y), X.T, Y.T),
    "tensordot": (lambda np, x, y: np.tensordot(x, y, axes=([1, 2], [0, 1])), CUBE, X),
    "einsum": (lambda np, x, y: np.einsum("aij,ij,ij->aj", x, y, y), CUBE, X),
    "trace": (lambda np, x: np.trace(x), CUBE),
    "diag": (lambda np, x: np.diag(x, 1) * 2, SQUARE),
    "diagonal": (lambda np, x: np.diagonal(x, 0, -1, -2), CUBE[:, :, :3]),
    "tril and triu": (lambda np, x: np.tril(x, -1) - 2 * np.triu(x, 1), X),
    "tile": (lambda np, x: np.tile(x, (2, 3)), X),
    "repeat": (lambda np, x: np.repeat(x, 2, axis=1), X),
    "roll": (lambda np, x: np.roll(x, 2, axis=1), X),
    "rot90": (lambda np, x: np.rot90(x), X),
    "fliplr and flipud": (lambda np, x: np.fliplr(x) * np.flipud(x), X),
    "moveaxis": (lambda np, x: np.moveaxis(x, 0, 2), CUBE),
    "rollaxis": (lambda np, x: np.rollaxis(x, 2), CUBE),
    "pad": (lambda np, x: np.pad(x, ((1, 0), (0, 2)), mode="constant"), X),
    "split": (lambda np, x: np.split(x, 2, axis=1)[0] * np.array_split(x, [2], 1)[1], X),
    "hsplit and vsplit": (lambda np, x: np.hsplit(x, 2)[1] + np.vsplit(x, 3)[0][:, :2], X),
    "vstack": (lambda np, x, y: np.vstack([x, y]), X, ROW),
    "hstack": (lambda np, x, y: np.hstack([x, y]), X, Y),
    "column_stack": (lambda np, x, y: np.column_stack([x, y]), X.T, ROW),
    "append": (lambda np, x, y: np.append(x, y, axis=0), X, Y),
    "atleast": (lambda np, x: np.atleast_2d(x) + np.atleast_3d(x), ROW),
    "det": (lambda np, x: np.linalg.det(x), SQUARE),
    "slogdet": (lambda np, x: np.linalg.slogdet(x)[1], SQUARE),
    "inv": (lambda np, x: np.linalg.inv(x), SQUARE),
    "pinv": (lambda np, x: np.linalg.pinv(x), X),
    "solve": (lambda np, x, y: np.linalg.solve(x, y), SQUARE, X),
    "cholesky": (lambda np, x: np.linalg.cholesky(x @ x.T + 3 * EYE), SQUARE),
    "eigvalsh": (lambda np, x: np.linalg.eigh(x + x.T)[0], SQUARE),
    "eigenvectors": (lambda np, x: np.linalg.eigh(x + x.T)[1] ** 2, SQUARE),
    "singular values": (lambda np, x: np.linalg.svd(x, compute_uv=False), X),
    "norm": (lambda np, x: np.linalg.norm(x), X),
    "norm of rows": (lambda np, x: np.linalg.norm(x, ord=3, axis=1), X),
    "nuclear norm": (lambda np, x: np.linalg.norm(x, ord="nuc"), X),
    "fft": (lambda np, x: np.abs(np.fft.fft(x)) ** 2, X),
    "ifft": (lambda np, x: np.real(np.fft.ifft(x)) + np.imag(np.fft.ifft(x)), X),
    "rfft": (lambda np, x: np.real(np.fft.rfft(x, axis=1)) * 2, X),
    "fft2": (lambda np, x: np.abs(np.fft.fft2(x)) ** 2, X),
    "fftn": (lambda np, x: np.abs(np.fft.fftn(x)) ** 2, CUBE),
    "fftshift": (lambda np, x: np.fft.fftshift(x) - np.fft.ifftshift(x), X),
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
