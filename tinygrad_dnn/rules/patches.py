"""Patches: what a sliding window sees of x (m, c, *size), and the sum that is its transpose.

A window has ``kernel`` places along each spatial axis, ``dilation`` apart; from one window to the
next it moves by ``stride``, over x with ``padding`` at both ends.  Each is a tuple with one number
per spatial axis, of which there may be any number; ``how`` stands for the last three together.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinygrad_dnn.primitives import multilinear, primitive, rule


def slots(kernel, places, stride, dilation):
    """Yield (place in the window, where all windows have it in the padded x)."""
    for offset in np.ndindex(*kernel):
        yield (
            offset,
            (
                ...,
                *(
                    slice(o * d, o * d + s * n, s)
                    for o, n, s, d in zip(offset, places, stride, dilation, strict=True)
                ),
            ),
        )


def count(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """Return how many windows fit along each axis."""
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )


def spanned(places: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """Return the least size along each axis that so many windows fit on: ``count`` undone."""
    return tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + 1
        for n, k, s, p, d in zip(places, kernel, stride, padding, dilation, strict=True)
    )


def padded(x, padding, fill=0):
    """Return x with ``fill`` around it."""
    if not any(padding):
        return x
    return np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)], constant_values=fill)


def cropped(whole, size, padding):
    """Return what is inside of the padding."""
    return whole[(..., *(slice(p, p + n) for n, p in zip(size, padding, strict=True)))]


@primitive
def patches(x, *, kernel, stride, padding, dilation, fill=0):
    """Every window on x.  Shapes: x (m, c, *size) -> (m, c, *kernel, *places)."""
    span = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    axes = tuple(range(2, x.ndim))
    seen = sliding_window_view(padded(x, padding, fill), span, axis=axes)
    every: Any = (..., *(slice(None, None, n) for n in (*stride, *dilation)))
    seen = seen[every]
    return np.moveaxis(seen, tuple(range(x.ndim, seen.ndim)), axes)


@primitive
def fold(windows, *, size, stride, padding, dilation):
    """Windows added up where they overlap; (m, c, *kernel, *places) -> x (m, c, *size)."""
    kernel, places = windows.shape[2 : 2 + len(size)], windows.shape[2 + len(size) :]
    wider = (n + 2 * p for n, p in zip(size, padding, strict=True))
    whole = np.zeros_like(windows, shape=(*windows.shape[:2], *wider))
    for offset, slot in slots(kernel, places, stride, dilation):
        whole[slot] += windows[:, :, *offset]
    return cropped(whole, size, padding)


rule(
    patches,
    vjps=(lambda g, out, x, kernel, fill=0, **how: fold(g, size=x.shape[2:], **how),),
    jvps=(lambda t, out, x, fill=0, **how: patches(t, **how),),  # the fill does not move
)
multilinear(
    fold,
    lambda g, out, windows, size, **how: patches(g, kernel=windows.shape[2 : 2 + len(size)], **how),
)
