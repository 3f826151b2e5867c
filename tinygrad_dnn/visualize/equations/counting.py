"""Counting: where a number in a formula is m, the number of examples, and where it is itself."""

from fractions import Fraction

import numpy as np

from tinygrad_dnn.visualize.equations.factor import Factor
from tinygrad_dnn.visualize.equations.term import ONE, STRETCH, SYMBOL, Shape, Term, bare, factored


class Count:
    """The number of columns ``m``, or None; ``given`` are the numbers that somebody wrote.

    These are not taken for m where they may well mean something else.
    """

    def __init__(self, m: int | None, given: set[Fraction]) -> None:
        self.m, self._given = m, given
        self._known: set[Fraction] = set()  # what was found to be one over a number of examples

    def runs_over(self, axis: Shape, shape: Shape) -> bool:
        """Say whether a sum over ``axis`` of that ``shape`` is one over the examples."""
        return self.m is not None and 1 in axis and shape[1:] == (self.m,)

    def one_over(self, count: int, axis: Shape, shape: Shape) -> Factor:
        """Return one over the number of entries that a mean over ``axis`` has."""
        value = Fraction(1, count)
        if self.m is None or not self.runs_over(axis, shape):
            return Factor(value)
        self._known.add(value)
        return Factor(value * self.m, -1)

    def many(self, count: int, axis: Shape, shape: Shape) -> Factor:
        """Return the number of entries that a sum over ``axis`` has."""
        if self.m is None or not self.runs_over(axis, shape):
            return Factor(Fraction(count))
        return Factor(Fraction(count, self.m), 1)

    def per_example(self, c: Factor, x: Term) -> Factor | None:
        """Return ``c`` with m in it, if in ``c`` times x it is about the examples."""
        v = abs(c.value)
        if self.m is None or c.m or not v or not self._is_count(v, x, self.m):
            return None
        return Factor(c.value * self.m, -1)

    def _is_count(self, v: Fraction, x: Term, m: int) -> bool:
        """Say whether ``v`` is one over a number of examples, of which it is told by a sum."""
        given = v in self._given or 1 / v in self._given
        rest = bare(factored(bare(x))[1])
        if rest.fn in (ONE, SYMBOL) and not rest.shape:
            return v in self._known and not given
        if rest.ndim == 2 and rest.shape[1] == m and rest.fn is not np.sum:
            return v in self._known or v / 2 in self._known
        rows = _rows(x, m)
        if rows is None or v == 1 or (given and m == 2):  # one half means many things
            return False
        share = v * m
        if share.numerator == 1 and share.denominator in (1, 2, rows, 2 * rows):
            self._known.add(v)
            return True
        return False


def _rows(x: Term, m: int) -> int | None:
    """Return the rows of what is scaled, or summed, if its columns are the examples."""
    _, x = factored(x)
    while x.fn in (np.add, STRETCH) and x.shape[1:] != (m,):
        _, x = factored(x.args[0])
    if x.fn is np.sum and x.args[0].ndim == 2 and 1 in x.options["axis"]:
        x = x.args[0]
    return x.shape[0] if x.ndim == 2 and x.shape[1] == m else None
