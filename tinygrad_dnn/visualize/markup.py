"""Markup: the equations of a picture, one line of text each, as a browser sets mathematics.

Reads the course's notation, W[1], dZ[2], A[0]ᵀ, and leaves what it does not know as text.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tinygrad_dnn.visualize.words import clean

TOKEN = re.compile(
    r"(?P<symbol>d?[A-Za-zŶ]\[\d+\])(?P<transposed>ᵀ?)"
    r"|(?P<arrow>->)|(?P<words>[^\W\d_]{2,}(?: [^\W\d_]{2,})+)"
    r"|(?P<word>[^\W\d]\w*'?)|(?P<number>\d+\.?\d*(?:e[+-]?\d+)?)|(?P<space>\s+)|(?P<sign>.)"
)
SIGNS = {"Σ": "∑", "*": "∗", "-": "−", "·": "·"}
FENCES = "()[]{}|"
OPERATORS = tuple("=+−∗∘·")  # a line may end before one
ROOM = 26  # characters of an equation that stay on a line


def mathml(line: str) -> str:
    """Return an equation as a ``<math>`` element.

    >>> mathml("Z[1] = X")
    '<math><msup><mi>Z</mi><mrow><mo>[</mo><mn>1</mn><mo>]</mo></mrow></msup><mo>=</mo><mi>X</mi></math>'
    >>> mathml("max pool")
    '<math><mi>max pool</mi></math>'
    """
    return f"<math>{''.join(_element(found) for found in TOKEN.finditer(clean(line)))}</math>"


def breakable(math: str) -> str:
    """Return a ``<math>`` element as several that a line may end between: browsers break none.

    A line ends before a sign outside of brackets, or in what is still too long before one inside.

    >>> breakable("<math><mi>x</mi><mo>=</mo><mi>y</mi></math>")
    '<math><mi>x</mi></math><wbr><math><mo form="infix">=</mo><mi>y</mi></math>'
    """
    root = ElementTree.fromstring(math)
    placed: list[tuple[int, Element]] = []  # in how many brackets, and what
    depth = 0
    for element in _flat(root):
        sign = element.text if element.tag == "mo" else ""
        depth -= sign == ")"
        placed.append((depth, element))
        depth += sign == "("
    return "<wbr>".join(_written(piece, root) for piece in _pieces(placed, 0))


def _flat(row: Iterable[Element]) -> Iterator[Element]:
    """Yield the parts of a row, and of what stands in round brackets in it."""
    for element in row:
        if element.tag == "mrow" and (not len(element) or element[0].text != "["):
            yield from _flat(element)
            continue
        if element.tag == "mo" and element.text in ("(", ")"):
            element.set("stretchy", "false")
        yield element


def _pieces(placed: list[tuple[int, Element]], depth: int) -> Iterator[list[Element]]:
    """Yield what a line may end between, cut in so many brackets, or more where it is too long."""
    pieces: list[list[tuple[int, Element]]] = [[]]
    before = "("
    for at, element in placed:
        sign = (element.text or "") if element.tag == "mo" else ""
        if at == depth and sign in OPERATORS and before not in (*OPERATORS, "("):
            element.set("form", "infix")
            pieces.append([])
        pieces[-1].append((at, element))
        if at == depth and sign == ",":
            pieces.append([])
        before = sign
    for piece in pieces:
        size = sum(len("".join(element.itertext())) for _, element in piece)
        if size > ROOM and any(at > depth for at, _ in piece):
            yield from _pieces(piece, depth + 1)
        else:
            yield [element for _, element in piece]


def _written(piece: Iterable[Element], like: Element) -> str:
    whole = Element("math", like.attrib)
    whole.extend(piece)
    return ElementTree.tostring(whole, encoding="unicode")


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
    if found["words"]:  # the name of an operation
        return f"<mi>{text}</mi>"
    if found["arrow"]:
        return "<mo>→</mo>"
    if found["word"]:
        if text.endswith("'"):
            return f"<mi>{text[:-1]}</mi><mo>′</mo>"
        return f"<mi>{text}</mi>" if text != "Σ" else "<mo>∑</mo>"
    stretch = ' stretchy="false"' if text in FENCES else ""
    return f"<mo{stretch}>{escape(SIGNS.get(text, text))}</mo>"
