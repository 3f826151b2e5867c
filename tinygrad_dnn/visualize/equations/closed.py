"""Closed: the derivative of J by one quantity, in terms of the forward pass alone."""

from typing import Any

from tinygrad_dnn.visualize.equations.algebra import Algebra
from tinygrad_dnn.visualize.equations.derive import D, Derivation, Step
from tinygrad_dnn.visualize.equations.factor import PER_EXAMPLE
from tinygrad_dnn.visualize.equations.term import SCALE, STRETCH, SYMBOL, Term, meaning


def closed_form(derivation: Derivation, what: D) -> Term:
    """Return the derivative of J by ``what.of`` with all of the backward pass put into it."""
    term = derivation.equations[what]
    if derivation.scales(what):
        term = derivation.algebra.scaled(PER_EXAMPLE, term)
    return _substituted(derivation.algebra, term, derivation.equations)


def _substituted(algebra: Algebra, term: Term, equations: dict[Any, Term]) -> Term:
    """Return a term in which the symbols of the backward pass are replaced by what they are."""
    done: dict[Term, Term] = {}
    stack = [term]
    while stack:
        now = stack[-1]
        what = meaning(now) if now.fn == SYMBOL else None
        inner = [equations[what]] if isinstance(what, D | Step) else list(now.parts)
        todo = [t for t in inner if t not in done]
        if todo:
            stack += todo
            continue
        stack.pop()
        if isinstance(what, D | Step):
            done[now] = done[inner[0]]
        elif now.fn == SCALE:
            done[now] = algebra.scaled(now.args[0], done[now.args[1]])
        elif now.fn == STRETCH:
            done[now] = algebra.stretched(done[now.args[0]], now.shape)
        elif inner:
            args = [done[a] if isinstance(a, Term) else a for a in now.args]
            options = {k: done[v] if isinstance(v, Term) else v for k, v in now.options.items()}
            done[now] = algebra.call(now.fn, *args, shape=now.shape, options=options)
        else:
            done[now] = now
    return done[term]
