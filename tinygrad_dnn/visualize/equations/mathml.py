"""MathML: terms as mathematics in a page."""

import re
from html import escape

from tinygrad_dnn.visualize.equations.latex import GREEK, LETTERS
from tinygrad_dnn.visualize.equations.typeset import Typeset
from tinygrad_dnn.visualize.markup import raised_symbol


def _operator(sign: str) -> str:
    return f"<mo>{escape(sign)}</mo>"


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


class MathML(Typeset):
    """Writes terms as MathML elements; ``names`` says what symbols are called, as elements too."""

    plus, minus, negative = _operator("+"), _operator("−"), _operator("−")
    entrywise, dot, gap = _operator("∘"), _operator("·"), '<mspace width="0.17em"/>'
    transpose, sigma = "<mi>T</mi>", "<mi>σ</mi>"
    layer, closing = "<mo>]</mo></mrow></msup>", "</mrow></msup>"

    def fraction(self, top: str, bottom: str) -> str:
        return f"<mfrac>{_row(top)}{_row(bottom)}</mfrac>"

    def raised(self, base: str, exponent: str) -> str:
        return f"<msup>{_row(base)}{_row(exponent)}</msup>"

    def lowered(self, base: str, index: str) -> str:
        return f"<msub>{_row(base)}{_row(index)}</msub>"

    def root(self, text: str) -> str:
        return f"<msqrt>{text}</msqrt>"

    def size(self, text: str) -> str:
        return _row(f"{_operator('|')}{text}{_operator('|')}")

    def square(self, text: str) -> str:
        return _row(f"{_operator('[')}{text}{_operator(']')}")

    def brackets(self, text: str) -> str:
        if "<mfrac>" in text or "<mtable>" in text:
            return _row(f"{_operator('(')}{text}{_operator(')')}")
        low = '<mo stretchy="false">'  # raised numbers of layers need no higher brackets
        return _row(f"{low}(</mo>{text}{low})</mo>")

    def choice(self, condition: str, x: str, y: str) -> str:
        otherwise = "<mtext>otherwise</mtext>"
        rows = "".join(
            f"<mtr><mtd>{value}</mtd><mtd>{when}</mtd></mtr>"
            for value, when in ((x, condition), (y, otherwise))
        )
        return _row(f"{_operator('{')}<mtable>{rows}</mtable>")

    def sum_over(self, over: str) -> str:
        sign = '<mo largeop="false">∑</mo>'
        return f"<msub>{sign}<mtext>{over}</mtext></msub>" if over else sign

    def number(self, text: str) -> str:
        return f"<mn>{escape(text)}</mn>"

    def words(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def sign(self, sign: str) -> str:
        return f"<mi>{sign}</mi>" if sign.isalpha() else _operator(sign)

    def function(self, name: str) -> str:
        return f"<mi>{escape(name)}</mi>"


def mathml_name(name: str, layer: int | None) -> str:
    """Return a symbol's name as elements; the number of its ``layer`` in brackets above.

    >>> mathml_name("u2", None)
    '<msub><mi>u</mi><mn>2</mn></msub>'
    """
    name, _, again = name.partition("_") if re.search(r"\d_\d+$", name) else (name, "", "")
    found = re.fullmatch(r"(d(?=[^\W\d_]))?(.*?)(\d*)", name)
    d, word, number = found.groups(default="") if found else ("", name, "")
    letter = LETTERS.get(word, word) if GREEK.fullmatch(word) else word
    if number and layer is not None:
        symbol = raised_symbol(d, letter, number)
        return f"<msub>{_row(symbol)}<mn>{again}</mn></msub>" if again else symbol
    symbol = f"<mi>{escape(letter)}</mi>"
    symbol = f"<msub>{symbol}<mn>{number}</mn></msub>" if number else symbol
    return f'<mi mathvariant="normal">d</mi>{symbol}' if d else symbol
