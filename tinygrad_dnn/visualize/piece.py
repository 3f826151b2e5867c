"""Piece: a part of a recorded computation, cut out, and its equations, derived as ``explain`` does.

What the part starts from are leaves with names, and the derivative by its end is given, whatever
follows.  So the equations of a layer are derived from that layer alone, and hold for every other
one of its kind: a name is a letter and a layer, counted from where the piece is used.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tinygrad_dnn.graph import Node, data_of, recording
from tinygrad_dnn.visualize.chain import wants_gradient
from tinygrad_dnn.visualize.equations import arrange
from tinygrad_dnn.visualize.equations.assemble import named
from tinygrad_dnn.visualize.equations.derive import D, Derivation
from tinygrad_dnn.visualize.equations.mathml import MathML, mathml_name
from tinygrad_dnn.visualize.equations.notation import Notation
from tinygrad_dnn.visualize.equations.record import Record
from tinygrad_dnn.visualize.markup import raised_symbol

DIGITS = 6  # of a number on a page


class Formula(NamedTuple):
    """An equation as text, the number of a layer in brackets, and as MathML; ``name`` = ..."""

    name: str
    text: str
    mathml: str


class Named(NamedTuple):
    """A Node, or an array, that a piece calls by a letter and the ``offset`` of its layer."""

    what: Any
    letter: str
    offset: int | None = 0  # None: of no layer

    def text(self, n: int) -> str:
        """Return what it is called in layer ``n``."""
        return self.letter if self.offset is None else f"{self.letter}[{n + self.offset}]"


class _Text(Notation):
    entrywise = " * "  # the fonts that come with some engines have no ∘


class _Math(MathML):
    entrywise = "<mo>∗</mo>"

    def number(self, text: str) -> str:
        return super().number(_rounded(text))


def _rounded(number: str) -> str:
    """Return a number in as many digits as there is room for.

    >>> _rounded("0.7978845608028654"), _rounded("1.5e-07"), _rounded("12345678")
    ('0.797885', '1.5e-07', '12345678')
    """
    if number.isdigit() or len(number) <= DIGITS + 2:
        return number
    return f"{float(number.replace('−', '-')):.{DIGITS}g}".replace("-", "−")


class Piece:
    """The calls that lead from the ``given`` to ``end``; ``inner`` are names of what they make."""

    def __init__(self, end: Node, given: Sequence[Named], inner: Sequence[Named]) -> None:
        names = {id(name.what): name for name in (*given, *inner)}
        copies = _cut(end, [name.what for name in given])
        for i, name in names.items():
            if i in copies:
                copies[i].name = name.letter
        token = recording.set(True)
        try:
            record = Record(copies[id(end)])
            self.roles = {record.copies[copies[i]]: x for i, x in names.items() if i in copies}
            wanted = [node for node in self.roles if node.needs_grad and node is not record.end]
            self.derivation = self._derived(record, wanted)
        finally:
            recording.reset(token)
        back = arrange.backward(self.derivation)
        self.forward, self.backward = arrange.forward(self.derivation, back), back
        start = arrange.given(self.derivation, [*self.forward, *back])
        start = [what for what in start if not isinstance(what, D)]
        self.names = named(self.derivation, start, self.forward, back)

    def _derived(self, record: Record, wanted: list[Node]) -> Derivation:
        """Return the equations; only those forward where a rule runs on arrays alone."""
        try:
            return Derivation(record, wanted, course=False)
        except Exception:  # of a rule that is not ours, whatever it is
            return Derivation(record, [], course=False)

    def formulas(self, whats: Iterable[Any], n: int) -> list[Formula]:
        """Return equations of the piece as they are in layer ``n``."""
        text = _Text(lambda what: self._text(what, n))
        mathml = _Math(lambda what: self._mathml(what, n))
        found = []
        for what in whats:
            term, name = self.derivation.equations[what], self._text(what, n)
            sides = f"{self._mathml(what, n)}<mo>=</mo>{mathml.line(term)}"
            math = f'<math displaystyle="true">{sides}</math>'
            found.append(Formula(name, f"{name} = {text.line(term)}", math))
        return found

    def _role(self, what: Any) -> tuple[str, Named | None]:
        of = what.of if isinstance(what, D) else what
        return "d" * isinstance(what, D), self.roles.get(of) if isinstance(of, Node) else None

    def _text(self, what: Any, n: int) -> str:
        d, role = self._role(what)
        return d + role.text(n) if role else self.names(what)

    def _mathml(self, what: Any, n: int) -> str:
        d, role = self._role(what)
        if role is None or role.offset is None:
            return mathml_name(self._text(what, n), None)
        return raised_symbol(d, role.letter, str(n + role.offset))


def _cut(end: Node, given: Sequence[Any]) -> dict[int, Node]:
    """Return copies of all that ``end`` was made from, by identity; ``given`` are leaves."""
    starts = {id(x) for x in given}
    calls: dict[int, Node] = {}
    stack = [end]
    while stack:
        node = stack.pop()
        if id(node) in starts or id(node) in calls or node.fn is None:
            continue
        calls[id(node)] = node
        stack += node.parents
    copies: dict[int, Node] = {}
    for x in given:
        copies[id(x)] = Node(data_of(x), needs_grad=wants_gradient(x))
    for call in sorted(calls.values(), key=lambda node: node.born):
        copy = copies[id(call)] = _copy(call, copies)
        copy.detour = _copy(call.detour, copies) if call.detour else None
    return copies


def _copy(call: Node, copies: dict[int, Node]) -> Node:
    args = [copies.get(id(a), a) for a in call.args]
    seen = [data_of(a) for a in args]
    copy = Node(call.value, call.fn, args, seen, call.kwargs, call.needs_grad)
    copy.layer = call.layer
    return copy
