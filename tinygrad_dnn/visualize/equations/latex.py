"""LaTeX: terms as mathematics, for amsmath, KaTeX and MathJax."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_dnn.rules import network
from tinygrad_dnn.visualize.equations.factor import MINUS, Factor
from tinygrad_dnn.visualize.equations.notation import (
    ATOM,
    BESIDE,
    POSTFIX,
    PREFIX,
    PRODUCT,
    SUM,
    Notation,
    Piece,
)
from tinygrad_dnn.visualize.equations.spelling import function_name, with_keywords
from tinygrad_dnn.visualize.equations.term import ONE, SCALE, Plain, Term

SIGNS = {"≥": r"\geq", "≤": r"\leq", "≠": r"\neq"}
KNOWN = {"log", "exp", "tanh", "sin", "cos", "tan", "sinh", "cosh", "max", "min"}
GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|"
    "psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega"
)
SPECIAL = re.compile(r"([#$%&_{}])")


class Latex(Notation):
    """Writes terms as LaTeX; ``names`` says what symbols are called, in LaTeX too."""

    def add(self, x: Term, y: Term) -> Piece:
        if y.fn == SCALE and y.args[0].value < 0:
            positive = self.scale(y.args[0] * MINUS, y.args[1])
            return Piece(f"{self.at(x, SUM)} - {self.held(positive, PRODUCT)}", SUM)
        return super().add(x, y)

    def times(self, x: Term, y: Term) -> Piece:
        piece = super().times(x, y)
        return Piece(piece.text.replace("∘", r"\odot"), piece.binds)

    def over(self, x: Term, y: Term) -> Piece:
        return Piece(rf"\frac{{{self.piece(x).text}}}{{{self.piece(y).text}}}", PREFIX)

    def beside(self, x: str, y: str) -> Piece:
        return Piece(rf"{x} \, {y}", BESIDE)

    def product(self, x: Term, y: Term) -> Piece:
        piece = super().product(x, y)
        return Piece(piece.text.replace("·", r"\cdot"), piece.binds)

    def scale(self, c: Factor, x: Term) -> Piece:
        if c.value < 0:
            return Piece(f"-{self.held(self.scale(c * MINUS, x), PRODUCT)}", SUM)
        over, under = self.parts(c)
        number, below = r" \, ".join(over), r" \, ".join(under)
        if x.fn == ONE:
            text = rf"\frac{{{number or 1}}}{{{below}}}" if under else number or "1"
            return Piece(text, PREFIX if under else ATOM)
        if x.fn is np.divide:
            top, bottom = x.args
            top = Piece(number, BESIDE) if over and top.fn == ONE else self.piece(top)
            if over and x.args[0].fn != ONE:
                top = self.beside(number, self.held(top, PRODUCT))
            under_it = self.held(self.piece(bottom), PRODUCT if under else SUM)
            below = rf"{below} \, {under_it}" if under else under_it
            return Piece(rf"\frac{{{top.text}}}{{{below}}}", PREFIX)
        piece = self.piece(x)
        if not over and not under:
            return piece
        if not under:
            return self.beside(number, self.held(piece, PRODUCT))
        if piece.binds in (SUM, POSTFIX, ATOM):
            above = self.beside(number, self.held(piece, BESIDE)).text if over else piece.text
            return Piece(rf"\frac{{{above}}}{{{below}}}", PREFIX)
        return self.beside(rf"\frac{{{number or 1}}}{{{below}}}", self.held(piece, PRODUCT))

    def parts(self, c: Factor) -> tuple[list[str], list[str]]:
        return tuple([_number(n) for n in side] for side in super().parts(c))  # type: ignore[return-value]

    def power(self, x: Term, n: Term) -> Piece:
        return Piece(f"{{{self.at(x, ATOM)}}}^{{{self.piece(n).text}}}", POSTFIX)

    def transposed(self, x: Term) -> Piece:
        return Piece(rf"{{{self.at(x, ATOM)}}}^{{\top}}", POSTFIX)

    def sum_sign(self, over: str, x: Term) -> Piece:
        sign = rf"\sum_{{\text{{{over}}}}}" if over else r"\sum"
        return Piece(f"{sign} {self.at(x, POSTFIX)}", PREFIX)

    def compared(self, sign: str, x: Any, y: Any) -> Piece:
        sign = SIGNS.get(sign, sign)
        return Piece(rf"\left[ {self.argument(x)} {sign} {self.argument(y)} \right]", ATOM)

    def item(self, x: Term, *index: Any) -> Piece:
        shown = ", ".join(self.argument(a) for a in index)
        return Piece(f"{{{self.at(x, ATOM)}}}_{{[{shown}]}}", POSTFIX)

    def call(self, fn: Any, args: Iterable[Any], options: dict[str, Any]) -> Piece:
        args, options = with_keywords(fn, list(args), options)
        fn = fn.fn if isinstance(fn, Plain) else fn
        if fn is np.where and not options:
            return self.cases(*args)
        shown = [self.argument(a) for a in args]
        if fn is np.sqrt:
            return Piece(rf"\sqrt{{{shown[0]}}}", ATOM)
        if fn is np.absolute:
            return Piece(rf"\left| {shown[0]} \right|", ATOM)
        shown += [
            rf"\text{{{SPECIAL.sub(_escaped, k)}}} = {self.argument(v)}" for k, v in options.items()
        ]
        name = function_name(fn)
        sign = r"\sigma" if fn is network.sigmoid else rf"\{name}"
        if fn is not network.sigmoid and name not in KNOWN:
            sign = rf"\operatorname{{{SPECIAL.sub(_escaped, name)}}}"
        return Piece(rf"{sign}\left( {', '.join(shown)} \right)", ATOM)

    def cases(self, condition: Any, x: Any, y: Any) -> Piece:
        """Return a choice between two."""
        shown = self.argument(condition)
        if shown.startswith(r"\left["):
            shown = shown.removeprefix(r"\left[ ").removesuffix(r" \right]")
        rows = rf"{self.argument(x)} & {shown} \\ {self.argument(y)} & \text{{otherwise}}"
        return Piece(rf"\begin{{cases}} {rows} \end{{cases}}", BESIDE)

    def argument(self, a: Any) -> str:
        if isinstance(a, Term):
            return self.piece(a).text
        return (
            _number(super().argument(a))
            if isinstance(a, int | float)
            else rf"\text{{{SPECIAL.sub(_escaped, super().argument(a))}}}"
        )

    def held(self, piece: Piece, least: int) -> str:
        return piece.text if piece.binds >= least else rf"\left( {piece.text} \right)"


def latex_name(name: str, layer: int | None) -> str:
    r"""Return a symbol's name in LaTeX; the number of its ``layer`` in brackets above.

    >>> latex_name("dW1", 1), latex_name("u2", None), latex_name("learning_rate", None)
    ('dW^{[1]}', 'u_{2}', '\\mathrm{learning\\_rate}')
    """
    name, _, again = name.partition("_") if re.search(r"\d_\d+$", name) else (name, "", "")
    d, word, number = re.fullmatch(r"(d(?=[^\W\d_]))?(.*?)(\d*)", name).groups(default="")  # type: ignore[union-attr]
    if GREEK.fullmatch(word):
        word = rf"\{word}"
    elif len(word) != 1:
        word = rf"\mathrm{{{SPECIAL.sub(_escaped, word)}}}"
    below = f"_{{{again}}}" if again else ""
    if not number:
        return d + word
    if layer is None:
        return f"{d}{word}_{{{number}}}"
    return f"{d}{word}^{{[{number}]}}{below}"


def _number(text: str) -> str:
    found = re.fullmatch(r"(.*)e([-+−]?)0*(\d+)", text.replace("−", "-"))
    if found:
        sign = found[2].replace("+", "")
        return (f"{found[1]} \\cdot " if found[1] != "1" else "") + f"10^{{{sign}{found[3]}}}"
    return text.replace("²", "^{2}").replace("³", "^{3}").replace("−", "-")


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[1]
