"""Notation: a term as a line of text.  ``docs/equations.md`` describes what may stand in it.

How tightly a piece binds decides on brackets: a sum least, then ``∘`` and ``/``, then two factors
side by side, then ``Σ``, then ``ᵀ`` and powers, then names and calls.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from tinygrad_dnn.rules.indexing import getitem
from tinygrad_dnn.visualize.equations.factor import MINUS, UNIT, Factor
from tinygrad_dnn.visualize.equations.spelling import (
    function_name,
    is_data,
    with_keywords,
    written,
)
from tinygrad_dnn.visualize.equations.term import ONE, SCALE, STRETCH, SYMBOL, Term

SUM, PRODUCT, BESIDE, PREFIX, POSTFIX, ATOM = range(6)
SIGNS = {
    np.greater: ">",
    np.greater_equal: "≥",
    np.less: "<",
    np.less_equal: "≤",
    np.equal: "=",
    np.not_equal: "≠",
}
RAISED = {2: "²", 3: "³"}
OVER: dict[Any, str] = {(1,): "columns", (0,): "rows"}  # what a sum that keeps its axes runs over


class Piece(NamedTuple):
    """A part of a line, and how tightly it holds together."""

    text: str
    binds: int


class Notation:
    """Writes terms; ``names`` says what its symbols are called."""

    plus, minus, negative = " + ", " − ", "−"
    entrywise, dot, gap = " ∘ ", " · ", " "

    def __init__(self, names: Callable[[Any], str]) -> None:
        self.names = names

    def line(self, term: Term) -> str:
        """Return the right side of an equation; the shape of its left side is known."""
        c, inner = term.args if term.fn == SCALE else (UNIT, term)
        if inner.fn == STRETCH and inner.args[0].fn == ONE:
            inner = inner.args[0]
            return self.scale(c, inner).text
        return self.piece(inner.args[0] if term.fn == STRETCH else term).text

    # ---- the kinds of terms ------------------------------------------------------------------
    def piece(self, term: Term) -> Piece:
        """Return a term and how tightly it binds."""
        if term.fn == STRETCH:
            return self.stretched(term.args[0], term.shape)
        if term.fn in _METHODS:
            method: Callable[..., Piece] = getattr(self, _METHODS[term.fn])
            return method(*term.args, **term.options)
        if term.fn in (np.max, np.min) and len(term.args) == 1:
            return self.extreme(term.fn, *term.args, term.options)
        if term.fn in SIGNS:
            return self.compared(SIGNS[term.fn], *term.args)
        return self.call(term.fn, term.args, term.options)

    def symbol(self, named: Any) -> Piece:
        return Piece(self.names(named.what), ATOM)

    def one(self) -> Piece:
        return Piece("1", ATOM)

    def add(self, x: Term, y: Term) -> Piece:
        if y.fn == SCALE and y.args[0].value < 0:
            y_piece = self.scale(y.args[0] * MINUS, y.args[1])
            return Piece(self.at(x, SUM) + self.minus + self.held(y_piece, PRODUCT), SUM)
        return Piece(self.at(x, SUM) + self.plus + self.at(y, PRODUCT), SUM)

    def times(self, x: Term, y: Term) -> Piece:
        if () in (x.shape, y.shape):
            first, second = (x, y) if x.shape == () else (y, x)
            return self.beside(self.at(first, PREFIX), self.at(second, PREFIX))
        left = self.piece(x)
        chain = x.fn is np.multiply and left.binds == PRODUCT
        before = self.held(left, PRODUCT if chain else PREFIX)
        return Piece(before + self.entrywise + self.at(y, PREFIX), PRODUCT)

    def over(self, x: Term, y: Term) -> Piece:
        return Piece(f"{self.at(x, PRODUCT)} / {self.at(y, PREFIX)}", PRODUCT)

    def beside(self, x: str, y: str) -> Piece:
        return Piece(x + self.gap + y, BESIDE)

    def product(self, x: Term, y: Term) -> Piece:
        if x.ndim == y.ndim == 1:
            return Piece(self.at(x, POSTFIX) + self.dot + self.at(y, POSTFIX), BESIDE)
        left = self.piece(x)
        chain = x.fn is np.matmul and left.binds == BESIDE and x.ndim > 0
        return self.beside(self.held(left, BESIDE if chain else POSTFIX), self.at(y, POSTFIX))

    def scale(self, c: Factor, x: Term) -> Piece:
        if c.value < 0:
            return Piece(self.negative + self.held(self.scale(c * MINUS, x), PRODUCT), SUM)
        return self.multiple(*self.parts(c), x)

    def multiple(self, over: list[str], under: list[str], x: Term) -> Piece:
        """Return x times a positive factor, given in parts."""
        if x.fn == ONE:
            above = " ".join(over) or "1"
            if not under:
                return Piece(above, ATOM if len(over) < 2 else BESIDE)
            return Piece(f"{above} / {self.below(under)}", PRODUCT)
        if under and x.fn is np.divide:  # one line of a fraction for both
            top = self.multiplied(" ".join(over), x.args[0]) if over else self.piece(x.args[0])
            bottom = f"({' '.join(under)} {self.at(x.args[1], PREFIX)})"
            return Piece(f"{self.held(top, PRODUCT)} / {bottom}", PRODUCT)
        if under and x.fn in (np.matmul, np.sum):
            front = f"({' '.join(over) or '1'}/{self.below(under)})"
            return self.beside(front, self.at(x, BESIDE if x.fn is np.matmul else PREFIX))
        piece = self.piece(x)
        if over:
            piece = self.multiplied(" ".join(over), x)
        return (
            Piece(f"{self.held(piece, PRODUCT)} / {self.below(under)}", PRODUCT) if under else piece
        )

    def multiplied(self, number: str, x: Term) -> Piece:
        """Return ``number`` times x: before the first factor of a product or quotient."""
        if x.fn == ONE:
            return Piece(number, BESIDE)
        piece = self.piece(x)
        if piece.binds == PRODUCT and x.fn in (np.multiply, np.divide):
            return Piece(f"{number} {piece.text}", PRODUCT)
        return self.beside(number, self.held(piece, BESIDE))

    def below(self, under: list[str]) -> str:
        return under[0] if len(under) == 1 else f"({' '.join(under)})"

    def parts(self, c: Factor) -> tuple[list[str], list[str]]:
        """Return what of a factor stands above and below the line of a fraction."""
        above, below = [], []
        p, q = c.value.numerator, c.value.denominator
        if q > 4 and (max(p, q) > 10**6 or (q & (q - 1) and _is_short(c.value))):  # not 1/8
            above.append(repr(float(c.value)))
        else:
            above += [str(p)] * (p != 1)
            below += [str(q)] * (q != 1)
        if c.m:
            (above if c.m > 0 else below).append(self.power_of_m(abs(c.m)))
        return above, below

    def power_of_m(self, n: int) -> str:
        return "m" if n == 1 else f"m{RAISED.get(n) or f'^({n})'}"

    def power(self, x: Term, n: Term) -> Piece:
        c = n.args[0] if n.fn == SCALE and n.args[1].fn == ONE else None
        base = self.at(x, ATOM)
        if c and c.m == 0 and c.value in RAISED:
            return Piece(f"{base}{RAISED[int(c.value)]}", POSTFIX)
        return Piece(f"{base}^({self.piece(n).text})", POSTFIX)

    def transposed(self, x: Term) -> Piece:
        return Piece(f"{self.at(x, ATOM)}ᵀ", POSTFIX)

    def total(self, x: Term, axis: tuple[int, ...], keepdims: bool = False) -> Piece:
        if len(axis) == x.ndim and not keepdims:
            return self.sum_sign("", x)
        if keepdims and x.ndim == 2:
            return self.sum_sign(OVER[axis], x)
        shown = axis[0] if len(axis) == 1 else axis
        options = {"axis": shown, "keepdims": True} if keepdims else {"axis": shown}
        return self.call(np.sum, (x,), options)

    def sum_sign(self, over: str, x: Term) -> Piece:
        sign = f"Σ_{over}" if over else "Σ"
        piece = self.piece(x)
        if piece.binds >= POSTFIX:
            return Piece(f"{sign} {piece.text}", PREFIX)
        return Piece(f"{sign}({piece.text})", PREFIX)

    def compared(self, sign: str, x: Any, y: Any) -> Piece:
        return Piece(f"[{self.argument(x)} {sign} {self.argument(y)}]", ATOM)

    def stretched(self, x: Term, shape: tuple[int, ...]) -> Piece:
        if x.fn == ONE:
            return self.call("ones", shape, {})
        return self.call(np.broadcast_to, (x, shape), {})

    def item(self, x: Term, *index: Any) -> Piece:
        shown = [self.argument(a) for a in index]
        return Piece(f"{self.at(x, ATOM)}[{', '.join(shown)}]", POSTFIX)

    def extreme(self, fn: Any, x: Term, options: dict[str, Any]) -> Piece:
        """Return a largest or smallest entry of each row or column, as Σ is written."""
        axis = options.get("axis")
        over = OVER.get(axis if isinstance(axis, tuple) else (axis,))
        if x.ndim == 2 and over and options.get("keepdims") and len(options) == 2:
            return self.call(f"{fn.__name__}_{over}", (x,), {})
        return self.call(fn, (x,), options)

    def call(self, fn: Any, args: Iterable[Any], options: dict[str, Any]) -> Piece:
        args, options = with_keywords(fn, list(args), options)
        shown = [self.argument(a) for a in args]
        shown += [f"{name}={self.argument(v)}" for name, v in options.items() if is_data(v)]
        return Piece(f"{function_name(fn)}({', '.join(shown)})", ATOM)

    def argument(self, a: Any) -> str:
        return self.piece(a).text if isinstance(a, Term) else written(a)

    # ---- brackets ----------------------------------------------------------------------------
    def at(self, term: Term, least: int) -> str:
        """Return a term that binds at least so tightly, in brackets if it does not."""
        return self.held(self.piece(term), least)

    def held(self, piece: Piece, least: int) -> str:
        """Return a piece that binds at least so tightly, in brackets if it does not."""
        return piece.text if piece.binds >= least else self.brackets(piece.text)

    def brackets(self, text: str) -> str:
        return f"({text})"


_METHODS: dict[Any, str] = {
    SYMBOL: "symbol",
    ONE: "one",
    SCALE: "scale",
    np.add: "add",
    np.multiply: "times",
    np.divide: "over",
    np.matmul: "product",
    np.power: "power",
    np.transpose: "transposed",
    np.sum: "total",
    getitem: "item",
}


def _is_short(value: Fraction) -> bool:
    decimal = repr(float(value))
    return Fraction(decimal) == value and len(decimal) <= 10
