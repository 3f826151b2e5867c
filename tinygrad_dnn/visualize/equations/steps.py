"""Steps: the identities that ask for shapes or signs, and so are no plain patterns.

Each is a function of a term that returns what to write instead, or None.
"""

from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.equations.factor import MINUS, UNIT, Factor
from tinygrad_dnn.visualize.equations.maker import Maker
from tinygrad_dnn.visualize.equations.term import SCALE, STRETCH, SYMBOL, Term, bare, factored

ENTRYWISE = (np.add, np.multiply, np.divide, np.power, np.where)


def per_example(make: Maker, term: Term) -> Term | None:
    """Write 1/8 as 1/m, where 8 is the number of examples that a term is about."""
    if term.fn != SCALE:
        return None
    c, x = term.args
    counted = make.count.per_example(c, x)
    return None if counted is None else make.scaled(counted, x)


def vanished(make: Maker, term: Term) -> Term | None:
    """Write 0 x as 0, x to the power 0 and 1 to any power as 1."""
    if term.fn is np.power and (term.args[1] is make.number(0) or term.args[0] is make.one):
        return make.stretched(make.one, term.shape)
    zero = Factor(Fraction(0))
    if term.fn is np.matmul and any(factored(bare(t))[0] == zero for t in term.args):
        return make.stretched(make.scaled(zero, make.one), term.shape)
    if term.fn != SCALE or term.args[0].value or term.args[1] is make.one:
        return None
    return make.stretched(make.scaled(zero, make.one), term.shape)


def positive_first(make: Maker, term: Term) -> Term | None:
    """Write -x + y as y - x, unless x is a sum over the examples, as a cost is."""
    if term.fn is not np.add or factored(term.args[0])[1].fn is np.sum:
        return None
    signs = [(factored(t)[0] or UNIT).value < 0 for t in term.args]
    return make.call(np.add, *term.args[::-1]) if signs == [True, False] else None


def penalty_last(make: Maker, term: Term) -> Term | None:
    """Write 0.1 W + dZ Xᵀ as dZ Xᵀ + 0.1 W, and 0.1 Σ W^2 + J as J + 0.1 Σ W^2.

    But 0.1 W - dZ Xᵀ stays, as what is positive comes first.
    """
    if term.fn is not np.add:
        return None
    (c, x), (d, y) = (factored(t) for t in term.args)
    if c is None or c.m or c.value < 0:
        return None
    comes_first = y.fn is np.sum or ((d or UNIT).value > 0 and y.fn in (np.matmul, np.add))
    gradient = x.fn == SYMBOL and comes_first and y.cost > 0
    cost = x.fn is np.sum and y.fn is np.sum and d is not None and d.m < 0
    return make.call(np.add, *term.args[::-1]) if gradient or cost else None


def turned(make: Maker, term: Term) -> Term | None:
    """Write -(x - y) as y - x, but not -(1 - y), as 1 - y is a thing of its own."""
    if term.fn != SCALE or term.args[0].value > 0 or term.args[1].fn is not np.add:
        return None
    c, (x, y) = term.args[0] * MINUS, term.args[1].args
    if x is make.one or (factored(y)[0] or UNIT).value > 0:
        return None
    return make.scaled(c, make.call(np.add, make.scaled(MINUS, y), make.scaled(MINUS, x)))


def chained(make: Maker, term: Term) -> Term | None:
    """Write x (y z) as x y z, entry by entry."""
    x, y = (*term.args, None)[:2]
    if term.fn is not np.multiply or y.fn is not np.multiply:
        return None
    return make.call(np.multiply, make.call(np.multiply, x, y.args[0]), y.args[1])


def distributed(make: Maker, term: Term) -> Term | None:
    """Write m (x / m + y) as x + m y."""
    if term.fn != SCALE or term.args[0].m < 1 or term.args[1].fn is not np.add:
        return None
    c, (x, y) = term.args[0], term.args[1].args
    if all((factored(t)[0] or UNIT).m >= 0 for t in (x, y)):
        return None
    return make.call(np.add, make.scaled(c, x), make.scaled(c, y))


def common(make: Maker, term: Term) -> Term | None:
    """Write x / m + y / m^2 as (x + y / m) / m."""
    if term.fn is not np.add:
        return None
    powers = [(factored(t)[0] or UNIT).m for t in term.args]
    if max(powers) >= 0:
        return None
    common = Factor(Fraction(1), max(powers))
    return make.scaled(
        common, make.call(np.add, *(make.scaled(common.inverse, t) for t in term.args))
    )


def outer(make: Maker, term: Term) -> Term | None:
    """Write a column times a row, of vectors, as their outer product."""
    if term.fn is not np.multiply or term.ndim != 2:
        return None
    for column, row in (term.args, term.args[::-1]):
        if row.fn == STRETCH and row.args[0].ndim <= 1 == row.shape[0]:
            row = make.stretched(row.args[0], row.shape[1:])
        if column.fn is np.reshape and column.args[0].ndim == row.ndim == 1:
            return make.call(np.outer, column.args[0], row, shape=term.shape)
    return None


def unstretched(make: Maker, term: Term) -> Term | None:
    """Let entrywise functions do the broadcasting; take factors out of it."""
    if term.fn is np.transpose and bare(term.args[0]).shape == ():
        return make.stretched(bare(term.args[0]), term.shape)
    if term.fn == STRETCH:
        (x,) = term.args
        c, rest = factored(x)
        if c is not None and rest is not make.one:
            return make.scaled(c, make.stretched(rest, term.shape))
        if x.fn == STRETCH:
            return make.stretched(x.args[0], term.shape)
    if term.fn in ENTRYWISE or _is_entrywise(term):
        for i, x in enumerate(term.args):
            inner = _stretched_inside(x)
            if inner is None:
                continue
            c, x = inner
            x = x if c is None else make.scaled(c, x)
            args = (*term.args[:i], x, *term.args[i + 1 :])
            shape = np.broadcast_shapes(*(a.shape for a in args if isinstance(a, Term)))
            inside = make.call(term.fn, *args, shape=shape, options=term.options)
            return make.stretched(inside, term.shape)
    return None


def counted(make: Maker, term: Term) -> Term | None:
    """Write a sum of equal terms as their number times one of them."""
    if term.fn is not np.sum or (inner := _stretched_inside(term.args[0])) is None:
        return None
    (c, x), stretched = inner, term.args[0].shape
    x = x if c is None else make.scaled(c, x)
    own = (1,) * (len(stretched) - x.ndim) + x.shape
    axis = term.options["axis"]
    if any(own[i] != 1 for i in axis) or x.ndim > len(term.shape):
        return None
    count = prod(stretched[i] for i in axis)
    many = make.count.many(count, axis, stretched)
    return make.scaled(many, make.stretched(x, term.shape))


def _is_entrywise(term: Term) -> bool:
    return isinstance(term.fn, np.ufunc) and term.fn.signature is None


def _stretched_inside(x: Any) -> tuple[Factor | None, Term] | None:
    """Return a stretched term, without the stretching, and the factor before it."""
    if not isinstance(x, Term):
        return None
    c, rest = factored(x)
    return (c, rest.args[0]) if rest.fn == STRETCH else None


STEPS: tuple[Callable[[Maker, Term], Term | None], ...] = (
    per_example,
    vanished,
    positive_first,
    penalty_last,
    turned,
    chained,
    common,
    distributed,
    outer,
    unstretched,
    counted,
)
