"""MathML: the equations of a picture, one line of text each, as a browser sets mathematics.

Reads the course's notation, W[1], dZ[2], A[0]ᵀ, and leaves what it does not know as text.
"""

import re
from html import escape

from tinygrad_dnn.visualize.words import clean

TOKEN = re.compile(
    r"(?P<symbol>d?[A-Za-zŶ]\[\d+\])(?P<transposed>ᵀ?)"
    r"|(?P<word>[^\W\d]\w*'?)|(?P<number>\d+\.?\d*(?:e[+-]?\d+)?)|(?P<space>\s+)|(?P<sign>.)"
)
SIGNS = {"Σ": "∑", "*": "∗", "-": "−", "·": "·"}
FENCES = "()[]{}|"


def mathml(line: str) -> str:
    """Return an equation as a ``<math>`` element.

    >>> mathml("Z[1] = X")
    '<math><msup><mi>Z</mi><mrow><mo>[</mo><mn>1</mn><mo>]</mo></mrow></msup><mo>=</mo><mi>X</mi></math>'
    """
    return f"<math>{''.join(_element(found) for found in TOKEN.finditer(clean(line)))}</math>"


def inline(line: str) -> str:
    """Return a line of text as HTML, the layer numbers raised.

    >>> inline("dW[1] < 2")
    'dW<sup>[1]</sup> &lt; 2'
    """
    text = escape(clean(line), quote=False)
    return re.sub(r"\b(d?[A-Za-zŶ])(\[\d+\])(ᵀ?)", _raised, text)


def _raised(found: re.Match[str]) -> str:
    return f"{found[1]}<sup>{found[2]}{'T' if found[3] else ''}</sup>"


def raised_symbol(d: str, letter: str, number: str, raised: str = "") -> str:
    """Return the symbol of a layer, its number in brackets above; ``d`` of a derivative is upright.

    ``raised`` is what else stands there.
    """
    front = '<mi mathvariant="normal">d</mi>' if d else ""
    above = f"<mrow><mo>[</mo><mn>{number}</mn><mo>]</mo>{raised}</mrow>"
    return f"{front}<msup><mi>{letter}</mi>{above}</msup>"


def _element(found: re.Match[str]) -> str:
    text = found[0]
    if found["symbol"]:
        letter, number = found["symbol"][:-1].split("[")
        transpose = "<mi>T</mi>" * bool(found["transposed"])
        return raised_symbol(letter[:-1], letter[-1], number, transpose)
    if found["space"]:
        return ""
    if found["number"]:
        return f"<mn>{text}</mn>"
    if found["word"]:
        if text.endswith("'"):
            return f"<mi>{text[:-1]}</mi><mo>′</mo>"
        return f"<mi>{text}</mi>" if text != "Σ" else "<mo>∑</mo>"
    stretch = ' stretchy="false"' if text in FENCES else ""
    return f"<mo{stretch}>{escape(SIGNS.get(text, text))}</mo>"
