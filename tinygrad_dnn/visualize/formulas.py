"""Formulas: the equations of a chain of layers, in pieces that are derived once for all alike.

They are those of the engine: every d-quantity is a derivative of J.  A layer is two pieces, the
linear step and the activation; the cost, with the activation before it, is a third.
"""

from collections.abc import Hashable
from functools import cached_property

import numpy as np

from tinygrad_dnn.graph import Node, data_of
from tinygrad_dnn.visualize.captions import activation_name
from tinygrad_dnn.visualize.chain import Chain, Layer, acts_elementwise, wants_gradient
from tinygrad_dnn.visualize.markup import mathml
from tinygrad_dnn.visualize.piece import Formula, Named, Piece
from tinygrad_dnn.visualize.words import is_array

LONG, MANY = 160, 4  # characters of an equation, and lines of a cost, that a picture still shows
BRIEF = 60  # characters of a derivative that is written out where there is little room


class Formulas:
    """The equations of the layers and the cost of a chain.

    Where they are to be ``brief``, the derivative of an activation that takes more than a line is
    called g'(Z).
    """

    def __init__(self, chain: Chain, *, brief: bool = False) -> None:
        self.chain, self.brief = chain, brief
        self._pieces: dict[Hashable, Piece] = {}

    # ---- one layer ---------------------------------------------------------------------------
    def forward(self, layer: Layer) -> list[Formula]:
        """Return the forward step."""
        n, linear = layer.number, self._linear(layer)
        lines = linear.formulas(linear.forward, n)
        act = self._activation(layer)
        if act is None:
            return [*lines, _plain(f"A[{n}] = Z[{n}]")]
        return [*lines, *act.formulas(act.forward, n)]

    def backward(self, layer: Layer) -> list[Formula]:
        """Return the backward step: only what the engine computes."""
        n, linear = layer.number, self._linear(layer)
        return [*self._dZ(layer), *linear.formulas(linear.backward, n)]

    def _dZ(self, layer: Layer) -> list[Formula]:
        n, act = layer.number, self._activation(layer)
        if act is None:
            return [_plain(f"dZ[{n}] = dA[{n}]")]
        lines = _short(act.formulas(act.backward, n))
        long = sum(len(line.text) for line in lines) > BRIEF
        if self.brief and long and layer.activation and acts_elementwise(layer.activation):
            g = activation_name(layer.activation)
            lines = [_plain(f"dZ[{n}] = dA[{n}] * {g}'(Z[{n}])")]
        lines = lines or [_plain(f"dZ[{n}] = (∂A[{n}]/∂Z[{n}])ᵀ dA[{n}]")]
        if n < self.last or self.chain.J is None:
            return lines
        known = {line.text for line in lines}
        again = [x for x in self._of_cost("backward") if x.name[:2] == "dZ" and x.text not in known]
        return [*lines, *_short(again)]

    def _linear(self, layer: Layer) -> Piece:
        given = (Named(layer.W, "W"), Named(layer.b, "b"), Named(layer.before, "A", -1))
        return self._piece(layer.Z, given, Named(layer.Z, "Z"))

    def _activation(self, layer: Layer) -> Piece | None:
        if layer.activation is None:
            return None
        return self._piece(layer.A, (Named(layer.Z, "Z"),), Named(layer.A, "A"))

    def _piece(self, end: Node, given: tuple[Named, ...], made: Named) -> Piece:
        key = _kind(end, given)
        if key not in self._pieces:
            self._pieces[key] = Piece(end, given, (made,))
        return self._pieces[key]

    # ---- the cost ----------------------------------------------------------------------------
    def cost(self) -> list[Formula]:
        """Return J in terms of A = A[L] and Y."""
        lines = [line for line in self._of_cost("forward") if line.name[0] != "A"]
        return _short(lines) or [_plain(f"J = {self.chain.loss or 'loss'}(A[{self.last}], Y)")]

    def cost_backward(self) -> list[Formula]:
        """Return the derivative of J by A[L], where the backward pass begins."""
        lines = [line for line in self._of_cost("backward") if line.name[:2] not in ("dZ", "dY")]
        return _short(lines) or [_plain(f"dA[{self.last}] = ∂J / ∂A[{self.last}]")]

    def remarks(self) -> list[str]:
        """Return what the equations rest on."""
        facts = self._cost.derivation.algebra.used_facts if self.chain.J else ()
        return ["Each column of Y sums to one; these sums are left out."] if facts else []

    @property
    def last(self) -> int:
        return len(self.chain.layers)

    def _of_cost(self, part: str) -> list[Formula]:
        return self._cost.formulas(getattr(self._cost, part), self.last)

    @cached_property
    def _cost(self) -> Piece:
        """The cost, from Z[L], as its rule may lead round the activation."""
        chain, layer = self.chain, self.chain.layers[-1]
        assert chain.J is not None
        A, Y = Named(layer.A, "A"), Named(chain.Y, "Y", None)
        J = Named(chain.J, "J", None)
        if layer.activation is None:
            return Piece(chain.J, (A, Y), (J,))
        return Piece(chain.J, (Named(layer.Z, "Z"), Y), (A, J))


def _kind(end: Node, given: tuple[Named, ...]) -> Hashable:
    """Return what two pieces have in common whose equations are the same."""
    starts = [np.shape(data_of(x.what)) for x in given]
    ones = tuple(tuple(size == 1 for size in shape) for shape in starts)
    wanted = tuple(wants_gradient(x.what) for x in given)
    options = [a for a in (*end.args, *end.kwargs.values()) if not isinstance(a, Node)]
    arrays = tuple(id(a) for a in options if is_array(a) and not any(a is x.what for x in given))
    numbers = tuple(repr(a) for a in options if not is_array(a))
    return end.fn, tuple(end.kwargs), ones, wanted, arrays, numbers


def _short(lines: list[Formula]) -> list[Formula]:
    """Return the lines, or none of them where they are more than a picture can show."""
    fit = len(lines) <= MANY and all(len(line.text) <= LONG for line in lines)
    return lines if fit else []


def _plain(text: str) -> Formula:
    return Formula(text.partition(" = ")[0], text, mathml(text))
