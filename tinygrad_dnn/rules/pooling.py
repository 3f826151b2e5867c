"""Pooling: the largest entry, or the mean, of every window on x (m, c, *size).

``how`` is kernel, stride, padding and dilation, each a tuple with one number per spatial axis.
Entries of one window that tie for the largest share its derivative equally, as with np.max.
"""

from functools import reduce
from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.primitives import Array, multilinear, primitive, rule
from tinygrad_dnn.rules.patches import count, cropped, padded, slots


def _places(size, kernel, stride, padding, dilation):
    """Yield where all windows have one of their places, in the padded x, for every place."""
    places = count(size, kernel, stride, padding, dilation)
    return (slot for _, slot in slots(kernel, places, stride, dilation))


# ---- the largest -----------------------------------------------------------------------------
@primitive
def max_pool(x, **how):
    """Shapes: x (m, c, *size) -> (m, c, *places); padding never wins."""
    whole = padded(x, how["padding"], fill=_least(x))
    return reduce(np.maximum, (whole[slot] for slot in _places(x.shape[2:], **how)))


def _least(x):
    return np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf


def _hits(x, out, how):
    """Yield (place, which windows have their largest entry there), and how many tie in each."""
    whole = padded(x, how["padding"], fill=_least(x))
    hits = [(slot, whole[slot] == out) for slot in _places(x.shape[2:], **how)]
    ties = np.zeros_like(out)
    for _, hit in hits:
        ties += hit
    return hits, np.maximum(ties, 1)  # a window with nan in it has its largest entry nowhere


@primitive
def of_largest(t, x, out, **how):
    """Return the mean of t where the windows on x have their largest entries."""
    whole = padded(t, how["padding"])
    hits, ties = _hits(x, out, how)
    return reduce(np.add, (whole[slot] * hit for slot, hit in hits)) / ties


@primitive
def to_largest(g, x, out, **how):
    """Share g out to where the windows on x have their largest entries."""
    whole = padded(np.zeros_like(g, shape=x.shape), how["padding"])
    hits, ties = _hits(x, out, how)
    share = g / ties
    for slot, hit in hits:
        whole[slot] += hit * share
    return cropped(whole, x.shape[2:], how["padding"])


def places_of_largest(x: Array, out: Array, **how: Any) -> Array:
    """Return where in its channel every window on x has ``out``, its largest entry: the first."""
    size = x.shape[2:]
    whole = padded(x, how["padding"], fill=_least(x))
    places = padded(np.arange(prod(size)).reshape(1, 1, *size), how["padding"])
    first = np.zeros(out.shape, places.dtype)
    for slot in reversed(list(_places(size, **how))):
        seen = whole[slot]
        first = np.where((seen == out) | (seen != seen), places[slot], first)
    return first


rule(
    max_pool,
    vjps=(lambda g, out, x, **how: to_largest(g, x, out, **how),),
    jvps=(lambda t, out, x, **how: of_largest(t, x, out, **how),),
)
# Which entry is the largest does not change: neither depends on x, though it is computed from it.
multilinear(of_largest, lambda g, o, t, x, out, **how: to_largest(g, x, out, **how), None, None)
multilinear(to_largest, lambda h, o, g, x, out, **how: of_largest(h, x, out, **how), None, None)


# ---- the mean --------------------------------------------------------------------------------
@primitive
def avg_pool(x, **how):
    """Shapes: x (m, c, *size) -> (m, c, *places); padding counts as zeros."""
    whole = padded(x, how["padding"])
    seen = (whole[slot] for slot in _places(x.shape[2:], **how))
    return reduce(np.add, seen) / prod(how["kernel"])


@primitive
def spread(g, *, size, **how):
    """Give every entry of a window an equal share of g; (m, c, *places) -> x (m, c, *size)."""
    whole = padded(np.zeros_like(g, shape=(*g.shape[:2], *size)), how["padding"])
    share = g / prod(how["kernel"])
    for slot in _places(size, **how):
        whole[slot] += share
    return cropped(whole, size, how["padding"])


multilinear(avg_pool, lambda g, out, x, **how: spread(g, size=x.shape[2:], **how))
multilinear(spread, lambda h, out, g, size, **how: avg_pool(h, **how))
