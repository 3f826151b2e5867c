"""Padding, and the windows that slide over what was padded."""

from itertools import product

import numpy as np

from tinygrad_dnn.errors import MissingRuleError
from tinygrad_dnn.primitives import Function, composite, multilinear, primitive, rule
from tinygrad_dnn.rules.indexing import scatter

_COPYING = ("edge", "reflect", "symmetric", "wrap")  # but for reflect_type="odd"
_SUMMARIES: dict[str, Function] = {
    "maximum": np.max,
    "mean": np.mean,
    "median": np.median,
    "minimum": np.min,
}


@primitive
def pad(x, pad_width, mode="constant", **options):
    """``np.pad`` in the modes that are linear: ``np.pad`` on Tensors records this."""
    return np.pad(x, pad_width, mode, **options)


def _pairs(pad_width, ndim):
    """The widths before and after, for every axis."""
    if not isinstance(pad_width, dict):
        return np.broadcast_to(pad_width, (ndim, 2))
    pairs = np.zeros((ndim, 2), int)
    for axis, width in pad_width.items():
        pairs[axis] = width
    return pairs


def _pad_vjp(g, out, x, pad_width, mode="constant", **options):
    if mode == "constant":
        before = _pairs(pad_width, x.ndim)[:, 0]
        return g[tuple(slice(b, b + n) for b, n in zip(before, x.shape, strict=True))]
    # Where each entry came from is what padding the entries' numbers says.
    source = np.pad(np.arange(x.size).reshape(x.shape), pad_width, mode, **options)
    return np.reshape(scatter(np.ravel(g), (x.size,), np.ravel(source)), x.shape)


def _pad_jvp(t, out, x, pad_width, mode="constant", **options):
    return pad(t, pad_width, mode, **{} if mode == "constant" else options)


rule(pad, vjps=(_pad_vjp,), jvps=(_pad_jvp,))


@composite(np.pad)
def _pad(array, pad_width, mode="constant", **options):
    odd = options.get("reflect_type") == "odd"
    if array.dtype.kind not in "fc" or (mode in ("constant", *_COPYING) and not odd):
        return pad(array, pad_width, mode, **options)
    known = ("constant", *_COPYING, "linear_ramp", *_SUMMARIES)
    if mode not in known:
        raise MissingRuleError(
            f"np.pad on Tensors takes as mode one of {', '.join(map(repr, known))}, got {mode!r}; "
            f"build other borders with np.concatenate"
        )
    for axis, widths in enumerate(_pairs(pad_width, array.ndim)):
        own = {name: _of_axis(option, axis, array.ndim) for name, option in options.items()}
        extended = _summarized if mode in _SUMMARIES else _extended
        array = extended(array, axis, widths, mode, own)
    return array


def _of_axis(option, axis, ndim):
    """What ``option`` of np.pad is for one axis alone, as np.pad takes it."""
    several = option is not None and not isinstance(option, str)
    return tuple(np.broadcast_to(option, (ndim, 2))[axis]) if several else option


def _summarized(x, axis, widths, mode, options):
    """Pad x along ``axis`` with the maximum, say, of the ``stat_length`` entries at that end."""
    np.pad(np.zeros(x.shape[axis], x.dtype), widths, mode, **options)  # refuses what it refuses
    if not any(widths):
        return x
    x = np.moveaxis(x, axis, -1)
    n = x.shape[-1]
    lengths = options.get("stat_length")
    first, last = (n, n) if lengths is None else np.minimum(lengths, n)
    borders = [
        np.repeat(_SUMMARIES[mode](part, axis=-1, keepdims=True), width, axis=-1)
        for part, width in zip((x[..., :first], x[..., n - last :]), widths, strict=True)
    ]
    return np.moveaxis(np.concatenate([borders[0], x, borders[1]], axis=-1), -1, axis)


def _extended(x, axis, widths, mode, options):
    """Pad x along ``axis``: every border is a mixture of the entries of x, and what np.pad adds."""
    n, (before, _) = x.shape[axis], widths
    added = np.pad(np.zeros(n, x.dtype), widths, mode, **options)
    mixture = np.stack([np.pad(e, widths, mode, **options) for e in np.eye(n, dtype=x.dtype)], 1)
    x = np.moveaxis(x, axis, -1)
    first, last = (
        x @ np.transpose(mixture[part] - added[part, None]) + added[part]
        for part in (slice(before), slice(before + n, None))
    )
    return np.moveaxis(np.concatenate([first, x, last], axis=-1), -1, axis)


# ---- windows ---------------------------------------------------------------------------------
@primitive
def fold(g, shape, window_shape, axis=None):
    """Add windows up to an array of ``shape``: the transpose of ``sliding_window_view``."""
    whole = np.zeros_like(g, shape=shape)
    lengths = np.atleast_1d(window_shape)
    axes = range(len(shape)) if axis is None else [a % len(shape) for a in np.atleast_1d(axis)]
    for offsets in product(*map(range, lengths)):
        place = [slice(None)] * len(shape)
        for a, offset in zip(axes, offsets, strict=True):
            start = place[a].start or 0  # an axis may be windowed twice
            place[a] = slice(start + offset, start + offset + g.shape[a])
        whole[tuple(place)] += g[(..., *offsets)]
    return whole


def _windows(g, out, x, window_shape, axis=None, **options):
    return fold(g, x.shape, window_shape, axis)


def _unfold(g, out, x, shape, window_shape, axis=None):
    return np.lib.stride_tricks.sliding_window_view(g, window_shape, axis)


multilinear(np.lib.stride_tricks.sliding_window_view, _windows)
multilinear(fold, _unfold)
