"""Algebra: makes terms as a person would write them: applies the identities as they are made."""

from fractions import Fraction
from typing import Any

import numpy as np

from tinygrad_dnn.visualize.equations.counting import Count
from tinygrad_dnn.visualize.equations.identities import BY_FUNCTION, Factors, Variable, match
from tinygrad_dnn.visualize.equations.maker import Maker
from tinygrad_dnn.visualize.equations.steps import STEPS
from tinygrad_dnn.visualize.equations.term import ONE, SCALE, Term


class Algebra(Maker):
    """Makes simplified terms.  ``m`` and ``given`` as ``Count`` has them."""

    def __init__(self, m: int | None = None, given: set[Fraction] | None = None) -> None:
        super().__init__(Count(m, given or set()))
        self._simple: dict[Term, Term] = {}
        self._facts: dict[Term, Term] = {}
        self.used_facts: dict[Term, None] = {}  # terms whose columns had to sum to 1

    def sums_to_one(self, x: Term) -> None:
        """Take note that the sum of every column of x is 1."""
        total = self._terms.make(np.sum, (x,), (1, x.shape[1]), {"axis": (0,), "keepdims": True})
        self._facts[total] = x
        self._simple[total] = self.stretched(self.one, total.shape)

    def simplified(self, term: Term) -> Term:
        if term in self._facts:
            self.used_facts[self._facts[term]] = None
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
        for step in STEPS:
            if (other := step(self, term)) is not None and other.shape == term.shape:
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
