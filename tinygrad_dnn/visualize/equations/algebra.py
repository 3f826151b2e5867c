"""Algebra: makes terms as a person would write them: the identities are applied as they are made.

Knows m, the number of columns, and finds it again where a formula divides by that number.
"""

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.equations import factor as factors
from tinygrad_dnn.visualize.equations.factor import Factor, factor_of
from tinygrad_dnn.visualize.equations.identities import (
    BY_FUNCTION,
    Factors,
    Variable,
    match,
)
from tinygrad_dnn.visualize.equations.term import (
    ONE,
    SCALE,
    STRETCH,
    Shape,
    Term,
    Terms,
    factored,
    shape_of,
)

REDUCTIONS = (np.sum, np.max, np.min, np.prod, np.mean, np.std, np.var)
ENTRYWISE = (np.add, np.multiply, np.divide, np.power)


class Algebra:
    """Makes simplified terms.  ``m`` is the number of columns, or None; ``given`` the numbers that
    somebody wrote, which are not taken for m where they may mean something else.
    """  # noqa: D205

    def __init__(self, m: int | None = None, given: set[Fraction] | None = None) -> None:
        self.m, self._given = m, given or set()
        self._terms = Terms()
        self.one, self.symbol = self._terms.one, self._terms.symbol
        self._counts: set[Fraction] = set()  # numbers found to be one over a number of examples
        self._simple: dict[Term, Term] = {}

    # ---- making terms ------------------------------------------------------------------------
    def call(
        self,
        fn: Any,
        *args: Any,
        shape: Shape | None = None,
        options: dict[str, Any] | None = None,
    ) -> Term:
        """Return ``fn`` of ``args``, simplified; ``shape`` is needed where no identity makes it."""
        options = options or {}
        if shape is None:
            shape = shape_of(fn, args, options)
        return self._simplified(self._terms.make(fn, args, shape, options))

    def scaled(self, c: Factor, x: Term) -> Term:
        """Return c x."""
        return self._simplified(self._terms.make(SCALE, (c, x), x.shape, {}))

    def number(self, value: Any) -> Term | None:
        """Return a real, finite number as a term."""
        c = factor_of(value)
        return None if c is None else self.scaled(c, self.one)

    def stretched(self, x: Term, shape: Shape) -> Term:
        """Return x broadcast to ``shape``."""
        if x.shape == shape:
            return x
        return self._simplified(self._terms.make(STRETCH, (x,), shape, {}))

    def mean(self, x: Term, axis: Shape, keepdims: bool) -> Term:
        """Return the sum over ``axis`` divided by how many there are."""
        count = prod(x.shape[i] for i in axis)
        return self.scaled(self.one_over(count, x, axis), self.total(x, axis, keepdims))

    def total(self, x: Term, axis: Shape, keepdims: bool) -> Term:
        """Return the sum over ``axis``."""
        if all(x.shape[i] == 1 for i in axis):
            if keepdims or not axis:
                return x
            if len(axis) < x.ndim:
                return self._without(x, axis)
        if len(axis) == x.ndim and keepdims:
            whole = self.call(np.sum, x, options={"axis": axis})
            return self.stretched(whole, (1,) * x.ndim)
        options = {"axis": axis, "keepdims": True} if keepdims else {"axis": axis}
        return self.call(np.sum, x, options=options)

    def _kept_axes(self, x: Term, shape: Shape) -> Term | None:
        """Return a reduction that is given back its axes as one that keeps them."""
        axis = x.options.get("axis")
        if x.fn not in REDUCTIONS or axis is None or x.options.get("keepdims"):
            return None
        before = x.args[0].shape
        axes = {i % len(before) for i in (axis if isinstance(axis, tuple) else (axis,))}
        if shape != tuple(1 if i in axes else n for i, n in enumerate(before)):
            return None
        return self.call(x.fn, *x.args, shape=shape, options={**x.options, "keepdims": True})

    def _without(self, x: Term, axis: Shape) -> Term:
        """Return x without some axes of length one."""
        c, inner = factored(x)
        if inner.fn is np.matmul and axis == (0,) and inner.ndim == 2:
            row, b = inner.args  # a vector written as a row times a matrix
            if row.fn == STRETCH and row.args[0].ndim <= 1:
                short = self.call(np.matmul, self.stretched(row.args[0], row.shape[1:]), b)
                return short if c is None else self.scaled(c, short)
        return self.reshaped(x, tuple(n for i, n in enumerate(x.shape) if i not in axis))

    def one_over(self, count: int, x: Term, axis: Shape) -> Factor:
        """Return one over the number of entries that a mean of x over ``axis`` has."""
        c = Factor(Fraction(1, count))
        if self.m and 1 in axis and x.shape[1:] == (self.m,):
            self._counts.add(c.value)
            return Factor(c.value * self.m, -1)
        return c

    def reshaped(self, x: Term, shape: Shape) -> Term:
        """Return the entries of x in another shape."""
        while x.fn is np.reshape:
            x = x.args[0]
        c, x = factored(x)
        if x.fn == STRETCH and x.args[0].shape == ():
            whole = self.stretched(x.args[0], shape)
            return whole if c is None else self.scaled(c, whole)
        if (kept := self._kept_axes(x, shape)) is not None:
            return kept if c is None else self.scaled(c, kept)
        if x.fn is np.matmul and len(shape) == x.args[0].ndim - 1 and shape:
            a, column = x.args  # a matrix times a vector written as a column
            if column.fn is np.reshape and column.args[0].ndim == 1:
                x = self.call(np.matmul, a, column.args[0])
            elif column.fn == STRETCH and column.args[0].shape == ():
                x = self.call(np.matmul, a, self.stretched(column.args[0], column.shape[:1]))
        if x.shape != shape:
            x = self.call(np.reshape, x, shape, shape=shape)
        return x if c is None else self.scaled(c, x)

    def sums_to_one(self, x: Term) -> None:
        """Take note that the sum of every column of x is 1."""
        total = self._terms.make(np.sum, (x,), (1, x.shape[1]), {"axis": (0,), "keepdims": True})
        self._simple[total] = self.stretched(self.one, total.shape)

    # ---- simplifying -------------------------------------------------------------------------
    def _simplified(self, term: Term) -> Term:
        if term not in self._simple:
            self._simple[term] = self._rewritten(term) or term
        return self._simple[term]

    def _rewritten(self, term: Term) -> Term | None:
        """Return what one step makes of a term, and all steps after it; None if nothing does."""
        for left, right in BY_FUNCTION.get(term.fn, ()):
            found = match(left, term, {})
            if found is not None:
                answer: Term | None = self._written(right, found)
                if answer is not None and answer.shape == term.shape:
                    return answer
        for step in (
            self._as_per_example,
            self._vanished,
            self._positive_first,
            self._chained,
            self._per_example,
            self._distributed,
            self._outer,
            self._unstretched,
            self._counted,
        ):
            if (other := step(term)) is not None and other.shape == term.shape:
                return other
        return None

    def _written(self, form: Any, found: dict[Any, Any]) -> Any:
        """Return a pattern as a term, its variables being what was ``found``."""
        if isinstance(form, Variable):
            return found[form]
        if form.fn == ONE:
            return self.one
        if form.fn == SCALE:
            c: Factors = form.args[0]
            try:
                factor = c.value(found)
            except ArithmeticError:
                return None
            inner = self._written(form.args[1], found)
            return None if inner is None else self.scaled(factor, inner)
        args = [self._written(part, found) for part in form.args]
        if any(a is None for a in args):
            return None
        return self.call(form.fn, *args, options=found["sum"] if form.fn is np.sum else None)

    def _as_per_example(self, term: Term) -> Term | None:
        """Write 1/8 as 1/m, where 8 is the number of examples that a term is about."""
        if term.fn != SCALE or not self.m or self.m < 2 or term.args[0].m:
            return None
        c, x = term.args
        v = abs(c.value)
        if v not in self._counts and not self._is_count(v, x):
            return None
        self._counts.add(v)
        return self.scaled(Factor(c.value * self.m, -1), x)

    def _is_count(self, v: Fraction, x: Term) -> bool:
        rows = _rows(x, self.m or 0)
        if rows is None or not v:
            return False
        given = v in self._given or 1 / v in self._given
        if given and self.m == 2:  # one half means many things
            return False
        rest = v * (self.m or 0)
        return rest.numerator in ((1,) if given else (1, 2)) and rest.denominator in (
            1, 2, rows, 2 * rows,
        )  # fmt: skip

    def _vanished(self, term: Term) -> Term | None:
        """Write 0 x as 0, x to the power 0 as 1."""
        if term.fn is np.power and term.args[1] is self.number(0):
            return self.stretched(self.one, term.shape)
        if term.fn != SCALE or term.args[0].value or term.args[1] is self.one:
            return None
        return self.stretched(self.scaled(Factor(Fraction(0)), self.one), term.shape)

    def _positive_first(self, term: Term) -> Term | None:
        """Write -x + y as y - x."""
        if term.fn is not np.add:
            return None
        signs = [(factored(t)[0] or factors.UNIT).value < 0 for t in term.args]
        return self.call(np.add, *term.args[::-1]) if signs == [True, False] else None

    def _chained(self, term: Term) -> Term | None:
        """Write x (y z) as x y z, entry by entry."""
        x, y = (*term.args, None)[:2]
        if term.fn is not np.multiply or y.fn is not np.multiply:
            return None
        return self.call(np.multiply, self.call(np.multiply, x, y.args[0]), y.args[1])

    def _distributed(self, term: Term) -> Term | None:
        """Write m (x / m + y) as x + m y."""
        if term.fn != SCALE or term.args[0].m < 1 or term.args[1].fn is not np.add:
            return None
        c, (x, y) = term.args[0], term.args[1].args
        if all((factored(t)[0] or factors.UNIT).m >= 0 for t in (x, y)):
            return None
        return self.call(np.add, self.scaled(c, x), self.scaled(c, y))

    def _per_example(self, term: Term) -> Term | None:
        """Write x / m + y / m^2 as (x + y / m) / m."""
        if term.fn is not np.add:
            return None
        powers = [(factored(t)[0] or factors.UNIT).m for t in term.args]
        if max(powers) >= 0:
            return None
        common = Factor(Fraction(1), max(powers))
        return self.scaled(
            common, self.call(np.add, *(self.scaled(common.inverse, t) for t in term.args))
        )

    def _outer(self, term: Term) -> Term | None:
        """Write a column times a row, of vectors, as their outer product."""
        if term.fn is not np.multiply or term.ndim != 2:
            return None
        for column, row in (term.args, term.args[::-1]):
            if row.fn == STRETCH and row.args[0].ndim <= 1 == row.shape[0]:
                row = self.stretched(row.args[0], row.shape[1:])
            if column.fn is np.reshape and column.args[0].ndim == row.ndim == 1:
                return self.call(np.outer, column.args[0], row, shape=term.shape)
        return None

    def _unstretched(self, term: Term) -> Term | None:
        """Let entrywise functions do the broadcasting; take factors out of it."""
        if term.fn == STRETCH:
            (x,) = term.args
            c, rest = factored(x)
            if c is not None and rest is not self.one:
                return self.scaled(c, self.stretched(rest, term.shape))
            if x.fn == STRETCH:
                return self.stretched(x.args[0], term.shape)
        if term.fn in ENTRYWISE or _is_entrywise(term):
            for i, x in enumerate(term.args):
                inner = _stretched_inside(x)
                if inner is None:
                    continue
                c, x = inner
                x = x if c is None else self.scaled(c, x)
                args = (*term.args[:i], x, *term.args[i + 1 :])
                shape = np.broadcast_shapes(*(a.shape for a in args if isinstance(a, Term)))
                inside = self.call(term.fn, *args, shape=shape, options=term.options)
                return self.stretched(inside, term.shape)
        return None

    def _counted(self, term: Term) -> Term | None:
        """Write a sum of equal terms as their number times one of them."""
        if term.fn is not np.sum or (inner := _stretched_inside(term.args[0])) is None:
            return None
        (c, x), stretched = inner, term.args[0].shape
        x = x if c is None else self.scaled(c, x)
        own = (1,) * (len(stretched) - x.ndim) + x.shape
        axis = term.options["axis"]
        if any(own[i] != 1 for i in axis) or x.ndim > len(term.shape):
            return None
        count = prod(stretched[i] for i in axis)
        many = Factor(Fraction(count))
        if self.m and 1 in axis and stretched[1:] == (self.m,):
            many = Factor(Fraction(count, self.m), 1)
        return self.scaled(many, self.stretched(x, term.shape))


def _is_entrywise(term: Term) -> bool:
    return isinstance(term.fn, np.ufunc) and term.fn.signature is None


def _stretched_inside(x: Any) -> tuple[Factor | None, Term] | None:
    """Return a stretched term, without the stretching, and the factor before it."""
    if not isinstance(x, Term):
        return None
    c, rest = factored(x)
    return (c, rest.args[0]) if rest.fn == STRETCH else None


def _rows(x: Term, m: int) -> int | None:
    """Return the rows of what is scaled, or summed, if its columns are the examples."""
    _, x = factored(x)
    while x.fn in (np.add, STRETCH) and x.shape[1:] != (m,):
        _, x = factored(x.args[0])
    if x.fn is np.sum and x.args[0].ndim == 2 and 1 in x.options["axis"]:
        x = x.args[0]
    return x.shape[0] if x.ndim == 2 and x.shape[1] == m else None
