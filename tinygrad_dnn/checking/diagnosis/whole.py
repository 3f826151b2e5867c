"""What can be told of a wrong array from the right one alone, without knowing an equation.

A factor, a transpose, rows or columns that are zero, a sum that was not taken: ``changes`` yields
what a mistake makes of the right array, ``compared`` names what makes one array of another.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from tinygrad_dnn.checking.diagnosis.factor import CLOSE, DESCRIPTION, Change, Sizes, factor_words
from tinygrad_dnn.checking.diagnosis.sources import same
from tinygrad_dnn.primitives import Array

ZERO = "it is zero everywhere: never computed, or not connected"
CANCELS = "it is zero but for rounding: what is summed cancels"


def compared(wrong: Array, right: Array, sizes: Sizes) -> Iterator[Change]:
    """Yield what makes ``wrong`` of ``right``; ``sizes`` are numbers a factor may be made of."""
    factor = factor_of(wrong, right, sizes)
    if factor:
        yield factor
    yield from rearranged(wrong, right)


def rearranged(wrong: Array, right: Array) -> Iterator[Change]:
    """Yield what makes ``wrong`` of the entries of ``right``: zeros, another order, sums."""
    if wrong.shape == right.shape and _largest(wrong) <= 1e-12 * _largest(right):
        yield Change(CANCELS if np.any(wrong) else ZERO, 1.2)
        return
    yield from _reordered(wrong, right)
    yield from _summed(wrong, right)
    yield from _limited(wrong, right)
    if wrong.shape == right.shape and right.size > 1:
        yield from _in_part(wrong, right)


def changes(right: Array, sizes: Sizes) -> Iterator[tuple[str, Array]]:
    """Yield what the likely changes make of the right array, in its own shape."""
    for c in factors(sizes):
        yield factor_words(c, sizes).words, c * right
    if right.ndim == 2:
        if right.shape[0] == right.shape[1]:
            yield "it is transposed", right.T
        for axis, line in ((0, "row"), (1, "column")):
            n = right.shape[axis]
            for i in range(n) if 1 < n <= 16 else (0, n - 1) if n > 1 else ():
                without = np.array(right)
                without[(slice(None), i) if axis else i] = 0
                yield f"{line} {i} is forgotten: it is zero", without


def factors(sizes: Sizes) -> list[float]:
    """Return the constants that are tried where nothing can be measured."""
    m = sizes.m
    known = [m, 1 / m, -1.0, 2.0, 0.5, 1 / m**2] if m > 1 else [-1.0, 2.0, 0.5]
    return list(dict.fromkeys(known))


def factor_of(wrong: Array, right: Array, sizes: Sizes) -> Change | None:
    """Return what is said of the factor between two arrays, if there is one."""
    if wrong.shape != right.shape or not np.any(wrong):
        return None
    size = float(np.sum(right * right))
    if not size:
        return None
    c = float(np.sum(wrong * right)) / size
    if not same(wrong, c * right, CLOSE) or abs(c - 1) < 1e-5 or abs(c) < 1e-9:
        return None
    change = factor_words(c, sizes)
    norm = float(np.sqrt(np.sum(wrong * wrong)))
    if c > 0 and change.weight > DESCRIPTION and abs(norm - float(f"{norm:.2g}")) < CLOSE * norm:
        return Change(f"it is scaled to the norm {norm:.2g} (clipped by its norm, or normalised)")
    return change if right.size > 1 or change.weight < 1.1 else None


def _reordered(wrong: Array, right: Array) -> Iterator[Change]:
    if wrong.ndim == right.ndim == 2:
        if wrong.shape != (1, 1) and same(wrong, right.T, CLOSE):
            yield Change("it is transposed")
            return
        if min(right.shape) < 2:
            return
        if wrong.size == right.size and same(wrong, right.reshape(wrong.shape), CLOSE):
            if wrong.shape != right.shape:
                yield Change("it is reshaped where it should be transposed")
        elif wrong.shape == right.shape and same(wrong, right.T.reshape(wrong.shape), CLOSE):
            yield Change("it is reshaped where it should be transposed")
    if wrong.shape != right.shape:
        return
    for axis, n in enumerate(right.shape):
        if n > 1 and same(wrong, np.flip(right, axis), CLOSE):
            yield Change(f"it is reversed along axis {axis}")
        for k in (1, -1):
            if n > 2 and same(wrong, np.roll(right, k, axis), CLOSE):
                yield Change(f"it is shifted by {k} along axis {axis} (off by one)")


def _summed(wrong: Array, right: Array) -> Iterator[Change]:
    """Yield that a sum was not taken, or one too many, or along the wrong axis."""
    if wrong.ndim >= right.ndim and wrong.size > right.size:
        for count in range(1, wrong.ndim + 1):
            for axes in combinations(range(wrong.ndim), count):
                summed = np.sum(wrong, axis=axes)
                if summed.size == right.size and same(summed.ravel(), right.ravel(), CLOSE):
                    yield Change(f"it is not summed over axis {_axes(axes)} (broadcast)")
    for axis, n in enumerate(right.shape):
        if n < 2:
            continue
        for word, value in (
            ("sum", np.sum(right, axis, keepdims=True)),
            ("mean", np.mean(right, axis, keepdims=True)),
        ):
            spread = np.broadcast_to(value, right.shape)
            if same(wrong, spread, CLOSE) or same(wrong.ravel(), value.ravel(), CLOSE):
                yield Change(f"it is the {word} over axis {axis} of the right values", 1.3)


def _limited(wrong: Array, right: Array) -> Iterator[Change]:
    """Yield that entries are clipped, or cut off to integers."""
    if wrong.shape != right.shape or same(wrong, right, CLOSE):
        return
    c = _largest(wrong)
    at_limit = int(np.sum(np.absolute(wrong) > c * (1 - CLOSE)))
    if same(wrong, np.clip(right, -c, c), CLOSE) and (at_limit > 1 or c == float(f"{c:.2g}")):
        yield Change(f"it is clipped: to between -{c:.6g} and {c:.6g}")
    for digits in range(1, 7):
        if np.any(wrong) and not np.array_equal(wrong, np.round(wrong, digits - 1)):
            rounded = np.round(right, digits)
            if wrong.size > 2 and same(wrong, rounded, CLOSE) and not same(right, rounded, CLOSE):
                yield Change(f"it is rounded to {digits} digits after the point")
    if same(wrong, np.trunc(right), CLOSE) and np.any(wrong):
        yield Change("it is cut off to integers: the array's dtype is int")
    elif wrong.size > 2 and same(wrong, np.round(right), CLOSE) and np.any(wrong):
        yield Change("it is rounded to integers")


def _largest(x: Array) -> float:
    return float(np.max(np.absolute(x), initial=0.0))


def _axes(axes: tuple[int, ...]) -> str:
    return str(axes[0]) if len(axes) == 1 else str(axes)


def _in_part(wrong: Array, right: Array) -> Iterator[Change]:
    """Yield what is common to the entries that are wrong, where others are right."""
    size = max(_largest(right), _largest(wrong))
    off = np.absolute(wrong - right) > CLOSE * size
    if not off.any() or off.all():
        return
    zero = bool(np.all(wrong[off] == 0))
    what = "forgotten: zero there" if zero else "wrong"
    weight = 1.0 if zero else 1.5
    if right.ndim == 2:
        for axis, line in ((0, "row"), (1, "column")):
            lines = np.flatnonzero(off.any(axis=1 - axis))
            if right.shape[axis] > 1 and len(lines) == 1:
                if off.sum() == 1 and np.any(np.take(wrong, lines[0], axis)):
                    continue
                yield Change(f"only {line} {lines[0]} is {what}", weight)
                return
    places = [tuple(int(i) for i in place) for place in np.argwhere(off)]
    if len(places) <= 4:
        named = " and ".join(str(list(place)) for place in places)
        yield Change(f"only {named} {'is' if len(places) == 1 else 'are'} {what}", weight)
    elif zero:
        yield Change(
            f"{len(places)} entries are zero that should not be, the rest is right: a mask too "
            f"many, or a contribution forgotten",
            1.5,
        )
