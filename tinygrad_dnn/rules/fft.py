"""Discrete Fourier transforms: linear, so the transpose of each is the transform back, scaled.

Without its factor, the adjoint of the transform is the inverse transform without its own: ``norm``
changes sides.  A length ``n`` cuts the input or fills it with zeros; the transpose fills or cuts.
The half spectra of real arrays leave out the conjugates of what they hold, so what they hold counts
twice, except where it is its own conjugate.
"""

from typing import Any

import numpy as np

from tinygrad_dnn.primitives import composite, multilinear

_SWAPPED: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "forward": "backward",
    "ortho": "ortho",
}


def _fitted(g, x, axes):
    """``g`` cut or filled with zeros along ``axes`` to the shape of ``x``."""
    for axis in axes:
        n, missing = x.shape[axis], x.shape[axis] - g.shape[axis]
        if missing < 0:
            g = g[(*(slice(None),) * (axis % x.ndim), slice(n))]
        if missing > 0:
            g = np.pad(g, [(0, missing if i == axis % x.ndim else 0) for i in range(x.ndim)])
    return g


def _doubled(g, n, axis, factor):
    """The half spectrum ``g`` of ``n`` real numbers, times ``factor`` where it stands for two."""
    weights = np.full(n // 2 + 1, factor, np.finfo(g.dtype).dtype)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return g * np.reshape(weights, [-1 if i == axis % g.ndim else 1 for i in range(g.ndim)])


def _axes(x, s, axes):
    if axes is None:
        return tuple(range(x.ndim)) if s is None else tuple(range(x.ndim - len(s), x.ndim))
    return tuple(axes)


# ---- along one axis --------------------------------------------------------------------------
def _fft(inverse):
    def vjp(g, out, x, n=None, axis=-1, norm=None):
        return _fitted(inverse(g, None, axis, _SWAPPED[norm]), x, [axis])

    return vjp


def _rfft(g, out, x, n=None, axis=-1, norm=None):
    n = x.shape[axis] if n is None else n
    g = np.fft.irfft(_doubled(g, n, axis, 0.5), n, axis, _SWAPPED[norm])
    return _fitted(g, x, [axis])


def _irfft(g, out, x, n=None, axis=-1, norm=None):
    g = np.fft.rfft(g, None, axis, _SWAPPED[norm])
    return _fitted(_doubled(g, out.shape[axis], axis, 2.0), x, [axis])


multilinear(np.fft.fft, _fft(np.fft.ifft))
multilinear(np.fft.ifft, _fft(np.fft.fft))
multilinear(np.fft.rfft, _rfft)
multilinear(np.fft.irfft, _irfft)


# ---- along several ---------------------------------------------------------------------------
def _fftn(inverse):
    def vjp(g, out, x, s=None, axes=None, norm=None):
        axes = _axes(x, s, axes)
        return _fitted(inverse(g, None, axes, _SWAPPED[norm]), x, axes)

    return vjp


def _rfftn(g, out, x, s=None, axes=None, norm=None):
    axes = _axes(x, s, axes)
    last = x.shape[axes[-1]] if s is None or s[-1] in (None, -1) else s[-1]
    lengths = [*(g.shape[axis] for axis in axes[:-1]), last]
    g = np.fft.irfftn(_doubled(g, last, axes[-1], 0.5), lengths, axes, _SWAPPED[norm])
    return _fitted(g, x, axes)


def _irfftn(g, out, x, s=None, axes=None, norm=None):
    axes = _axes(x, s, axes)
    g = np.fft.rfftn(g, None, axes, _SWAPPED[norm])
    return _fitted(_doubled(g, out.shape[axes[-1]], axes[-1], 2.0), x, axes)


multilinear(np.fft.fftn, _fftn(np.fft.ifftn))
multilinear(np.fft.ifftn, _fftn(np.fft.fftn))
multilinear(np.fft.rfftn, _rfftn)
multilinear(np.fft.irfftn, _irfftn)


# ---- what NumPy makes of these ---------------------------------------------------------------
def _plane(fn):
    return lambda a, s=None, axes=(-2, -1), norm=None, out=None: fn(a, s, axes, norm)


composite(np.fft.fft2)(_plane(np.fft.fftn))
composite(np.fft.ifft2)(_plane(np.fft.ifftn))
composite(np.fft.rfft2)(_plane(np.fft.rfftn))
composite(np.fft.irfft2)(_plane(np.fft.irfftn))


@composite(np.fft.hfft)
def _hfft(a, n=None, axis=-1, norm=None, out=None):
    return np.fft.irfft(np.conjugate(a), n, axis, _SWAPPED[norm])


@composite(np.fft.ihfft)
def _ihfft(a, n=None, axis=-1, norm=None, out=None):
    return np.conjugate(np.fft.rfft(a, n, axis, _SWAPPED[norm]))


def _shift(direction):
    def shift(x, axes=None):
        axes = tuple(range(x.ndim)) if axes is None else tuple(np.atleast_1d(axes).tolist())
        steps = [direction * (x.shape[axis] // 2) for axis in axes]
        return np.roll(x, steps, axes)

    return shift


composite(np.fft.fftshift)(_shift(1))
composite(np.fft.ifftshift)(_shift(-1))
