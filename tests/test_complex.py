"""Complex inputs: gradient dJ/d Re z + i dJ/d Im z, against differences in both directions."""

from itertools import pairwise

import numpy as np
import pytest

import tinygrad_dnn as tg
from tests.cases import CASES

ANALYTIC = [
    np.add, np.subtract, np.multiply, np.divide, np.reciprocal, np.negative, np.positive, np.square,
    np.sqrt, np.power, np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sin,
    np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh,
    np.arccosh, np.arctanh, np.where, np.sum, np.mean, np.prod, np.cumsum, np.cumprod, np.convolve,
    np.diff, np.gradient, np.trapezoid,
]  # fmt: skip
SMOOTH = [*ANALYTIC, np.absolute, np.conjugate, np.real, np.imag, np.angle, np.sign, np.var, np.std,
          np.correlate, np.cov]  # fmt: skip
COMPLEX_CASES = [
    case
    for case in CASES
    if case.rule in SMOOTH
    and all(x.size for x in case.args)
    and not (case.rule is np.cov and not case.keeps_float32)  # weights, and dtype=float64
]  # fmt: skip


def complex_inputs(case, turned):
    rng = np.random.default_rng(5)
    return [
        x + 0.4j * rng.uniform(0.5, 1, size=x.shape) if i in turned else x
        for i, x in enumerate(case.args)
    ]


def complex_direction(x, rng):
    v = rng.uniform(-1, 1, size=np.shape(x))
    return np.asarray(v + 1j * rng.uniform(-1, 1, size=np.shape(x)) if x.dtype.kind == "c" else v)


def differences(f, xs, ts):
    def at(h):
        return f(*[x + h * t for x, t in zip(xs, ts, strict=True)])

    central = [(at(h) - at(-h)) / (2 * h) for h in (1e-3, 5e-4, 2.5e-4)]
    once = [(4 * b - a) / 3 for a, b in pairwise(central)]
    return (16 * once[1] - once[0]) / 15


def real_inner(us, vs):
    return sum(np.sum(np.real(np.conjugate(u) * v)) for u, v in zip(us, vs, strict=True))


def turns(case):
    """All inputs complex, and where there are two, each alone."""
    n = len(case.args)
    return [set(range(n))] + ([{0}, {n - 1}] if n > 1 else [])


@pytest.mark.parametrize("case", COMPLEX_CASES, ids=str)
def test_both_modes_on_complex_numbers(case):
    for turned in turns(case):
        xs = complex_inputs(case, turned)
        rng = np.random.default_rng(6)
        ts = [complex_direction(x, rng) for x in xs]
        out, tangent = tg.func.jvp(case.call, xs, ts)
        expected = differences(case.call, xs, ts)
        np.testing.assert_allclose(tangent, expected, rtol=1e-7, atol=1e-8)
        g = complex_direction(out, rng)
        _, back = tg.func.vjp(case.call, *xs)
        cotangents = back(g)
        assert [c.dtype for c in cotangents] == [x.dtype for x in xs]
        found = real_inner(cotangents, ts)
        np.testing.assert_allclose(found, real_inner([g], [expected]), rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(found, real_inner([g], [tangent]), rtol=1e-11, atol=1e-12)


def test_the_gradient_is_the_direction_of_steepest_ascent():
    z = np.array([3 + 4j, 1 - 1j])
    gradient = tg.func.grad(lambda z: np.sum(np.real(z * np.conjugate(z))))(z)
    np.testing.assert_allclose(gradient, 2 * z, rtol=1e-15)
    np.testing.assert_allclose(tg.func.grad(lambda z: np.sum(np.absolute(z)))(z), z / abs(z))


def test_second_order_of_the_size_of_a_complex_number():
    z, t = np.array([3 + 4j]), np.array([1 - 2j])
    grad = tg.func.grad(lambda z: np.sum(np.absolute(z)))
    expected = differences(grad, [z], [t])
    np.testing.assert_allclose(tg.func.jvp(grad, [z], [t])[1], expected, rtol=1e-8)
    twice = tg.func.grad(lambda z: np.sum(np.real(np.conjugate(t) * grad(z))))(z)
    np.testing.assert_allclose(twice, expected, rtol=1e-8)  # the Hessian is symmetric
