"""Fourier transforms of complex arrays, against the matrix that each of them is."""

import numpy as np
import pytest

import tinygrad_dnn as tg

rng = np.random.default_rng(0)


def complex_normal(*shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def matrix_of(n, sign, scale):
    """The transform of n numbers as a matrix."""
    k = np.arange(n)
    return np.exp(sign * 2j * np.pi * np.outer(k, k) / n) * scale


NORMS = {None: (0, -1), "backward": (0, -1), "ortho": (-0.5, -0.5), "forward": (-1, 0)}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("fn", [np.fft.fft, np.fft.ifft])
def test_vjp_is_the_conjugate_transpose_of_the_matrix(fn, norm):
    n, inverse = 5, fn is np.fft.ifft
    F = matrix_of(n, 1 if inverse else -1, n ** NORMS[norm][inverse])
    z, g = complex_normal(n), complex_normal(n)
    out, back = tg.func.vjp(lambda z: fn(z, norm=norm), z)
    np.testing.assert_allclose(out, F @ z, rtol=1e-12)
    np.testing.assert_allclose(back(g)[0], F.conj().T @ g, rtol=1e-12)


@pytest.mark.parametrize("n", [5, 6])
def test_the_gradient_of_a_real_argument_is_real(n):
    x, g = rng.normal(size=n), complex_normal(n)
    F = matrix_of(n, -1, 1)
    _, back = tg.func.vjp(np.fft.fft, x)
    np.testing.assert_allclose(back(g)[0], (F.conj().T @ g).real, rtol=1e-12, strict=True)
    half = g[: n // 2 + 1]
    _, back = tg.func.vjp(np.fft.rfft, x)
    by_matrix = (F[: n // 2 + 1].conj().T @ half).real
    np.testing.assert_allclose(back(half)[0], by_matrix, rtol=1e-12, strict=True)


@pytest.mark.parametrize("n", [5, 6])
def test_what_irfft_ignores_receives_nothing(n):
    half = complex_normal(n // 2 + 1)
    _, back = tg.func.vjp(lambda z: np.fft.irfft(z, n), half)
    (found,) = back(rng.normal(size=n))
    assert found[0].imag == 0
    assert n % 2 or abs(found[-1].imag) < 1e-15


def test_energy_is_the_same_on_both_sides():  # Parseval
    x = tg.Tensor(rng.normal(size=(4, 6)))
    energy = np.sum(np.square(np.absolute(np.fft.fft2(x, norm="ortho"))))
    np.testing.assert_allclose(tg.grad(energy, x), 2 * x.data, rtol=1e-12)


def test_a_convolution_through_the_frequencies():
    signal, kernel = rng.normal(size=16), rng.normal(size=5)

    def convolved(x, k):
        return np.fft.irfft(np.fft.rfft(x, 20) * np.fft.rfft(k, 20), 20)

    np.testing.assert_allclose(convolved(signal, kernel), np.convolve(signal, kernel), rtol=1e-9)
    report = tg.gradcheck(lambda x, k: np.sum(convolved(x, k) ** 3), signal, kernel)
    assert report, report.table()


@pytest.mark.parametrize("fn", [np.fft.fft, np.fft.rfft, np.fft.fftn, np.fft.rfftn, np.fft.ihfft])
def test_single_precision_is_kept(fn):
    x = rng.normal(size=(3, 4)).astype(np.float32)
    out, back = tg.func.vjp(fn, x)
    assert out.dtype == np.complex64
    assert back(out)[0].dtype == np.float32
    assert tg.func.jvp(fn, [x], [x])[1].dtype == np.complex64


def test_second_derivatives_through_complex_numbers():
    x, v = rng.normal(size=6), rng.normal(size=6)
    power = lambda x: np.sum(np.absolute(np.fft.rfft(x)) ** 4)
    slope = lambda x: np.sum(v * tg.func.grad(power)(x))
    report = tg.gradcheck(slope, x)
    assert report, report.table()
    np.testing.assert_allclose(tg.func.hvp(power, x, v), tg.func.grad(slope)(x), rtol=1e-10)
