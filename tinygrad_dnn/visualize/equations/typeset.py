"""Typeset: what LaTeX and MathML share: fractions, raised exponents, choices with a brace."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_dnn.rules import network
from tinygrad_dnn.visualize.equations.notation import (
    ATOM,
    BESIDE,
    POSTFIX,
    PREFIX,
    PRODUCT,
    SIGNS,
    SUM,
    Notation,
    Piece,
)
from tinygrad_dnn.visualize.equations.spelling import function_name, is_data, with_keywords
from tinygrad_dnn.visualize.equations.term import ONE, SYMBOL, Plain, Term


class Typeset(Notation):
    """Writes terms in a language that can set mathematics, by a few words of that language."""

    transpose = sigma = ""
    layer, closing = "", ""  # how a symbol ends whose layer is raised; the part after the layer

    # ---- the words ---------------------------------------------------------------------------
    def fraction(self, top: str, bottom: str) -> str:
        raise NotImplementedError

    def raised(self, base: str, exponent: str) -> str:
        raise NotImplementedError

    def lowered(self, base: str, index: str) -> str:
        raise NotImplementedError

    def root(self, text: str) -> str:
        raise NotImplementedError

    def size(self, text: str) -> str:
        raise NotImplementedError

    def square(self, text: str) -> str:
        """Return ``text`` in square brackets."""
        raise NotImplementedError

    def choice(self, condition: str, x: str, y: str) -> str:
        raise NotImplementedError

    def sum_over(self, over: str) -> str:
        raise NotImplementedError

    def number(self, text: str) -> str:
        raise NotImplementedError

    def words(self, text: str) -> str:
        raise NotImplementedError

    def sign(self, sign: str) -> str:
        raise NotImplementedError

    def function(self, name: str) -> str:
        raise NotImplementedError

    # ---- what is set with them ---------------------------------------------------------------
    def one(self) -> Piece:
        return Piece(self.number("1"), ATOM)

    def over(self, x: Term, y: Term) -> Piece:
        return Piece(self.fraction(self.piece(x).text, self.piece(y).text), PREFIX)

    def multiple(self, over: list[str], under: list[str], x: Term) -> Piece:
        number, below = self.gap.join(over), self.gap.join(under)
        one = number or self.number("1")
        if x.fn == ONE:
            return Piece(self.fraction(one, below), PREFIX) if under else Piece(one, ATOM)
        if x.fn is np.divide:
            top, bottom = (self.piece(t) for t in x.args)
            if over:
                top = self._times_number(number, x.args[0])
            if under:
                bottom = self.beside(below, self.held(bottom, PRODUCT))
            return Piece(self.fraction(top.text, bottom.text), PREFIX)
        piece = self.piece(x)
        if not under:
            return self._times_number(number, x) if over else piece
        if piece.binds in (SUM, POSTFIX, ATOM):
            top = self._times_number(number, x) if over else piece
            return Piece(self.fraction(top.text, below), PREFIX)
        return self.beside(self.fraction(one, below), self.held(piece, PRODUCT))

    def _times_number(self, number: str, x: Term) -> Piece:
        if x.fn == ONE:
            return Piece(number, BESIDE)
        return self.beside(number, self.at(x, PRODUCT))

    def parts(self, c: Any) -> tuple[list[str], list[str]]:
        above, below = super().parts(c)
        return list(map(self._part, above)), list(map(self._part, below))

    def _part(self, text: str) -> str:
        return self.number(text) if text[0].isdigit() else text

    def power_of_m(self, n: int) -> str:
        m = self.sign("m")
        return m if n == 1 else self.raised(m, self.number(str(n)))

    def power(self, x: Term, n: Term) -> Piece:
        base = self.at(x, ATOM)
        base = self.brackets(base) if base.endswith(self.layer) else base
        return Piece(self.raised(base, self.piece(n).text), POSTFIX)

    def transposed(self, x: Term) -> Piece:
        symbol = self.piece(x).text
        if x.fn == SYMBOL and symbol.endswith(self.layer):  # the T stands beside the layer
            return Piece(symbol.removesuffix(self.closing) + self.transpose + self.closing, POSTFIX)
        return Piece(self.raised(self.at(x, ATOM), self.transpose), POSTFIX)

    def sum_sign(self, over: str, x: Term) -> Piece:
        return Piece(f"{self.sum_over(over)} {self.at(x, POSTFIX)}", PREFIX)

    def compared(self, sign: str, x: Any, y: Any) -> Piece:
        return Piece(self.square(self.comparison(sign, x, y)), ATOM)

    def comparison(self, sign: str, x: Any, y: Any) -> str:
        """Return a comparison without its brackets."""
        return f"{self.argument(x)} {self.sign(sign)} {self.argument(y)}"

    def item(self, x: Term, *index: Any) -> Piece:
        shown = self.square(self.listed(self.argument(a) for a in index))
        return Piece(self.lowered(self.at(x, ATOM), shown), POSTFIX)

    def listed(self, parts: Iterable[str]) -> str:
        """Return several arguments, with commas between."""
        return f"{self.sign(',')} ".join(parts)

    def call(self, fn: Any, args: Iterable[Any], options: dict[str, Any]) -> Piece:
        args, options = with_keywords(fn, list(args), options)
        fn = fn.fn if isinstance(fn, Plain) else fn
        if fn is np.where and not options:
            return self._choice(*args)
        shown = [self.argument(a) for a in args]
        if fn is np.sqrt:
            return Piece(self.root(shown[0]), ATOM)
        if fn is np.absolute:
            return Piece(self.size(shown[0]), ATOM)
        equals = self.sign("=")
        shown += [
            f"{self.words(name)} {equals} {self.argument(v)}"
            for name, v in options.items()
            if is_data(v)
        ]
        name = self.sigma if fn is network.sigmoid else self.function(function_name(fn))
        return Piece(name + self.brackets(self.listed(shown)), ATOM)

    def _choice(self, condition: Any, x: Any, y: Any) -> Piece:
        if isinstance(condition, Term) and condition.fn in SIGNS:
            shown = self.comparison(SIGNS[condition.fn], *condition.args)
        else:
            shown = self.argument(condition)
        return Piece(self.choice(shown, self.argument(x), self.argument(y)), PREFIX)

    def argument(self, a: Any) -> str:
        if isinstance(a, Term):
            return self.piece(a).text
        shown = super().argument(a)
        is_number = isinstance(a, int | float) and not isinstance(a, bool)
        return self.number(shown) if is_number else self.words(shown)
