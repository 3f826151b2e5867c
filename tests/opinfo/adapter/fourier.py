"""Fourier transforms."""

import numpy as np

from tests.opinfo.adapter.arguments import axes
from tests.opinfo.compare import Unsupported


def one_axis(fn):
    def transform(x, n=None, dim=-1, norm=None):
        return fn(x, n, axes(x, dim), norm)

    return transform


def several_axes(fn, default=None):
    def transform(x, s=None, dim=default, norm=None):
        if x.ndim == 0:
            raise Unsupported("a 0-d array has no axis")
        if s is not None and dim is None:
            dim = tuple(range(-len(s), 0))
        return fn(x, s, (dim,) if isinstance(dim, int) else dim, norm)

    return transform


def shifted(fn):
    return lambda x, dim=None: fn(x, dim)


OPERATIONS = {
    **{
        f"fft.{name}": one_axis(getattr(np.fft, name))
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
    },
    **{
        f"fft.{name}": several_axes(getattr(np.fft, name))
        for name in ("fftn", "ifftn", "rfftn", "irfftn")
    },
    **{
        f"fft.{name}": several_axes(getattr(np.fft, name), (-2, -1))
        for name in ("fft2", "ifft2", "rfft2", "irfft2")
    },
    "fft.fftshift": shifted(np.fft.fftshift),
    "fft.ifftshift": shifted(np.fft.ifftshift),
}
