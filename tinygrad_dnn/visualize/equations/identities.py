"""Identities: what a person does to a formula before writing it down, a table of rewriting rules.

Each line is an identity of algebra; none is a derivative.  ``x * y`` multiplies entry by entry,
``x @ y`` is the matrix product, ``c`` and ``d`` are constant factors, ``total`` is a sum, over
whatever axes.  Sums and products match in both orders.  A line is used only where both sides have
the same shape, so a factor 1 that stretches its neighbour stays.
"""

from fractions import Fraction
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.equations.factor import MINUS, UNIT, Factor
from tinygrad_dnn.visualize.equations.term import ONE, SCALE, Term


class Form:
    """A pattern: a call of ``fn`` on patterns, variables and factors."""

    def __init__(self, fn: Any, *args: Any) -> None:
        self.fn, self.args = fn, args

    def __add__(self, other: "Form") -> "Form":
        return Form(np.add, self, other)

    def __sub__(self, other: "Form") -> "Form":
        return self + -other

    def __neg__(self) -> "Form":
        return Form(SCALE, Constant(MINUS), self)

    def __mul__(self, other: "Form") -> "Form":
        return Form(np.multiply, self, other)

    def __truediv__(self, other: "Form") -> "Form":
        return Form(np.divide, self, other)

    def __matmul__(self, other: "Form") -> "Form":
        return Form(np.matmul, self, other)

    def __pow__(self, n: int) -> "Form":
        return Form(np.power, self, number(n))

    @property
    def T(self) -> "Form":
        """The transpose."""
        return Form(np.transpose, self)


class Variable(Form):
    """Any term, the same one wherever it stands in a pattern."""

    def __init__(self) -> None:
        super().__init__(None)


class Factors:
    """A factor in a pattern: ``c * x`` is a scaled term."""

    def __mul__(self, x: Any) -> Any:
        return _Product(self, x) if isinstance(x, Factors) else Form(SCALE, self, x)

    def __add__(self, other: "Factors") -> "Factors":
        return _Sum(self, other)

    def value(self, found: dict[Any, Any]) -> Factor:
        """Return what it is once its variables are ``found``; ArithmeticError if it is nothing."""
        factor: Factor = found[self]
        return factor


class Constant(Factors):
    """One certain factor."""

    def __init__(self, factor: Factor) -> None:
        self.factor = factor

    def value(self, found: dict[Any, Any]) -> Factor:
        return self.factor


class _Product(Factors):
    def __init__(self, c: Factors, d: Factors) -> None:
        self.c, self.d = c, d

    def value(self, found: dict[Any, Any]) -> Factor:
        return self.c.value(found) * self.d.value(found)


class _Sum(_Product):
    def value(self, found: dict[Any, Any]) -> Factor:
        c, d = self.c.value(found), self.d.value(found)
        if c.m != d.m:
            raise ArithmeticError
        return c + d


class _Inverse(Factors):
    def __init__(self, c: Factors) -> None:
        self.c = c

    def value(self, found: dict[Any, Any]) -> Factor:
        return self.c.value(found).inverse


def total(x: Form) -> Form:
    """Return the pattern of a sum of ``x``."""
    return Form(np.sum, x)


def root(x: Form) -> Form:
    """Return the pattern of a square root."""
    return Form(np.sqrt, x)


def where(condition: Form, x: Form, y: Form) -> Form:
    """Return the pattern of a choice, entry by entry."""
    return Form(np.where, condition, x, y)


def outer(x: Form, y: Form) -> Form:
    """Return the pattern of the outer product of two vectors."""
    return Form(np.outer, x, y)


def equal(x: Form, y: Form) -> Form:
    """Return the pattern of a comparison."""
    return Form(np.equal, x, y)


def larger(x: Form, y: Form) -> Form:
    """Return the pattern of the larger one, entry by entry."""
    return Form(np.maximum, x, y)


def smaller(x: Form, y: Form) -> Form:
    """Return the pattern of the smaller one, entry by entry."""
    return Form(np.minimum, x, y)


def is_zero(x: Form) -> Form:
    """Return the pattern of the comparison with 0."""
    return equal(x, zero)


def log(x: Form) -> Form:
    """Return the pattern of a logarithm."""
    return Form(np.log, x)


def number(n: int) -> Form:
    """Return the pattern of a number: a factor times one."""
    return one if n == 1 else Form(SCALE, Constant(Factor(Fraction(n))), one)


one = Form(ONE)
zero = number(0)
x, y, z = Variable(), Variable(), Variable()
c, d = Factors(), Factors()
unit = Constant(UNIT)

IDENTITIES: tuple[tuple[Form, Form], ...] = (
    # what changes nothing
    (unit * x, x),
    (x * one, x),
    (x / one, x),
    (x + zero, x),
    (x**1, x),
    (x.T.T, x),
    # constants move to the front
    (c * (d * x), (c * d) * x),
    ((c * x) * y, c * (x * y)),
    ((c * x) / y, c * (x / y)),
    (x / (c * y), _Inverse(c) * (x / y)),
    ((c * x) @ y, c * (x @ y)),
    (x @ (c * y), c * (x @ y)),
    ((c * x).T, c * x.T),
    (total(c * x), c * total(x)),
    (c * x + c * y, c * (x + y)),
    # the same thing twice
    (x + x, Constant(UNIT + UNIT) * x),
    (c * x + x, (c + unit) * x),
    (c * x + d * x, (c + d) * x),
    (x * x, x**2),
    (x**2 * x, x**3),
    (root(x) ** 2, x),
    # quotients
    (x * (y / z), (x * y) / z),
    ((x / y) / z, x / (y * z)),
    (x / (y / z), (x * z) / y),
    # matrices
    ((x @ y).T, y.T @ x.T),
    (outer(x, y).T, outer(y, x)),
    # which one is the larger
    (equal(larger(x, y), x), Form(np.greater_equal, x, y)),
    (equal(smaller(x, y), x), Form(np.less_equal, x, y)),
    # 0 log 0 counts as 0
    (x * log(where(is_zero(x), one, y)), x * log(y)),
)

COMMUTES = (np.add, np.multiply, np.maximum, np.minimum)
BY_FUNCTION: dict[Any, list[tuple[Form, Form]]] = {}
for _left, _right in IDENTITIES:
    BY_FUNCTION.setdefault(_left.fn, []).append((_left, _right))


def match(form: Form, term: Term, found: dict[Any, Any]) -> dict[Any, Any] | None:
    """Return what each variable of ``form`` is in ``term``, given those ``found``; None if not."""
    if isinstance(form, Variable):
        return {**found, form: term} if found.get(form, term) is term else None
    if term.fn != form.fn or len(term.args) != len(form.args):
        return None
    if form.fn is np.sum:
        found = {**found, "sum": term.options}
    orders = [term.args, term.args[::-1]] if form.fn in COMMUTES else [term.args]
    for args in orders:
        answer: dict[Any, Any] | None = found
        for part, a in zip(form.args, args, strict=True):
            if answer is not None:
                answer = _matched(part, a, answer)
        if answer is not None:
            return answer
    return None


def _matched(part: Any, a: Any, found: dict[Any, Any]) -> dict[Any, Any] | None:
    if not isinstance(part, Factors):
        return match(part, a, found) if isinstance(a, Term) else None
    if isinstance(part, Constant):
        return found if part.factor == a else None
    return {**found, part: a} if found.get(part, a) == a else None
