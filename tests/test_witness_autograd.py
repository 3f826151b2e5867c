"""Agreement with HIPS autograd, another library with other formulas, where it is installed."""

from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_dnn as tg

autograd = pytest.importorskip("autograd")
anp = pytest.importorskip("autograd.numpy")
ascipy = pytest.importorskip("autograd.scipy")
for _part in ("integrate", "linalg", "signal", "special", "stats"):
    pytest.importorskip(f"autograd.scipy.{_part}")

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

# Each is a function of a NumPy namespace, which has SciPy's in it too, and of arrays.
OURS = SimpleNamespace(
    **vars(np) | {"full": lambda shape, v: np.full(shape, v, like=v)},
    special=SimpleNamespace(**vars(tg.special), jn=tg.special.jv, yn=tg.special.yv),
    solve_triangular=tg.linalg.solve_triangular,
    make_diagonal=lambda x: np.expand_dims(x, -1) * np.eye(x.shape[-1]),
)
THEIRS = SimpleNamespace(
    **vars(anp)
    | {
        "convolve": lambda x, y: ascipy.signal.convolve(x, y, mode="full"),
        "make_diagonal": lambda x: anp.make_diagonal(x, axis1=-1, axis2=-2),
        "special": ascipy.special,
        "solve_triangular": ascipy.linalg.solve_triangular,
    }
)
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
    "dsplit": (lambda np, x: np.dsplit(x, 2)[1] * np.dsplit(x, [1, 3])[1], CUBE),
    "full": (lambda np, x: np.full((2, 4), x), np.array(1.5)),
    "make_diagonal": (lambda np, x: np.make_diagonal(x), X),
    "real_if_close and conjugate": (lambda np, x: np.real_if_close(np.conjugate(x)) * x, X),
    "angle": (lambda np, x: np.angle(np.fft.fft(x))[:, 1] ** 2, X),
    "linspace": (lambda np, x, y: np.linspace(x, y, 5), np.array(0.5), np.array(2.0)),
    "amax and amin": (lambda np, x: np.amax(x, axis=0) * np.amin(x, axis=0), X),
    "partition": (lambda np, x: np.partition(x, 2), X[0]),
    "ifft2 and ifftn": (lambda np, x: np.abs(np.fft.ifft2(x) * np.fft.ifftn(x)) ** 2, X),
    "irfft": (lambda np, x: np.fft.irfft(np.fft.rfft(x)[:, :3] ** 2), X),
    "rfft2 and irfft2": (lambda np, x: np.fft.irfft2(np.fft.rfft2(x) ** 2), X),
    "rfftn and irfftn": (lambda np, x: np.fft.irfftn(np.fft.rfftn(x) ** 2), X),
    "eig": (lambda np, x: np.abs(np.linalg.eig(x)[0]) ** 2, SQUARE),
    "convolve": (lambda np, x, y: np.convolve(x, y), ROW, X[0]),
    "solve_triangular": (lambda np, a, b: np.solve_triangular(a, b, lower=True), SQUARE, X),
    "its transpose": (lambda np, a, b: np.solve_triangular(a, b, trans="T"), SQUARE, X),
    "beta": (lambda np, x, y: np.special.beta(x, y) + np.special.betaln(y, x), POSITIVE, UNIT),
    "gamma": (lambda np, x: np.special.gamma(x) + np.special.gammaln(x), POSITIVE),
    "digamma": (lambda np, x: np.special.psi(x) + np.special.digamma(2 * x), POSITIVE),
    "rgamma": (lambda np, x: np.special.rgamma(x), POSITIVE),
    "polygamma": (lambda np, x: np.special.polygamma(1, x), POSITIVE),
    "Bessel": (lambda np, x: np.special.j0(x) + np.special.j1(x) * np.special.jn(2, x), X),
    "Bessel, second kind": (
        lambda np, x: np.special.y0(x) + np.special.y1(x) * np.special.yn(2, x),
        POSITIVE,
    ),
    "Bessel, modified": (lambda np, x: np.special.i0(x) + np.special.i1(x), X),
    "Bessel, of any order": (lambda np, x: np.special.iv(2, x) * np.special.ive(1, x), POSITIVE),
    "erf": (lambda np, x: np.special.erf(x) + np.special.erfc(2 * x), X),
    "erfinv": (lambda np, x: np.special.erfinv(x) + np.special.erfcinv(x), UNIT),
    "logit": (lambda np, x: np.special.logit(x) * np.special.expit(x), UNIT),
    "logsumexp": (lambda np, x: np.special.logsumexp(x, axis=0), X),
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
    return weighted(f, OURS), weighted(f, THEIRS), args, tuple(range(len(args)))


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


# ---- that no operation both have is forgotten ------------------------------------------------
WITHOUT = {
    "what SciPy has beyond special functions and triangular systems": (
        "odeint", "sqrtm", "solve_banded", "solve_sylvester",
    ),
    "incomplete and many-dimensional gamma functions": (
        "betainc", "gammainc", "gammaincc", "gammasgn", "multigammaln",
    ),
}  # fmt: skip


def ours_too(primitive):
    """Is it an operation that both have, rather than a part of autograd or a distribution?"""
    fn = primitive.fun
    module = getattr(fn, "__module__", None) or ""
    inner = module.startswith("autograd.") and fn.__name__ not in ("make_diagonal", "convolve")
    named = any(fn.__name__ in names for names in WITHOUT.values())
    return not (inner or named or module.startswith("scipy.stats"))


def test_every_operation_of_autograd_is_compared_or_left_out_for_a_reason(monkeypatch):
    from autograd import core

    class Noting(dict):
        def __getitem__(self, primitive):
            asked.add(primitive)
            return super().__getitem__(primitive)

    asked = set()
    monkeypatch.setattr(core, "primitive_vjps", Noting(core.primitive_vjps))
    for name in SAME:
        _, theirs, args, every = of(name)
        autograd.grad(theirs, every)(*args)
    missed = {f.__name__ for f in core.primitive_vjps if ours_too(f) and f not in asked}
    assert not missed
    assert len(asked) > 150
