"""Arrange: which equations are shown, and in which order.

Forward as it was computed.  Backward layer by layer: dZ, then by the parameters of its equation,
then by what went into it; of the steps between, each right before it is first needed.
"""

from typing import Any

from tinygrad_dnn.graph import Node
from tinygrad_dnn.visualize.equations.derive import D, Derivation, Step
from tinygrad_dnn.visualize.equations.term import symbols


def backward(derivation: Derivation) -> list[Any]:
    """Return what the backward pass computes, in order."""
    equations, place = derivation.equations, _places(derivation)
    needed = _closure(derivation, [D(n) for n in derivation.wrt if D(n) in equations])
    derivatives = [what for what in needed if isinstance(what, D)]
    derivatives.sort(key=lambda d: (-place[d.of], d.of.fn is not None, d.of in derivation.inputs))
    shown: dict[Any, None] = {}
    for d in derivatives:
        _emit(derivation, d, shown)
    return list(shown)


def forward(derivation: Derivation, needed_back: list[Any]) -> list[Node]:
    """Return the results that have an equation and are needed, in the order they were made."""
    equations, record = derivation.equations, derivation.record
    own = [n for n in record.nodes if n in derivation.own and n.fn is not None]
    of_back = [d.of for d in needed_back if isinstance(d, D) and d.of in equations]
    mentioned = symbols(*(equations[what] for what in needed_back))
    found = _closure(derivation, [*own, *of_back, *(w for w in mentioned if w in equations)])
    nodes = [what for what in found if isinstance(what, Node) and what.fn is not None]
    return sorted(nodes, key=lambda n: n.born)


def given(derivation: Derivation, shown: list[Any]) -> list[Any]:
    """Return what the equations ``shown`` mention and none of them defines: leaves, constants."""
    mentioned = symbols(*(derivation.equations[what] for what in shown))
    return [what for what in mentioned if what not in derivation.equations]


def _closure(derivation: Derivation, wanted: list[Any]) -> list[Any]:
    """Return ``wanted`` and every equation they need."""
    found: dict[Any, None] = dict.fromkeys(wanted)
    stack = list(found)
    while stack:
        for what in symbols(derivation.equations[stack.pop()]):
            if what in derivation.equations and what not in found:
                found[what] = None
                stack.append(what)
    return list(found)


def _emit(derivation: Derivation, what: Any, shown: dict[Any, None]) -> None:
    """Show an equation after those of the backward pass that it needs."""
    stack = [what]
    while stack:
        now = stack[-1]
        todo = [
            w
            for w in symbols(derivation.equations[now])
            if isinstance(w, D | Step) and w in derivation.equations and w not in shown
        ]
        if todo:
            stack += reversed(todo)
        else:
            shown[stack.pop()] = None


def _places(derivation: Derivation) -> dict[Node, int]:
    """Return for every node the place of the first forward equation in which it is used."""
    nodes = derivation.record.nodes
    end = len(nodes)
    place = dict.fromkeys(nodes, end)
    for i in range(end - 1, -1, -1):
        node = nodes[i]
        own = i if node in derivation.equations else place[node]
        for parent in node.parents:
            if parent in place:
                place[parent] = min(place[parent], own)
    return place
