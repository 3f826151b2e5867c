"""Ranges of numbers between two ends, either of which may be a Tensor."""

import numpy as np

from tinygrad_dnn.primitives import composite


def _places(start, stop, num, endpoint):
    """Return 0 to 1 in ``num`` steps, along a new first axis in front of the ends' own."""
    steps = np.arange(num) / max(num - 1 if endpoint else num, 1)
    ndim = max(np.ndim(start), np.ndim(stop))
    kind = np.result_type(start, stop, np.float16)
    return np.reshape(steps, (num,) + (1,) * ndim).astype(kind)


@composite(np.linspace)
def _linspace(
    start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None
):
    t = _places(start, stop, num, endpoint)
    found = _made(start * (1 - t) + stop * t, dtype, axis)
    step = (stop - start) / (num - 1 if endpoint else num) if retstep else None
    return (found, step) if retstep else found


@composite(np.logspace)
def _logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    return _made(np.power(base, _linspace(start, stop, num, endpoint)), dtype, axis)


@composite(np.geomspace)
def _geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    sign = np.sign(start)
    logarithms = _linspace(np.log(start * sign), np.log(stop * sign), num, endpoint)
    return _made(sign * np.exp(logarithms), dtype, axis)


def _made(x, dtype, axis):
    x = x if dtype is None else x.astype(dtype)
    return x if axis == 0 else np.moveaxis(x, 0, axis)
