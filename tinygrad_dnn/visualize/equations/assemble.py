"""Assemble: a derivation as an explanation: names, lines, numbers, and what must be said beside."""

import re
from functools import cache
from typing import Any

import numpy as np

from tinygrad_dnn.graph import Node
from tinygrad_dnn.visualize.equations import arrange
from tinygrad_dnn.visualize.equations.closed import closed_form
from tinygrad_dnn.visualize.equations.course import course_number
from tinygrad_dnn.visualize.equations.derive import Constant, D, Derivation, Step
from tinygrad_dnn.visualize.equations.explanation import Equation, Form, Given
from tinygrad_dnn.visualize.equations.latex import Latex, latex_name
from tinygrad_dnn.visualize.equations.mathml import MathML, mathml_name
from tinygrad_dnn.visualize.equations.naming import Names, clean, guessed
from tinygrad_dnn.visualize.equations.notation import Notation
from tinygrad_dnn.visualize.equations.result import Explained
from tinygrad_dnn.visualize.equations.term import Term, meaning, mentions_m

LONGEST_CLOSED = 400  # parts of a closed form; a longer one is left out


class Assembler:
    """Writes the terms of a derivation in every notation."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.back = arrange.backward(derivation)
        self.ahead = arrange.forward(derivation, self.back)
        self.given = arrange.given(derivation, [*self.ahead, *self.back])
        self.names = named(derivation, self.given, self.ahead, self.back)
        self._text, self._latex = Notation(self.names), Latex(self._in_latex)
        self._mathml = MathML(self._in_mathml)
        self._layer = cache(self._layer_of)

    # ---- names in other notations ------------------------------------------------------------
    def _layer_of(self, what: Any) -> int | None:
        """Return the layer that ``what`` belongs to, if its name ends in that layer's number."""
        node = what.of if isinstance(what, D) else what
        if not isinstance(node, Node):
            return None
        uses = self.derivation.record.uses.get(node, ())
        layers = {node.layer, *(call.layer for call, _ in uses)} - {None}
        name = self.names(what)
        own = self.names(node) if self.names.knows(node) else ""
        known = clean(node.name or "") or guessed(node, self.derivation.record)
        if not known or re.sub(r"_\d+$", "", own) != known:
            return None  # a fresh name
        number = re.search(r"(\d+)(_\d+)?$", name)
        if number and (int(number[1]) in layers or (name in ("A0", "dA0") and layers)):
            return int(number[1])
        return None

    def _in_latex(self, what: Any) -> str:
        return latex_name(self.names(what), self._layer(what))

    def _in_mathml(self, what: Any) -> str:
        return mathml_name(self.names(what), self._layer(what))

    # ---- lines -------------------------------------------------------------------------------
    def equation(self, what: Any, part: str) -> Equation:
        """Return the equation of ``what``."""
        term = self.derivation.equations[what]
        return self._equation(
            self.names(what), self._in_latex(what), self._in_mathml(what), term, what, part
        )

    def closed(self, what: D) -> Equation | None:
        """Return the derivative by ``what.of`` in terms of the forward pass alone."""
        term = closed_form(self.derivation, what)
        if term.size > LONGEST_CLOSED or term is self.derivation.equations[what]:
            return None
        J, x = self.derivation.record.end, what.of
        latex = rf"\frac{{\partial {self._in_latex(J)}}}{{\partial {self._in_latex(x)}}}"
        name = f"d{self.names(J)}/d{self.names(x)}"
        d = "<mo>∂</mo>"
        mathml = self._mathml.fraction(d + self._in_mathml(J), d + self._in_mathml(x))
        return self._equation(name, latex, mathml, term, what, "closed form")

    def _equation(
        self, name: str, left: str, mathml: str, term: Term, what: Any, part: str
    ) -> Equation:
        line = f'<math displaystyle="true">{mathml}<mo>=</mo>{self._mathml.line(term)}</math>'
        form = Form(left, self._latex.line(term), line)
        expression = self._text.line(term)
        number = course_number(self.derivation, what) if part == "backward" else ""
        value = self._value(what)
        if part == "closed form":
            value = self.derivation.backward[what.of].value
        return Equation(name, expression, term.shape, value, part, number, form)

    def start(self, what: Any) -> Given:
        """Return what is given."""
        value = self.derivation.arrays[what.id] if isinstance(what, Constant) else what.value
        form = Form(self._in_latex(what), "", f"<math>{self._in_mathml(what)}</math>")
        return Given(self.names(what), np.shape(value), value, "", form)

    def _value(self, what: Any) -> Any:
        if not isinstance(what, D):
            return (what.node if isinstance(what, Step) else what).value
        value = self.derivation.backward[what.of].value
        return value * self.derivation.m if self.derivation.scales(what) else value


