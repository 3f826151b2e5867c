"""What can be told of a wrong array from the right one alone, without knowing an equation.

A factor, a transpose, rows or columns that are zero, a sum that was not taken: ``changes`` yields
what a mistake makes of the right array, ``compared`` names what makes one array of another.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from tinygrad_dnn.checking.diagnosis.reading import same
from tinygrad_dnn.primitives import Array

CLOSE = 1e-6
DESCRIPTION = 1.5  # the weight of a change that has no cause to it


_COMMON = {
    2.0: "the factor 2 too much: it is twice the right value",
    0.5: "it is half the right value: a factor 2 is missing, or 1/2 is one too many, or, where a "
    "value is used twice, the second contribution is not added (+=)",
}


class Change(NamedTuple):
    """What is said of a change; ``weight`` grows from 1 the less there is behind it."""

    words: str
    weight: float = 1.0


def compared(wrong: Array, right: Array, sizes: Mapping[str, int]) -> Iterator[Change]:
    """Yield what makes ``wrong`` of ``right``; ``sizes`` are numbers a factor may be made of."""
    if wrong.shape == right.shape:
        if _largest(wrong) <= 1e-12 * _largest(right):
            yield Change("it is zero everywhere: never computed, or not connected", 1.2)
            return
        if (change := _factor(wrong, right, sizes)) is not None:
            yield change
    yield from _rearranged(wrong, right)
    yield from _summed(wrong, right)
    if wrong.shape == right.shape and right.size > 1:
        yield from _in_part(wrong, right)


def changes(right: Array, sizes: Mapping[str, int]) -> Iterator[tuple[str, Array]]:
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


def factors(sizes: Mapping[str, int]) -> list[float]:
    """Return the constants that are tried where nothing can be measured."""
    m = sizes.get("m", 1)
    known = [m, 1 / m, -1.0, 2.0, 0.5, 1 / m**2] if m > 1 else [-1.0, 2.0, 0.5]
    return list(dict.fromkeys(known))


def factor_words(c: float, sizes: Mapping[str, int]) -> Change:
    """Say what a constant factor means.

    >>> factor_words(32.0, {"m": 32}).words
    'the factor 1/m is missing: it is m = 32 times too large'
    >>> factor_words(-1.0, {}).words
    'the sign is flipped: it is -1 times the right value'
    """
    if abs(c + 1) < CLOSE:
        return Change("the sign is flipped: it is -1 times the right value")
    sign = "the sign is flipped, and " if c < 0 else ""
    c, extra = abs(c), 0.4 if c < 0 else 0.0
    known = [(_of_size("m", sizes.get("m", 1)), 1.0), (_COMMON, 1.0)]
    known += [(_of_size(size, n), 1.2) for size, n in sizes.items() if size != "m"]
    for table, weight in known:
        for value, words in table.items():
            if abs(c - value) < CLOSE * value:
                return Change(sign + words, weight + extra)
    for k in range(3, 65):
        if abs(c - k) < CLOSE * k:
            return Change(f"{sign}it is {k} times too large (a factor 1/{k} is missing)", 1.2)
        if abs(c * k - 1) < CLOSE:
            return Change(f"{sign}it is {k} times too small (1/{k} is one too many)", 1.2)
    return Change(f"{sign}it is {c:.6g} times the right value, in every entry", 1.6)


def _of_size(size: str, n: int) -> dict[float, str]:
    """Return what factors made of a number say, m in the first place."""
    if n < 2:
        return {}
    plain = {
        n: f"the factor 1/{size} is missing: it is {size} = {n} times too large",
        1 / n: f"the factor 1/{size} is there once too often (twice): it is {size} = {n} times "
        f"too small",
    }
    if size != "m":
        return {value: words for value, words in plain.items() if n > 2}
    if n == 2:
        plain = {value: f"{words}; or {_COMMON[value]}" for value, words in plain.items()}
    return plain | {
        n * n: f"1/m**2 is missing: it is m**2 = {n * n} times too large",
        1 / n**2: f"1/m is there three times: it is m**2 = {n * n} times too small",
        n**0.5: f"the square root of m = {n} stands where m belongs, or 1/sqrt(m) is missing",
        n**-0.5: f"1/sqrt(m) is one too many, m = {n}",
        2 * n: "the factor 1/m is missing, and it is doubled (factor 2)",
        n / 2: "the factor 1/m is missing, and it is halved (1/2)",
        n / (n - 1): f"it is divided by m - 1 instead of m = {n}",
        (n - 1) / n: f"it is divided by m + 1, or multiplied by (m - 1)/m, m = {n}",
    }


def _factor(wrong: Array, right: Array, sizes: Mapping[str, int]) -> Change | None:
    size = float(np.sum(right * right))
    if not size:
        return None
    c = float(np.sum(wrong * right)) / size
    if not same(wrong, c * right, CLOSE) or abs(c - 1) < 1e-5 or abs(c) < 1e-9:
        return None
    change = factor_words(c, sizes)
    return change if right.size > 1 or change.weight < 1.1 else None


def _rearranged(wrong: Array, right: Array) -> Iterator[Change]:
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
