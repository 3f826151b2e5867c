"""What a constant factor means: 1/m that is missing, a 2 too many, units counted for examples.

The same number may mean several things (at m = 4, 1/2 is 1/sqrt(m) too): all are said, the
simplest first.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

CLOSE = 1e-6
DESCRIPTION = 1.5  # the weight of a change that has no cause to it
MEANT = 1.1  # the weight of meanings that are said beside simpler ones
OWN = 0.95  # the weight of what the equation itself has in it
MOST = 3  # meanings that are said


class Change(NamedTuple):
    """What is said of a change; ``weight`` grows from 1 the less there is behind it."""

    words: str
    weight: float = 1.0


class Sizes(NamedTuple):
    """What a factor may be made of: the number of examples, and of units, by what they are called.

    ``own`` are those of the array in question, ``others`` those of the network besides; ``numbers``
    are other constants of the student's, as lambd, ``keep`` is keep_prob if dropout is in it.
    """

    m: int = 1
    own: Mapping[str, int] = MappingProxyType({})
    others: Mapping[str, int] = MappingProxyType({})
    numbers: Mapping[str, float] = MappingProxyType({})
    keep: float = 1.0


def factor_words(c: float, sizes: Sizes) -> Change:
    """Say what a constant factor means.

    >>> factor_words(32.0, Sizes(32)).words
    'the factor 1/m is missing: it is m = 32 times too large'
    >>> factor_words(-1.0, Sizes()).words
    'the sign is flipped: it is -1 times the right value'
    """
    if abs(c + 1) < CLOSE:
        return Change("the sign is flipped: it is -1 times the right value")
    sign = "the sign is flipped, and " if c < 0 else ""
    c, extra = abs(c), 0.4 if c < 0 else 0.0
    fitting = [
        (words, weight)
        for value, words, weight in (*_meanings(sizes), *_constants(c, sizes))
        if abs(c - value) < CLOSE * value
    ]
    if fitting:
        weight = min(weight for _, weight in fitting)
        fitting.sort(key=lambda meaning: meaning[1])
        said = [words for words, far in fitting if far <= max(weight, MEANT)]
        return Change(sign + either(said), weight + extra)
    if abs(c * 255 - 1) < CLOSE or abs(c / 255 - 1) < CLOSE:
        why = "large: the division by 255 is missing" if c > 1 else "small: a division too many"
        return Change(f"{sign}it is 255 times too {why}", 1.2 + extra)
    for k in range(3, 65):
        if abs(c - k) < CLOSE * k:
            return Change(f"{sign}it is {k} times too large (a factor 1/{k} is missing)", 1.2)
        if abs(c * k - 1) < CLOSE:
            return Change(f"{sign}it is {k} times too small (1/{k} is one too many)", 1.2)
    return Change(f"{sign}it is {c:.6g} times the right value, in every entry", 1.6)


def either(meanings: Sequence[str]) -> str:
    """Say all of them, or the first few.

    >>> either(["half of it", "a third"]), either(["half of it", "half of it"])
    ('half of it; or a third', 'half of it')
    """
    return "; or ".join(list(dict.fromkeys(meanings))[:MOST])


def _meanings(sizes: Sizes) -> Iterator[tuple[float, str, float]]:
    """Yield factors, what they mean, and how far that is fetched; the simplest first."""
    m = sizes.m
    units = [(name, n, 0.0) for name, n in sizes.own.items() if n > 1]
    units += [(name, n, 0.05) for name, n in sizes.others.items() if n > 1]
    yield 2.0, "the factor 2 too much: it is twice the right value", 1.0
    yield (
        0.5,
        "it is half the right value: a factor 2 is missing, or 1/2 is one too many, or, where a "
        "value is used twice, the second contribution is not added (+=)",
        1.0,
    )
    if m > 1:
        often = "is there once too often (twice)"
        yield m, f"the factor 1/m is missing: it is m = {m} times too large", 1.0
        yield 1 / m, f"the factor 1/m {often}: it is m = {m} times too small", 1.0
    for name, n, far in units:
        called = f"{name} = {n}, the number of units (features, classes)"
        if m > 1 and n != m:
            yield m / n, f"it is divided by {called}, instead of by m = {m}", 1.1 + far
            yield n / m, f"it is divided by m = {m} instead of by {called}", 1.2 + far
        yield 1 / n, f"it is divided by {called}, which does not belong", 1.1 + far
        yield n, f"it is multiplied by {called}, or 1/{n} is missing", 1.1 + far
        if m > 1:
            more = f"it is divided by m = {m} once too often, and by {called}"
            yield 1 / (m * n), more, 1.2 + far
    if m > 1:
        yield m * m, f"1/m**2 is missing: it is m**2 = {m * m} times too large", 1.1
        yield 1 / m**2, f"1/m is there three times: it is m**2 = {m * m} times too small", 1.1
        yield 2 * m, "the factor 1/m is missing, and it is doubled (factor 2)", 1.1
        yield m / 2, "the factor 1/m is missing, and it is halved (1/2)", 1.1
        yield 1 / (2 * m), "the factor 1/m is there twice, and it is halved: 1/(2 m)", 1.1
        yield 2 / m, "the factor 1/m is there twice, and it is doubled: 2/m", 1.1
        yield m / (m - 1), f"it is divided by m - 1 instead of m = {m}", 1.1
        yield m / (m + 1), f"it is divided by m + 1 instead of m = {m}", 1.1
        yield (m - 1) / m, f"it is multiplied by (m - 1)/m, m = {m}", 1.1
        yield (
            m**0.5,
            f"the square root of m = {m} stands where m belongs, or 1/sqrt(m) is missing",
            1.1,
        )
        yield m**-0.5, f"1/sqrt(m) is one too many, m = {m}", 1.1


def _constants(c: float, sizes: Sizes) -> Iterator[tuple[float, str, float]]:
    """Yield that a constant of the student's is missing or too much, or the rate of learning."""
    if sizes.keep != 1:
        of = f"keep_prob = {sizes.keep:.4g}"
        yield sizes.keep, f"dropout is not rescaled: it is to be divided by {of}", OWN
        yield 1 / sizes.keep, f"dropout is rescaled twice: divided by {of} once too often", OWN
    for name, value in sizes.numbers.items():
        yield 1 / value, f"the factor {name} = {value:.6g} is missing", 1.1
        yield value, f"the factor {name} = {value:.6g} is one too many", 1.1
    if c < 0.11 and abs(c - float(f"{c:.2g}")) < CLOSE * c and f"{c:.1e}"[2] in "05":
        rate = f"it is {c:.2g} times the right value, as if multiplied by a learning rate"
        yield c, rate, 1.1
