"""Maker: makes the terms of the few functions that formulas are written in."""

from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.equations.counting import Count
from tinygrad_dnn.visualize.equations.factor import Factor, factor_of
from tinygrad_dnn.visualize.equations.term import (
    SCALE,
    STRETCH,
    Shape,
    Term,
    Terms,
    factored,
    shape_of,
)

REDUCTIONS = (np.sum, np.max, np.min, np.prod, np.mean, np.std, np.var)


class Maker:
    """Makes terms; ``count`` knows the number of examples.  What is made is ``simplified``."""

    def __init__(self, count: Count) -> None:
        self.count = count
        self._terms = Terms()
        self.one, self.symbol = self._terms.one, self._terms.symbol

    def simplified(self, term: Term) -> Term:
        """Return a term as it is to be written."""
        return term

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
        return self.simplified(self._terms.make(fn, args, shape, options))

    def scaled(self, c: Factor, x: Term) -> Term:
        """Return c x."""
        return self.simplified(self._terms.make(SCALE, (c, x), x.shape, {}))

    def number(self, value: Any) -> Term | None:
        """Return a real, finite number as a term."""
        c = factor_of(value)
        return None if c is None else self.scaled(c, self.one)

    def stretched(self, x: Term, shape: Shape) -> Term:
        """Return x broadcast to ``shape``."""
        if x.shape == shape:
            return x
        return self.simplified(self._terms.make(STRETCH, (x,), shape, {}))

    def mean(self, x: Term, axis: Shape, keepdims: bool) -> Term:
        """Return the sum over ``axis`` divided by how many there are."""
        count = prod(x.shape[i] for i in axis)
        return self.scaled(self.count.one_over(count, axis, x.shape), self.total(x, axis, keepdims))

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