def assembled(derivation: Derivation, *, closed: bool, style: str, numbers: bool) -> Explained:
    """Return the explanation of a derivation."""
    write = Assembler(derivation)
    equations = [write.equation(what, "forward") for what in write.ahead]
    equations += [write.equation(what, "backward") for what in write.back]
    if closed:
        wrt = [D(node) for node in derivation.wrt if D(node) in derivation.equations]
        equations += [e for what in wrt if (e := write.closed(what))]
    terms = [derivation.equations[what] for what in (*write.ahead, *write.back)]
    m = derivation.m if mentions_m(*terms) else None
    J = write.names(derivation.record.end)
    return Explained(
        title=f"{J} and its derivatives" + (f", m = {m} columns (examples)" if m else ""),
        given=[write.start(what) for what in write.given],
        equations=equations,
        headings=_headings(write, J, {e.part for e in equations}),
        notes=_notes(write),
        m=m,
        numbers=numbers,
        style=style,
    )


def _notes(write: Assembler) -> list[str]:
    """Return what must be said beside the equations."""
    derivation = write.derivation
    ones = [write.names(meaning(x)) for x in derivation.algebra.used_facts]
    notes = [f"Each column of {name} sums to one; these sums are left out." for name in ones]
    if derivation.course and not derivation.m:
        notes.append(
            "There are no columns of examples in this computation: both conventions are one."
        )
    return notes


def _headings(write: Assembler, J: str, parts: set[str]) -> dict[str, str]:
    backward = f"Backward, dX being ∂{J}/∂X"
    if scaled := _scaled(write):
        words = " and ".join(filter(None, (", ".join(scaled[:-1]), scaled[-1])))
        backward += f"; for {words}, per example, m ∂{J}/∂X"
    headings = {"forward": "Forward", "backward": backward, "closed form": "In closed form"}
    return {part: words for part, words in headings.items() if part in parts}


def _scaled(write: Assembler) -> list[str]:
    """Return what the derivatives are per example of, as letters where all with that letter are."""
    shown = [w for w in write.back if isinstance(w, D) and write.names.knows(w.of)]
    names = {what: write.names(what.of) for what in shown}
    letters = {what: name.rstrip("0123456789") for what, name in names.items()}
    whole = {letters[what] for what in names if not write.derivation.scales(what)}
    found = [what for what in names if write.derivation.scales(what)]
    return list(dict.fromkeys((names if letters[w] in whole else letters)[w] for w in found))


def named(derivation: Derivation, given: list[Any], ahead: list[Node], back: list[Any]) -> Names:
    """Name everything that is shown: as people named it, by its place, or afresh."""
    record, names = derivation.record, Names()
    own = [what for what in (*given, *ahead) if isinstance(what, Node) and clean(what.name or "")]
    for node in own:
        names.give(node, clean(node.name or ""))
    names.give(record.end, "J")
    rest = [what for what in given if what not in own]
    guesses = {what: guessed(what, record) for what in rest if isinstance(what, Node)}
    for what, name in guesses.items():
        if name and list(guesses.values()).count(name) > 1:
            names.number(what, "X" if name == "A0" else name)  # A01 would be of a layer
        elif name:
            names.give(what, name)
    _number(names, "x", [n for n in rest if isinstance(n, Node) and n.needs_grad])
    _number(names, "C", rest)
    for node in ahead:
        names.number(node, "u")
    for what in back:
        if isinstance(what, D) and names.knows(what.of):
            names.give(what, f"d{names(what.of)}")
    for what in back:
        names.number(what, "v")
    return names


def _number(names: Names, letter: str, things: list[Any]) -> None:
    nameless = [what for what in things if not names.knows(what)]
    for what in nameless:
        names.number(what, letter, alone=len(nameless) == 1)
