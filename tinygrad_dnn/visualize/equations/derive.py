"""Derive: which quantities get an equation of their own, and what stands in it.

What a layer or a user has named does, and what several equations need.  All formulas are read off
the record: the forward calls, and the calls that the rules made on the way back.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node, ancestors
from tinygrad_dnn.visualize.equations.algebra import Algebra
from tinygrad_dnn.visualize.equations.factor import MINUS, PER_EXAMPLE, TIMES_M, factor_of
from tinygrad_dnn.visualize.equations.naming import columns, guessed
from tinygrad_dnn.visualize.equations.record import Record
from tinygrad_dnn.visualize.equations.term import ONE, SCALE, STRETCH, SYMBOL, Term, factored
from tinygrad_dnn.visualize.equations.translate import holds_numbers, translated

LONGEST = 26  # parts of a formula; a longer one is written in two
FEW = 8  # constants with which others are compared
EPS = 2.0**-52
HEAVY = 2  # calls in a formula that is not written twice


@dataclass(frozen=True)
class D:
    """The derivative of J by ``of``, as what a symbol stands for."""

    of: Node


@dataclass(frozen=True)
class Step:
    """A result of the backward pass that is no derivative of anything named."""

    node: Node


@dataclass(frozen=True)
class Constant:
    """An array that is no node, by its identity; the record keeps it alive."""

    id: int


class Derivation:
    """The terms of a record: ``equations`` maps what has a name to what it is."""

    def __init__(self, record: Record, wrt: list[Node], *, course: bool) -> None:
        self.record, self.wrt, self.course = record, wrt, course
        self.m = columns(record)
        self.own = {n for n in record.nodes if n.fn is None or n.name} | {record.end, *wrt}
        self.backward = record.back(self._wanted())
        self.derivative_of: dict[Node, Node] = {}  # of nodes of the backward walk
        self._equal: dict[Node, list[Node]] = {}  # others with the very same derivative
        for node in sorted(self.backward, key=self._prominence):
            first = self.derivative_of.setdefault(self.backward[node], node)
            if node in self.own and first is not node:
                self._equal.setdefault(self.backward[node], []).append(node)
        # nodes that get a fresh name
        self.extra = {node for node in record.formulas if np.ndim(node.value)}
        self.arrays: dict[int, Any] = {}
        ends = [record.end, *record.formulas.values(), *self.backward.values()]
        self.order = ancestors(*ends)
        given = {
            f.value
            for node in record.nodes
            for a in node.args
            if not isinstance(a, Node) and np.ndim(a) == 0 and (f := factor_of(_item(a)))
        }
        self.algebra = Algebra(self.m, given)
        while self._translate():
            pass

    def _prominence(self, node: Node) -> tuple[bool, bool, int]:
        """Sort what is named first: results, the latest first, then leaves as they were made."""
        is_leaf = node.fn is None
        return node not in self.own, is_leaf, node.born if is_leaf else -node.born

    def _wanted(self) -> list[Node]:
        """Return the nodes on the way to ``wrt``, without those that a detour leads round."""
        users = Counter(p for node in self.record.nodes for p in set(node.parents))
        skipped = {n.args[0] for n in self.record.nodes if n.detour and users[n.args[0]] == 1}
        asked = set(self.wrt)
        reached: set[Node] = set()
        for node in self.record.nodes:
            if node in asked or (node.needs_grad and any(p in reached for p in node.parents)):
                reached.add(node)
        return [n for n in self.record.nodes if n in reached and (n not in skipped or n in asked)]

    # ---- one pass over the record ------------------------------------------------------------
    def _translate(self) -> bool:
        """Write all terms; say whether some more nodes had to get a name, so that it is redone."""
        named = len(self.extra)
        self.terms: dict[Node, Term] = {}
        self.equations: dict[Any, Term] = {}
        self._written: dict[Term, Term] = {}  # right sides that have a name already
        for node in self.order:
            self.terms[node] = self._term(node)
        self.extra |= self._shared()
        return len(self.extra) > named

    def _term(self, node: Node) -> Term:
        shape = np.shape(node.value)
        if node.fn is None:
            return self._leaf(node)
        if node in self.record.formulas:
            body = self.terms[self.record.formulas[node]]
        else:
            body = translated(self.algebra, node, self.terms, self._constant)
        of = self.derivative_of.get(node)
        if of is not None:
            term = self._derivative(node, of, body)
            for other in self._equal.get(node, ()):
                self._named(D(other), term, shape)
            return term
        body = self._written.get(body, body)
        if node in self.own or node in self.extra or body.size > LONGEST:
            forward = node.born < self._first_step
            return self._named(node if forward else Step(node), body, shape)
        return body

    @property
    def _first_step(self) -> int:
        return self.record.end.born + 1

    def _leaf(self, node: Node) -> Term:
        if node is self.record.seed:
            if np.size(node.value) > 1:  # of an end that is no cost: whatever follows from it
                return self.algebra.symbol(D(self.record.end), np.shape(node.value))
            return self.algebra.stretched(self.algebra.one, np.shape(node.value))
        if np.ndim(node.value) == 0 and node not in self.own:
            return self.algebra.number(_item(node.value)) or self._constant(node.value)
        if not (node.needs_grad or node.name):
            if (same := self._related(node)) is not None:
                return same
            if not guessed(node, self.record) or not np.any(node.value):
                return self._constant(node.value, node)
        symbol = self.algebra.symbol(node, np.shape(node.value))
        if _columns_sum_to_one(node):
            self.algebra.sums_to_one(symbol)
        return symbol

    def _related(self, node: Node) -> Term | None:
        """Return a constant as another one's transpose, or 1 minus it, if that is what it holds."""
        data = node.value
        for other in self.record.constants[:FEW]:
            if other is node:
                break
            if other not in self.terms or data.ndim != 2 or not data.any():
                continue
            x = self.terms[other]
            if data.shape == other.value.shape[::-1] and np.array_equal(data, other.value.T):
                return self.algebra.call(np.transpose, x)
            if data.shape == other.value.shape and np.array_equal(data, 1 - other.value):
                return self.algebra.call(np.add, self.algebra.one, self.algebra.scaled(MINUS, x))
        return None

    def _constant(self, array: Any, node: Node | None = None) -> Term:
        """Return an array as a symbol, or as a number if all its entries are one."""
        data = np.asarray(array)
        uniform = data.size and data.dtype.kind == "f" and np.all(data == data.flat[0])
        if uniform and (number := self.algebra.number(data.flat[0])) is not None:
            return self.algebra.stretched(number, data.shape)
        if node is None:
            self.arrays[id(array)] = array
        return self.algebra.symbol(node or Constant(id(array)), data.shape)

    def _derivative(self, node: Node, of: Node, body: Term) -> Term:
        body = self._written.get(body, body)
        fresh = of in self.extra and (body.cost > 0 or body.size > 5)
        if of is self.record.end or not (of in self.own or fresh or body.size > LONGEST):
            return body
        if of not in self.own:
            self.extra.add(of)
        return self._named(D(of), body, np.shape(node.value))

    def _named(self, what: Any, body: Term, shape: tuple[int, ...]) -> Term:
        symbol = self.algebra.symbol(what, shape)
        if self.scales(what):
            self.equations[what] = self.algebra.scaled(TIMES_M, body)
            symbol = self.algebra.scaled(PER_EXAMPLE, symbol)
        else:
            self.equations[what] = body
        if not _is_plain(body):
            self._written.setdefault(body, symbol)
        return symbol

    def scales(self, what: Any) -> bool:
        """Say whether the course's quantity is m times the derivative of J: dZ and dA."""
        if not (self.course and self.m and isinstance(what, D)):
            return False
        of = what.of
        is_result = of.fn is not None or of in self.inputs
        return is_result and np.ndim(of.value) == 2 and of.value.shape[1] == self.m

    @cached_property
    def inputs(self) -> set[Any]:
        """The leaves that are the input of the first layer."""
        return {
            node.args[1]
            for node in self.record.nodes
            if node.fn is np.matmul and node.layer == 1 and isinstance(node.args[1], Node)
        }

    # ---- what is needed in several places ----------------------------------------------------
    def _shared(self) -> set[Node]:
        """Return the nodes whose terms are too heavy to be written as often as they are needed."""
        uses: Counter[Term] = Counter()
        seen: set[Term] = set()
        stack = list(self.equations.values())
        uses.update(stack)
        while stack:
            term = stack.pop()
            if term not in seen:
                seen.add(term)
                uses.update(term.parts)
                stack += term.parts
        heavy = {t for t in seen if _is_heavy(t, uses[t])}
        outer = {t for t in heavy if _holds_any(t, heavy)}  # perhaps light, once those have names
        heavy -= outer
        found: dict[Term, Node] = {}
        for node in self.order:
            _, term = factored(self.terms[node])
            if term in heavy and node.fn is not None:
                found.setdefault(term, node)
        chosen = {self.derivative_of.get(node, node) for node in found.values()}
        return chosen - self.extra


def _is_plain(term: Term) -> bool:
    """Say whether a term is a name or a number, perhaps scaled or broadcast."""
    _, term = factored(term)
    while term.fn in (STRETCH, np.transpose):
        term = term.args[0]
    return term.fn in (SYMBOL, ONE)


def _columns_sum_to_one(node: Node) -> bool:
    """Say whether a constant holds a distribution in each column, as one-hot classes do."""
    data = np.asarray(node.value)
    if node.needs_grad or data.ndim != 2 or len(data) < 2 or data.dtype.kind != "f":
        return False
    return bool(np.all(data >= 0) and np.all(np.abs(data.sum(axis=0) - 1) <= 4 * EPS))


def _is_heavy(term: Term, uses: int) -> bool:
    if uses < 2 or _is_plain(term) or term.fn in (SCALE, STRETCH):
        return False
    return term.cost >= HEAVY or (uses > 2 and term.cost > 0 and term.size > 3)


def _holds_any(term: Term, others: set[Term]) -> bool:
    stack = list(term.parts)
    while stack:
        part = stack.pop()
        if part in others:
            return True
        stack += part.parts
    return False


def _item(a: Any) -> Any:
    return a[()] if holds_numbers(a) else a
